"""Reads `config/edge.yaml` and says in one line which key is wrong and where it stands."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from edge_client import bounded_yaml
from edge_client.config import EdgeSettings
from edge_client.errors import ConfigError

Overrides = Mapping[str, Mapping[str, object]]
"""Settings by section and key, as the command line sets them; they go before the file's."""


_LONGEST = 200
_SECRETIVE = frozenset({"apis", "events"})
"""Sections whose URLs may hold keys: what stands there is not repeated on a screen or in a log."""


def load_settings(path: Path | None, overrides: Overrides | None = None) -> EdgeSettings:
    """Settings of the file (the defaults without one), with the overrides on top.

    Raises `ConfigError` for a file that is missing, not YAML, or has unknown keys or wrong values.
    """
    node, values = _read(path) if path is not None else (None, {})
    merged: dict[str, object] = dict(values)
    for section, keys in (overrides or {}).items():
        below = merged.get(section)
        if below is None:
            merged[section] = dict(keys)
        elif isinstance(below, dict):
            merged[section] = {**below, **keys}
    try:
        return EdgeSettings.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(_explain(error.errors()[0], path, node)) from None


def _read(path: Path) -> tuple[yaml.Node | None, dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"the configuration {path} is not UTF-8 text") from None
    try:
        values = bounded_yaml.load(text)
        node = yaml.compose(text, Loader=bounded_yaml.BoundedLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{path}{where}: not valid YAML: {' '.join(problem.split())[:_LONGEST]}") from None
    if values is None:
        return None, {}
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: expected sections such as `source:`, found {type(values).__name__}")
    return node, {str(k): ({} if v is None else v) for k, v in values.items()}


def _explain(error: ErrorDetails, path: Path | None, node: yaml.Node | None) -> str:
    keys = [str(part) for part in error["loc"]]
    line = _line(node, keys)
    where = f"{path} line {line}: " if line is not None else f"{path}: " if path is not None else ""
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        message = "unknown key" + _suggestion(keys)
    elif error["type"] != "value_error":
        message = message[:1].lower() + message[1:]
        if not _SECRETIVE.intersection(keys[:1]):
            message += f", found {_short(error['input'])}"
    return f"{where}{'.'.join(keys)}: {message}"


def _suggestion(keys: list[str]) -> str:
    model: type[BaseModel] = EdgeSettings
    for key in keys[:-1]:
        field = model.model_fields.get(key)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return ""
        model = field.annotation
    close = difflib.get_close_matches(keys[-1], model.model_fields, n=1)
    return f" (did you mean {close[0]}?)" if close else f"; known are {', '.join(model.model_fields)}"


def _line(node: yaml.Node | None, keys: list[str]) -> int | None:
    line = None
    for wanted in keys:
        if not isinstance(node, yaml.MappingNode):
            break
        for key, value in node.value:
            if key.value == wanted:
                line, node = key.start_mark.line + 1, value
                break
        else:
            break
    return line


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
