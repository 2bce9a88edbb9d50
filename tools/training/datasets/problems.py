"""What is wrong with a data set, counted by kind, with a message for the first of each."""

from __future__ import annotations

import logging
from collections import Counter
from enum import StrEnum

log = logging.getLogger("data")
MESSAGES_A_KIND = 5


class Kind(StrEnum):
    """What can be wrong; the value is how the summary names it."""

    MISSING_PICTURE = "pictures missing"
    BROKEN_PICTURE = "pictures that cannot be read"
    OTHER_SIZE = "pictures of another size than labelled (boxes scaled)"
    BROKEN_LABEL = "labels that cannot be understood"
    OTHER_CLASS = "boxes of other classes (left out)"
    CLIPPED_BOX = "boxes that left the picture (clipped)"
    OUTSIDE_BOX = "boxes outside the picture (left out)"
    EMPTY_BOX = "boxes without area (left out)"
    REWRITTEN_TEXT = "texts rewritten to A-Z and 0-9"
    OTHER_LETTERS = "texts with other letters (left out)"
    EMPTY_TEXT = "texts without a character (left out)"
    LONG_TEXT = "texts too long for a plate (left out)"
    REPEATED = "pictures labelled twice (the later left out)"


class DataError(ValueError):
    """A data set of which nothing can be used; the message says what was looked for, and where."""


class Problems:
    """Counts problems while a set is read; the first few of each kind are logged as warnings."""

    def __init__(self) -> None:
        self.counts: Counter[Kind] = Counter()

    def note(self, kind: Kind, where: str, what: str) -> None:
        """One problem: ``where`` is the file, with ``:line`` where there is one; ``what`` a short sentence."""
        self.counts[kind] += 1
        if self.counts[kind] <= MESSAGES_A_KIND:
            log.warning("%s: %s", where, what)
        elif self.counts[kind] == MESSAGES_A_KIND + 1:
            log.warning("(further %s are only counted)", kind)

    def tell(self, where: str) -> None:
        """Log all counts as one warning, if there was anything."""
        if self.counts:
            log.warning("%s: %s", where, self.summary())

    def summary(self) -> str:
        """All counts on one line, or that there was nothing."""
        found = ", ".join(f"{count} {kind}" for kind, count in self.counts.most_common())
        return found or "no problems"
