"""Checkpoints of whatever run, read with errors that name the file and say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

SHOWN = 160
"""Letters of torch's messages that are passed on; some list every weight."""


def load_checkpoint(file: Path, *keys: str) -> dict[str, Any]:
    """A checkpoint (tensors and plain values only) that has these keys.

    Raises OSError when the file cannot be read, ValueError when it is no checkpoint or lacks a key.
    """
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # torch raises UnpicklingError, RuntimeError, EOFError, KeyError and others
        raise ValueError(f"{file} is no checkpoint: {_short(error)}") from error
    if not isinstance(state, dict):
        raise ValueError(f"{file} is no checkpoint: it holds a {type(state).__name__}")
    missing = [key for key in keys if key not in state]
    if missing:
        raise ValueError(f"{file} is a checkpoint of another kind: it has no {', '.join(missing)}")
    return state


def take_weights(network: nn.Module, weights: Mapping[str, Tensor], file: Path) -> None:
    """Load all weights of a network, in place; raises ValueError, which names ``file``, where they do not fit."""
    restore(file, lambda: network.load_state_dict(weights))


def restore(file: Path, load: Callable[[], object]) -> None:
    """Run what loads a checkpoint's content; raises ValueError, which names ``file``, where that does not fit."""
    try:
        load()
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{file} is of another network or kind of run: {_short(error)}") from error


def _short(error: Exception) -> str:
    text = " ".join(f"{error}".split()) or type(error).__name__
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
