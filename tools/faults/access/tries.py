"""Takes down what was tried and what got through."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.faults.row import Row


@dataclass(slots=True)
class Tries:
    """Ways in that were tried, and those that were open; ``open`` has to be tried with the right means too."""

    fault: str
    promised: str
    tried: int = 0
    through: list[str] = field(default_factory=list)
    shut_out: list[str] = field(default_factory=list)
    """What should have been let in and was not: a door that nobody can open keeps no promise."""

    def refused(self, way: str, refused: bool) -> None:
        """A way in, and whether it was refused as it has to be."""
        self.tried += 1
        if not refused:
            self.through.append(way)

    def welcome(self, way: str, let_in: bool) -> None:
        """The right way in."""
        if not let_in:
            self.shut_out.append(way)

    def row(self) -> Row:
        """The line of the table."""
        measured = f"{self.tried} tried, {self.tried - len(self.through)} refused"
        if self.through:
            measured += f"; OPEN: {'; '.join(self.through[:5])}"
        if self.shut_out:
            measured += f"; SHUT TO THE RIGHT ONE: {'; '.join(self.shut_out[:5])}"
        return Row(self.fault, self.promised, measured, self.tried > 0 and not self.through and not self.shut_out)
