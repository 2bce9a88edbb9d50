"""onnxruntime's execution providers: which are there, how each is asked, and whether it really runs the model.

On a GPU (``CUDAExecutionProvider``) products are computed in mixed precision: TensorFloat-32 takes the factors with
10 bits of mantissa, as float16 has, over float32's range, and adds in float32. Cards before NVIDIA's Ampere do not
have it and compute in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import onnxruntime as ort

from cloud_apis.errors import StartError

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        # Batches are as large as requests happen to wait: an exhaustive search for each new size would hold them up.
        CUDA: {"use_tf32": "1", "cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested"},
    }
)


def asked(names: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Providers with their options, in order of preference, the CPU if none is named.

    Raises `StartError` that says what to install when onnxruntime was built without one.
    """
    wanted = list(names) or [CPU]
    available = ort.get_available_providers()
    for name in wanted:
        if name not in available:
            remedy = "; for a GPU: pip install 'plate-dashcam[gpu]' without onnxruntime" if name == CUDA else ""
            raise StartError(f"onnxruntime has no provider {name!r} here; it has {', '.join(available)}{remedy}")
    if CUDA in wanted and (preload := getattr(ort, "preload_dlls", None)) is not None:
        preload()  # NVIDIA's libraries as pip has installed them; without this only the system's are found
    return [(name, dict(_OPTIONS.get(name, {}))) for name in wanted]


def require_first(session: Any, names: Sequence[str]) -> None:
    """Raise `StartError` unless the provider that is preferred runs the session.

    onnxruntime goes on with the next one, many times slower, when a GPU's driver or libraries are missing.
    """
    first, running = (list(names) or [CPU])[0], session.get_providers()
    if first not in running:
        remedy = "check the driver with nvidia-smi and NVIDIA's libraries (the extra ray-gpu has them)"
        told = f"{first} does not start, and {running[0]} would be many times slower"
        raise StartError(f"{told}: {remedy}" if first == CUDA else told)
