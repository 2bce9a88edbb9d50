"""The peer is the network that it claims to be, and every model is timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.cloud_apis import tiny_models
from tools.bench.darknet53 import parameters, yolov3
from tools.bench.latency import measure, session


def test_the_peer_has_the_layers_of_yolov3() -> None:
    """Darknet's own yolov3.cfg has 75 convolutions and, with one class, about 61.5 million weights."""
    model = yolov3()
    assert sum(n.op_type == "Conv" for n in model.graph.node) == 75
    assert sum(n.op_type == "Add" for n in model.graph.node) == 23
    assert parameters(model) == pytest.approx(61.5e6, rel=0.01)
    onnx.checker.check_model(model)


def test_the_peer_runs() -> None:
    running = session(yolov3().SerializeToString(), 1)
    outputs = dict(
        zip(
            (o.name for o in running.get_outputs()),
            running.run(None, {"image": np.zeros((1, 3, 96, 64), np.float32)}),
            strict=True,
        )
    )
    assert {n: o.shape for n, o in outputs.items()} == {
        "p8": (1, 18, 12, 8),
        "p16": (1, 18, 6, 4),
        "p32": (1, 18, 3, 2),
    }


def test_every_model_is_timed(tmp_path: Path) -> None:
    tiny_models.write_all(tmp_path)
    rows = list(measure(tmp_path, threads=(1, 2), warm_up=0, repeats=2, peer=False))
    assert {(r.model, r.threads) for r in rows} == {
        (name, threads) for name in ("yolov3", "craft", "crnn") for threads in (1, 2)
    }
    assert all(r.timing.repeats == 2 and r.timing.median_s > 0 for r in rows)


def test_models_that_are_absent_are_left_out(tmp_path: Path) -> None:
    assert not list(measure(tmp_path, threads=(1,), warm_up=0, repeats=1, peer=False))
