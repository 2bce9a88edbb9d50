"""The numbers of a .weights file, checked in full before any is read."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tools.training.darknet.errors import WeightsError
from tools.training.darknet.layers import Plan, weight_count
from tools.training.darknet.network import DarknetNetwork, convolutions

HEADER = struct.Struct("<iii")
MAX_VERSION = 1000


def header_bytes(head: bytes, name: str) -> int:
    """How long the header is: three numbers of the version, then the pictures seen in 8 bytes (in 4 before 0.2)."""
    if len(head) < HEADER.size:
        raise WeightsError(f"{name} is cut off within its header")
    major, minor, _ = HEADER.unpack_from(head)
    if not (0 <= major < MAX_VERSION and 0 <= minor < MAX_VERSION):
        raise WeightsError(f"{name} is no Darknet .weights file: its header names version {major}.{minor}")
    return HEADER.size + (8 if major * 10 + minor >= 2 else 4)


def read_weights(file: Path, plan: Plan) -> NDArray[np.float32]:
    """All numbers of the file after its header; raises WeightsError unless it holds just what the plan needs."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            start = header_bytes(stream.read(HEADER.size), str(file))
            needed = sum(weight_count(layer) for layer in plan.layers)
            expected = start + 4 * needed
            if size != expected:
                more = "fewer" if size < expected else "more"
                raise WeightsError(
                    f"{file} has {size} bytes, {more} than the {expected} of the .cfg's {needed} weights: it is cut "
                    "off, of another network, or of the first layers alone"
                )
            stream.seek(start)
            values = np.fromfile(stream, "<f4", needed)
    except OSError as error:
        raise WeightsError(f"{file} cannot be read: {error.strerror}") from error
    if not np.isfinite(values).all():
        raise WeightsError(f"{file} holds numbers that are not finite: its training went astray")
    return values.astype(np.float32, copy=False)


def load_weights(network: DarknetNetwork, values: NDArray[np.float32]) -> None:
    """Put a file's numbers into the network's layers, in Darknet's order.

    Per convolution: biases, then with normalisation scales, means and variances, then the kernel (output channel,
    input channel, row, column).
    """
    at = 0

    def take(target: Tensor) -> None:
        nonlocal at
        part = values[at : at + target.numel()]
        with torch.no_grad():
            target.copy_(torch.from_numpy(part.reshape(tuple(target.shape))))
        at += target.numel()

    for convolution, norm, _ in convolutions(network):
        if isinstance(norm, nn.BatchNorm2d):
            assert norm.running_mean is not None and norm.running_var is not None  # noqa: S101 - for the type checker
            for tensor in (norm.bias, norm.weight, norm.running_mean, norm.running_var):
                take(tensor)
            if bool((norm.running_var < 0).any()):
                raise WeightsError("the weights hold negative variances: they are of another network")
        else:
            take(convolution.get_parameter("bias"))
        take(convolution.get_parameter("weight"))
    if at != len(values):
        raise WeightsError(f"the weights hold {len(values) - at} numbers too many")
