"""Reads a YAML file and says in one line why it cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cloud_apis.errors import StartError


def read_yaml(path: Path, what: str) -> Any:
    """The content of a YAML file; ``what`` it is stands in the message, such as "settings".

    Raises `StartError` when the file cannot be read, is no text or no YAML.
    """
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartError(f"cannot read the {what} {path}: {reason}") from error
    except yaml.YAMLError as error:
        raise StartError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
