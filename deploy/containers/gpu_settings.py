"""Writes the shipped settings of the APIs as a GPU wants them: CUDA first, the CPU for what CUDA cannot."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cloud_apis.settings import default_config

PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]


def main(argv: Sequence[str] | None = None) -> int:
    """The argument is the file to write."""
    words = sys.argv[1:] if argv is None else argv
    if len(words) != 1:
        print("usage: python -m deploy.containers.gpu_settings FILE", file=sys.stderr)
        return 2
    content: Any = yaml.safe_load(default_config().read_text(encoding="utf-8"))
    Path(words[0]).write_text(yaml.safe_dump(on_gpu(content), sort_keys=False), encoding="utf-8")
    return 0


def on_gpu(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with `PROVIDERS` wherever there are providers."""
    return {
        key: PROVIDERS.copy() if key == "providers" else on_gpu(value) if isinstance(value, dict) else value
        for key, value in settings.items()
    }


if __name__ == "__main__":
    sys.exit(main())
