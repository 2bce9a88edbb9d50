"""Spoiled Darknet files before the converter: an error that says what is wrong, or a network.

A case is the text of the .cfg, a mark, and the bytes of the .weights. All of the conversion runs but the export.
"""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tools.faults.fuzz.format import Feed, Format
from tools.faults.fuzz.mutate import BYTES, Mutation
from tools.training.darknet.cfg import parse_cfg, read_cfg
from tools.training.darknet.convert import labels_of, make_grey, whole_anchors
from tools.training.darknet.errors import DarknetError
from tools.training.darknet.layers import plan_of, weight_count
from tools.training.darknet.network import DarknetNetwork
from tools.training.darknet.weights import load_weights, read_weights

_MARK: Final = b"\n=====weights=====\n"
_CONV: Final = "[convolutional]\nbatch_normalize=1\nfilters=8\nsize=3\nstride=2\npad=1\nactivation=leaky\n"
_HEAD: Final = "[convolutional]\nfilters=18\nsize=1\nstride=1\npad=1\nactivation=linear\n"
_ANCHORS: Final = "anchors=8,4, 14,6, 20,8.5, 30,12, 44,16, 60,30\nclasses=1\nnum=6\n"
_CFG: Final = (
    f"# tiny\n[net]\nwidth=96\nheight=64\nchannels=3\n{_CONV}{_CONV}[maxpool]\nsize=2\nstride=2\n{_CONV}"
    "[convolutional]\nfilters=8\nsize=1\nstride=1\nactivation=mish\n[shortcut]\nfrom=-2\nactivation=linear\n"
    f"{_HEAD}[yolo]\nmask=3,4,5\n{_ANCHORS}[route]\nlayers=-3\n[upsample]\nstride=2\n[route]\nlayers=-1,2\n"
    f"{_HEAD}[yolo]\nmask=0,1,2\nscale_x_y=1.05\n{_ANCHORS}"
)
_NUMBERS: Final = (
    "0",
    "-1",
    "1",
    "2",
    "3",
    "31",
    "32",
    "64",
    "4096",
    "4097",
    "16384",
    "65536",
    "1e3",
    "nan",
    "inf",
    "1e400",
    "9" * 400,
    "9" * 5000,
    "",
    ",",
    "1,2,3",
    "-1,-2",
    "-99",
    "0x10",
    "1_0",
    "٣",
    "leaky",
    "x" * 500,
    "1" + ",1" * 300,
    "99999999999999999999",
)

_VALUES: Final = (*(struct.pack("<f", x) for x in (float("nan"), float("inf"), -1.0, 1e38)), b"\xff" * 4)


def intact() -> Sequence[bytes]:
    """One detector with two scales, before and after the format's header grew."""
    rng = np.random.default_rng(7)
    count = sum(weight_count(layer) for layer in plan_of(parse_cfg(_CFG)).layers)
    values = rng.uniform(0.1, 0.9, count).astype("<f4").tobytes()
    return [
        _CFG.encode() + _MARK + struct.pack("<iiiq", 0, 2, 5, 1000) + values,
        _CFG.encode() + _MARK + struct.pack("<iiii", 0, 1, 0, 1000) + values,
    ]


def _in_cfg(mutation: Mutation) -> Mutation:
    def spoil(random_: random.Random, case: bytes) -> bytes:
        cfg, mark, weights = case.partition(_MARK)
        return mutation(random_, cfg) + mark + weights

    return spoil


def _option(random_: random.Random, cfg: bytes) -> bytes:
    """An option has another value."""
    lines = cfg.split(b"\n")
    at = random_.randrange(len(lines))
    key, equals, _ = lines[at].partition(b"=")
    if equals:
        lines[at] = key + equals + random_.choice(_NUMBERS).encode()
    return b"\n".join(lines)


def _section(random_: random.Random, cfg: bytes) -> bytes:
    """A section is missing, doubled many times, elsewhere or of another kind."""
    parts = cfg.split(b"\n[")
    at = random_.randrange(len(parts))
    match random_.randrange(4):
        case 0:
            del parts[at]
        case 1:
            parts[at:at] = [parts[at]] * random_.choice((1, 5, 300, 1100))
        case 2:
            random_.shuffle(parts)
        case _:
            kind = random_.choice((b"lstm", b"yolo", b"route", b"shortcut", b"upsample", b"", b"net", b"dropout"))
            parts[at] = kind + b"]" + parts[at].partition(b"]")[2]
    return b"\n[".join(parts)


def _weights(random_: random.Random, case: bytes) -> bytes:
    """The weights' header or one of their numbers is another."""
    cfg, mark, weights = case.partition(_MARK)
    at = random_.choice((0, 4, 8, 12, 4 * random_.randrange(max(1, len(weights) // 4))))
    value = random_.choice(_VALUES)
    return cfg + mark + weights[:at] + value + weights[at + 4 :]


_STRUCTURE: Final[tuple[Mutation, ...]] = (
    *(_in_cfg(mutation) for mutation in BYTES),
    *(_in_cfg(mutation) for mutation in (_option, _section)),
    *(_in_cfg(mutation) for mutation in (_option, _section)),
    _weights,
)


def _convert(folder: Path, case: bytes) -> str:
    cfg, weights = folder / "a.cfg", folder / "a.weights"
    parts = case.partition(_MARK)
    cfg.write_bytes(parts[0])
    weights.write_bytes(parts[2])
    try:
        plan = plan_of(read_cfg(cfg))
        labels_of(plan, None)
        values = read_weights(weights, plan)
        network = DarknetNetwork(plan)
        load_weights(network, values)
        make_grey(network)
        whole_anchors(network)
    except DarknetError as error:
        if "\n" in str(error) or len(str(error)) > 1000:
            raise AssertionError("the message is no line for people") from error
        return "refused"
    return "taken"


@contextlib.contextmanager
def _reader(folder: Path) -> Iterator[Feed]:
    yield lambda case: _convert(folder, case)


FORMAT: Final = Format("darknet", "Darknet's .cfg and .weights", intact, (*BYTES, *_STRUCTURE), _reader)
