"""The settings of a command: the shipped or the named file, with the flags on top."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from edge_client.config import EdgeSettings
from edge_client.config_file import Overrides, load_settings


def settings_of(config: Path | None, overrides: Overrides | None = None) -> EdgeSettings:
    """Settings of `config`, or of the shipped `edge.yaml`, with the overrides on top.

    Raises:
        ConfigError: the file is missing or wrong; the message names the key.
    """
    if config is not None:
        return load_settings(config, overrides)
    with resources.as_file(resources.files("config") / "edge.yaml") as shipped:
        return load_settings(shipped, overrides)
