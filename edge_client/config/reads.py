"""The list of reads."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from edge_client.config.base import Seconds, Section, Unit


class ReadSettings(Section):
    """Which reads are kept, where, for how long, and in what form."""

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
    known_file: Path | None = Field(
        default=None,
        description="your list of plates (YAML or CSV: plate, name, note, action alert or ignore, distance); an alert "
        "is an event, is shown on the screen and locks the recording; None for no list",
    )
    known_distance: float = Field(
        default=0.5,
        ge=0.0,
        le=4.0,
        description="characters by which a read may differ from a plate of your list that states no distance; one "
        "that is easily confused (B and 8) counts as a half, O and 0, I and 1 are always alike",
    )
    store_ignored: bool = Field(
        default=False, description="keep and show reads of plates that your list ignores; no events are sent of them"
    )
    keep_days: float | None = Field(
        default=None,
        gt=0.0,
        le=36500.0,
        description="reads, crops, drives and events older than this are deleted and overwritten, at the start and "
        "once an hour; None keeps them for good",
    )
    hash_key_file: Path | None = Field(
        default=None,
        description="file with a secret of at least 16 bytes (head -c 32 /dev/urandom | base64 > FILE): plates are "
        "then stored and sent as HMAC-SHA-256 of it, without crops and single reads; who has file and secret can look "
        "whole plates up, nobody can list them; the screen shows hashes too (privacy.live_texts), pictures are blurred "
        "by privacy.blur; reads of before, recordings and crops that wait for a lost network stay as they are; None "
        "stores texts",
    )
