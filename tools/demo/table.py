"""The score as a table on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from tools.demo.score import DriveScore


def print_score(result: DriveScore, console: Console) -> None:
    """Prints a line for each plate that was large enough to be read, and the sum."""
    table = Table(title="Plates of the drive", title_justify="left")
    for name, justify in (
        ("plate", "left"),
        ("country", "left"),
        ("widest", "right"),
        ("frames", "right"),
        ("read as", "left"),
    ):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for entry in sorted(result.plates, key=lambda p: min(p.plate.boxes)):
        if not entry.readable and entry.read is None:
            continue
        if entry.correct:
            verdict = f"[green]{entry.read}[/]"
        elif entry.read is not None:
            verdict = f"[yellow]{entry.read}[/] ({entry.errors} wrong)"
        else:
            verdict = "[red]–[/]"
        text = entry.plate.text if entry.readable else f"[dim]{entry.plate.text} (small)[/]"
        table.add_row(
            text, entry.plate.country, f"{entry.plate.largest_width_px:.0f} px", str(len(entry.plate.boxes)), verdict
        )
    console.print(table)
    small = sum(p.correct for p in result.plates if not p.readable)
    console.print(
        f"plates read exactly: {result.correct} of {result.readable} that came near enough"
        + (f", and {small} smaller ones" if small else "")
        + (f"; {len(result.foreign)} reads of no plate" if result.foreign else "")
    )
