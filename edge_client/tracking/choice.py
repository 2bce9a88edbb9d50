"""Chooses which crops are worth sending to the reader."""

from __future__ import annotations

from dataclasses import dataclass

from edge_client.config import ReadingSettings
from edge_client.tracking.vote import Vote

_SHARPER = 1.3
_HOPELESS_TO_IMPROVE = 0.99


@dataclass(frozen=True, slots=True)
class Look:
    """How well a crop shows its plate: size of the box, and variance of the Laplacian.

    ``steady`` tells that the plate was near this place in the frame before: where it jumped, the track may
    have run over to another plate. ``whole`` is false where the frame's edge may cut the plate: half a plate
    reads confidently as a wrong one.
    """

    width_px: float
    height_px: float
    sharpness: float
    steady: bool = True
    whole: bool = True


@dataclass(slots=True)
class _Asked:
    requests: int = 0
    pending: int = 0
    width_px: float = 0.0
    sharpness: float = 0.0
    at_s: float = 0.0


class CropChoice:
    """Remembers per track what was sent. ``pause_s`` lies between two crops of a track that are no better."""

    def __init__(self, settings: ReadingSettings, pending: int, pause_s: float) -> None:
        self._settings = settings
        self._pending = pending
        self._pause_s = pause_s
        self._asked: dict[int, _Asked] = {}

    def worth(self, track: int, look: Look, now_s: float, vote: Vote) -> bool:
        """Whether to send this crop: new, larger or sharper than those before, or read badly so far."""
        settings = self._settings
        too_small = look.width_px < settings.min_width_px or look.height_px < settings.min_height_px
        if too_small or not look.whole:
            return False
        asked = self._asked.get(track)
        if asked is None:
            return True
        if asked.pending >= self._pending or asked.requests >= settings.max_requests:
            return False
        well_read = vote.confidence >= settings.enough_confidence and vote.support >= settings.enough_reads
        if well_read and look.steady:
            larger = look.width_px >= settings.larger_crop * asked.width_px
            return larger and vote.confidence < _HOPELESS_TO_IMPROVE
        better = look.width_px > 1.1 * asked.width_px or look.sharpness > _SHARPER * asked.sharpness
        return better or now_s - asked.at_s >= self._pause_s

    def sent(self, track: int, look: Look, now_s: float) -> None:
        """Note that a crop of this track is on its way."""
        asked = self._asked.setdefault(track, _Asked())
        asked.requests += 1
        asked.pending += 1
        asked.width_px = max(asked.width_px, look.width_px)
        asked.sharpness = max(asked.sharpness, look.sharpness)
        asked.at_s = now_s

    def answered(self, track: int, *, usable: bool) -> None:
        """Note that an answer came or failed; a failed one does not count as tried."""
        asked = self._asked.get(track)
        if asked is None:
            return
        asked.pending -= 1
        if not usable:
            asked.requests -= 1
            if asked.requests <= 0 and asked.pending <= 0:
                del self._asked[track]

    def pending(self, track: int) -> bool:
        """Whether a crop of this track is on its way."""
        asked = self._asked.get(track)
        return asked is not None and asked.pending > 0

    def forget(self, track: int) -> None:
        """Let an ended track go."""
        self._asked.pop(track, None)
