from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from tests.tools.training.darknet.tiny import TINY_CFG, random_weights
from tools.training.darknet.cfg import parse_cfg, read_cfg
from tools.training.darknet.darknet53 import cfg_text, darknet53, darknet53_plan
from tools.training.darknet.errors import CfgError, DarknetError, WeightsError
from tools.training.darknet.layers import plan_of, weight_count
from tools.training.darknet.network import DarknetNetwork
from tools.training.darknet.weights import read_weights

PLAN = plan_of(parse_cfg(TINY_CFG))


def test_the_full_size_network_is_the_original() -> None:
    """The published yolov3.weights has 248,007,048 bytes: a header of 20 and these numbers."""
    plan = darknet53_plan(classes=80, input_channels=3)
    assert len(plan.layers) == 107
    assert 20 + 4 * sum(weight_count(layer) for layer in plan.layers) == 248_007_048
    assert [scale.stride for scale in plan.scales()] == [8, 16, 32]


def test_the_full_size_network_learns_and_answers_in_our_form() -> None:
    with torch.device("meta"):  # shapes alone: 62 million numbers are not for a test
        outputs = DarknetNetwork(darknet53_plan())(torch.zeros(2, 1, 64, 96))
    assert [tuple(o.shape) for o in outputs] == [(2, 18, 8, 12), (2, 18, 4, 6), (2, 18, 2, 3)]
    network = DarknetNetwork(PLAN)
    sum(o.square().mean() for o in network(torch.rand(2, 3, 32, 32))).backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[net]", "[nets]", r"first section is not \[net\]"),
        ("[shortcut]", "[shortcut", r"tiny:43: a section's bracket is not closed"),
        ("filters=6", "filters=six", r"tiny:7: filters of \[convolutional\] is no whole number: 'six'"),
        ("filters=6", "filters=99999999", "not 1 to 16384"),
        ("filters=6", "filters", "neither a section nor key=value"),
        ("activation=mish", "activation=gelu", "activation 'gelu' is not known"),
        ("from=-3", "from=-30", "names a layer that is not there"),
        ("from=-3", "from=-5", "joins layers of different shapes"),
        ("layers=-1,-3", "layers=-1,0", "joins layers of different sizes"),
        ("groups=2\ngroup_id=1", "groups=3", "3 groups do not divide"),
        ("[upsample]", "[sam]", r"kind \[sam\] are not known"),
        ("mask=3,4,5", "mask=4,5", "has 2 anchors; our APIs serve 3"),
        ("mask=3,4,5", "mask=4,5,6", "mask names anchors that are not there"),
        ("filters=21", "filters=18", "linear convolution of 21 filters is needed"),
        ("size=5\nstride=1", "size=5\nstride=4", "64 pixels a cell do not divide 32"),
        ("num=6", "new_coords=1", "new_coords=1 of .* is not supported"),
        ("width=96", "width=100000", "width of .* is 100000"),
    ],
)
def test_a_wrong_cfg_is_named_by_its_line(old: str, new: str, message: str) -> None:
    assert old in TINY_CFG
    with pytest.raises(CfgError, match=message):
        plan_of(parse_cfg(TINY_CFG.replace(old, new), "tiny"))


def test_a_cfg_without_scales_or_too_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CfgError, match=r"no \[yolo\] layer"):
        plan_of(parse_cfg("[net]\n[convolutional]\nfilters=4\nsize=3\npad=1\n"))
    huge = cfg_text(1, 3).replace("filters=1024", "filters=16384")
    with pytest.raises(CfgError, match="too large"):
        plan_of(parse_cfg(huge))
    swapped = tmp_path / "x.cfg"
    swapped.write_bytes(bytes(2_000_000))
    with pytest.raises(CfgError, match="are the two files swapped"):
        read_cfg(swapped)
    with pytest.raises(CfgError, match="cannot be read"):
        read_cfg(tmp_path / "none.cfg")


@pytest.mark.parametrize("version", [(0, 1, 0), (0, 2, 5), (1, 0, 0)])
def test_both_headers_are_understood(tmp_path: Path, version: tuple[int, int, int]) -> None:
    file = tmp_path / "x.weights"
    file.write_bytes(random_weights(TINY_CFG, 1, version))
    expected = np.frombuffer(random_weights(TINY_CFG, 1)[20:], "<f4")
    assert np.array_equal(read_weights(file, PLAN), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda b: b[:7], "cut off within its header"),
        (lambda b: b[:-1], "fewer than the"),
        (lambda b: b + bytes(4), "more than the"),
        (lambda b: b"PK\3\4abcdefgh" + b[12:], "no Darknet .weights file"),
        (lambda b: b[:400] + struct.pack("<f", float("nan")) + b[404:], "not finite"),
    ],
)
def test_wrong_weights_are_refused(tmp_path: Path, change: object, message: str) -> None:
    assert callable(change)
    file = tmp_path / "x.weights"
    file.write_bytes(change(random_weights(TINY_CFG, 1)))
    with pytest.raises(WeightsError, match=message):
        read_weights(file, PLAN)


LINES = st.sampled_from([line for line in TINY_CFG.splitlines() if line])
NOISE = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40)
VALUES = st.sampled_from(["0", "-1", "1e99", "nan", "9" * 5000, ",,", "3,4,5", "64", ""])
EDITS = st.lists(st.tuples(st.integers(0, 120), st.one_of(LINES, NOISE, VALUES)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EDITS)
def test_a_spoilt_cfg_is_refused_or_a_sound_plan(edits: list[tuple[int, str]]) -> None:
    lines = TINY_CFG.splitlines()
    for place, text in edits:
        at = place % len(lines)
        key, equals, _ = lines[at].partition("=")
        lines[at] = f"{key}={text}" if equals and place % 2 else text
    try:
        plan = plan_of(parse_cfg("\n".join(lines)))
    except DarknetError:
        return
    assert plan.scales() and sum(weight_count(layer) for layer in plan.layers) < 500_000_000
    if sum(weight_count(layer) for layer in plan.layers) < 2_000_000:
        with torch.no_grad(), torch.device("meta"):
            outputs = DarknetNetwork(plan).eval()(torch.zeros(1, plan.input_channels, 64, 96))
        for scale, output in zip(plan.scales(), outputs, strict=True):
            assert output.shape == (1, scale.channels, 64 // scale.stride, 96 // scale.stride)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.integers(0, 10_000))
def test_spoilt_weights_are_refused_or_finite(tmp_path: Path, noise: bytes, at: int) -> None:
    content = random_weights(TINY_CFG, 1)
    file = tmp_path / "x.weights"
    file.write_bytes(content[: at % len(content)] + noise + content[at % len(content) + len(noise) :])
    with contextlib.suppress(WeightsError):
        assert np.isfinite(read_weights(file, PLAN)).all()


def test_rare_objects_are_where_the_full_size_network_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.training.darknet.darknet53.STAGES", ((4, 1), (8, 1), (16, 8), (32, 8), (32, 1)))
    monkeypatch.setattr("tools.training.darknet.darknet53.STAGE_ENDS", {16: 58, 8: 33})
    with torch.no_grad():
        outputs = darknet53()(torch.rand(2, 1, 64, 64))
    assert all(float(o.view(2, 3, 6, *o.shape[2:])[:, :, 4].sigmoid().max()) < 0.05 for o in outputs)
