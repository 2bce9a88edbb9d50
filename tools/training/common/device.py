"""Where and how precisely to compute: a GPU in mixed precision if there is one, else the CPU as well as it can."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

DEVICES: Final = ("auto", "cpu", "cuda")
PRECISIONS: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Compute:
    """A device and the type that convolutions and products are computed in there; weights stay float32."""

    device: torch.device
    dtype: torch.dtype

    def autocast(self) -> torch.autocast:
        """Context in which the forward pass runs; in float32 it changes nothing."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype is not torch.float32)

    def scaler(self) -> torch.amp.GradScaler:
        """Scales the loss where float16 would lose small gradients; elsewhere it does nothing."""
        return torch.amp.GradScaler(self.device.type, enabled=self.dtype is torch.float16)

    def images(self, batch: Tensor) -> Tensor:
        """A batch of pictures (N, C, H, W) on the device, channels last, which convolutions there like best."""
        return batch.to(self.device, non_blocking=True).contiguous(memory_format=torch.channels_last)

    def __str__(self) -> str:
        name = f" ({torch.cuda.get_device_name(self.device)})" if self.device.type == "cuda" else ""
        return f"{self.device}{name}, {str(self.dtype).removeprefix('torch.')}"


def choose(device: str = "auto", precision: str = "auto") -> Compute:
    """The device of that name with the best precision that is native there, unless another is asked for.

    "auto" takes a GPU if there is one. Raises ValueError for a device or precision that cannot be had.
    """
    if device not in DEVICES or precision not in ("auto", *PRECISIONS):
        raise ValueError(f"there is no device {device!r} or precision {precision!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no GPU that torch can use here: take --device cpu")
    chosen = torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")
    if precision != "auto":
        if chosen.type == "cpu" and precision == "float16":
            raise ValueError("float16 is for GPUs: take bfloat16 or float32 on a CPU")
        return Compute(chosen, PRECISIONS[precision])
    if chosen.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return Compute(chosen, torch.bfloat16 if native else torch.float16)
    return Compute(chosen, torch.bfloat16 if cpu_has_bfloat16() else torch.float32)


def cpu_has_bfloat16() -> bool:
    """Whether the CPU multiplies bfloat16 itself (AVX512-BF16 or AMX); emulated it is slower than float32."""
    probes = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, probe, bool)()) for probe in probes)


def device_of(network: nn.Module) -> torch.device:
    """Where a network's weights lie."""
    return next(network.parameters()).device


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add --device, --precision and --patience, which all trainers have."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="auto: a GPU if there is one (default)")
    parser.add_argument(
        "--precision", choices=("auto", *PRECISIONS), default="auto",
        help="of the forward pass; auto: bfloat16 or float16 where native, else float32 (default)",
    )  # fmt: skip
    parser.add_argument(
        "--patience", type=int, default=0, metavar="N",
        help="stop after N evaluations in a row without a better dev figure; 0: never (default)",
    )  # fmt: skip
