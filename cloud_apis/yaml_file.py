"""Reads a YAML file and says in one line why it cannot be read, or which key is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cloud_apis import bounded_yaml
from cloud_apis.errors import StartError

M = TypeVar("M", bound=BaseModel)


def read_settings(path: Path, model: type[M]) -> M:
    """Settings as the model has them; raises `StartError` with one line that names the file, the key and the fault."""
    content = read_yaml(path, "settings")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise StartError(f"{path}: {_first_problem(error)}") from error


def read_yaml(path: Path, what: str) -> Any:
    """The content of a YAML file; ``what`` it is stands in the message, such as "settings".

    Raises `StartError` when the file cannot be read, is no text or no YAML.
    """
    try:
        return bounded_yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise StartError(f"cannot read the {what} {path}: {reason}") from error
    except yaml.YAMLError as error:
        raise StartError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error


def _first_problem(error: ValidationError) -> str:
    # A key that nobody knows explains one that is missing: it is named first.
    problem = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    if problem["type"] == "extra_forbidden":
        return f"{_dotted(problem['loc'])}: there is no such setting"
    return f"{_dotted(problem['loc'])}: {problem['msg'].removeprefix('Value error, ')}"


def _dotted(place: Sequence[int | str]) -> str:
    return ".".join(str(p) for p in place) or "the file"
