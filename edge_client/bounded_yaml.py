"""YAML as settings need it, as `cloud_apis.bounded_yaml` has it: this room may import nothing but its contract."""

from __future__ import annotations

from typing import Any, Final

import yaml

MAX_CHARACTERS: Final = 1_000_000
MAX_DEPTH: Final = 32
MAX_ALIASES: Final = 20
"""A few lines of aliases of aliases would be billions of values."""


def load(text: str) -> Any:
    """The content of a YAML text; raises `yaml.YAMLError`, also for what is too long, too deep or unfolds too far."""
    if len(text) > MAX_CHARACTERS:
        raise yaml.YAMLError(f"it has more than {MAX_CHARACTERS} characters")
    return yaml.load(text, Loader=BoundedLoader)  # noqa: S506 (it is a SafeLoader)


class BoundedLoader(yaml.SafeLoader):
    """A `SafeLoader` with bounds, whose scalars cannot raise errors of other kinds."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node, unless it is too deep or one alias too many."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._aliases += self.check_event(yaml.AliasEvent)
        if self._aliases > MAX_ALIASES:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_ALIASES} aliases", problem_mark=mark)
        if self._depth >= MAX_DEPTH:
            raise yaml.MarkedYAMLError(problem=f"more than {MAX_DEPTH} levels", problem_mark=mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def compose_mapping_node(self, anchor: Any) -> Any:
        """One mapping, unless a key stands in it twice: the second would silently win."""
        node = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise yaml.MarkedYAMLError(problem=f"{key.value!r} stands there twice", problem_mark=key.start_mark)
                seen.add((key.tag, key.value))
        return node

    def construct_object(self, node: Any, deep: bool = False) -> Any:
        """One value; a scalar that its tag does not fit is an error with a line, too."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
            raise yaml.MarkedYAMLError(problem="no such value", problem_mark=node.start_mark) from error
