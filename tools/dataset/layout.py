"""Which make, model, year and listing a picture is of, told by its path."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.dataset.errors import UsageError

DEFAULT = "{make}/{model}/{year}/{listing}/{name}"
_FIELDS = ("make", "model", "year", "listing", "name")
_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """What a path tells of a picture; None where it tells nothing. Pictures without a listing are their own."""

    make: str | None = None
    model: str | None = None
    year: int | None = None
    listing: str | None = None


class Layout:
    """A template such as ``{make}/{model}/{year}/{listing}/{name}`` for paths relative to the catalogue."""

    def __init__(self, template: str = DEFAULT) -> None:
        """Raises UsageError when the template names other fields, or one twice."""
        names = _FIELD.findall(template)
        unknown = [name for name in names if name not in _FIELDS]
        if unknown or len(set(names)) < len(names) or "name" not in names:
            raise UsageError(
                f"the layout {template!r} must have {{name}}, and of {', '.join(_FIELDS)} each at most once"
            )
        parts = _FIELD.split(template)
        pattern = "".join(
            f"(?P<{part}>{'.+' if part == 'name' else '[^/]+?'})" if i % 2 else re.escape(part)
            for i, part in enumerate(parts)
        )
        self.template = template
        self._pattern = re.compile(pattern)

    def place(self, path: str) -> Place:
        """What the path tells (``/`` between its parts); nothing at all where it has another form."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return Place()
        fields = found.groupdict()
        year = fields.get("year")
        return Place(
            fields.get("make"),
            fields.get("model"),
            int(year) if year and re.fullmatch(r"\d{4}", year) else None,
            fields.get("listing"),
        )
