"""Cuts what arrives in pieces into lines."""

from __future__ import annotations

from collections.abc import Iterator

_LONGEST_LINE = 65536


class Lines:
    """Bytes in, lines out, each with the time at which its first byte came; a line that never ends is cut."""

    def __init__(self, longest: int = _LONGEST_LINE) -> None:
        self._longest = longest
        self._rest = b""
        self._began_s = 0.0

    def add(self, data: bytes, arrived_s: float) -> Iterator[tuple[str, float]]:
        """The lines that are complete by now; bytes that are no ASCII become U+FFFD."""
        if not self._rest:
            self._began_s = arrived_s
        *lines, rest = (self._rest + data).split(b"\n")
        began_s = self._began_s
        self._rest = rest
        if lines:
            self._began_s = arrived_s
        if len(rest) > self._longest:
            lines.append(rest)
            self._rest = b""
        for line in lines:
            yield line.decode("ascii", errors="replace"), began_s
            began_s = arrived_s
