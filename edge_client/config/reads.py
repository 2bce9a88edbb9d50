"""The list of reads."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from edge_client.config.base import Seconds, Section, Unit


class ReadSettings(Section):
    """Which reads are kept, and where."""

    file: Path | None = Field(
        default=None, description="SQLite file of the reads, None for one in the user's data folder"
    )
    min_confidence: Unit = Field(default=0.5, description="votes below this are not stored")
    min_lone_confidence: Unit = Field(
        default=0.9, description="votes that fewer than two reads support need this confidence"
    )
    min_length: int = Field(default=4, ge=1, description="shorter texts are not stored")
    max_length: int = Field(default=10, ge=1, description="longer texts are not stored")
    same_plate_s: Seconds = Field(default=30.0, description="within this time nearly equal reads count as one plate")
