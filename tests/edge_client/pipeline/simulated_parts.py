"""What a simulated drive sees and tells: pictures of plates, and the parts that only keep what they are given."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import simplejpeg

from edge_client.pipeline.events import SentCrop
from edge_client.types import Image, TrackRead

TEXTS = ("B101AAA", "CJ22BBB", "TM33CCC")
LEVELS = (70, 130, 190)  # what a plate's crop is told by, in place of a reader
PLACES = ((5, 5, 27, 85), (34, 75, 56, 155), (63, 40, 85, 120))  # of each plate: top, left, bottom, right


def picture(plate: int) -> Image:
    image = np.full((90, 160, 3), 20, np.uint8)
    top, left, bottom, right = PLACES[plate]
    strokes = np.random.default_rng(plate).integers(0, 2, (bottom - top, right - left, 1)) * 80 - 40
    image[top:bottom, left:right] = np.uint8(LEVELS[plate] + strokes)
    return image


PICTURES = [picture(plate) for plate in range(len(TEXTS))]


def text_of(crop: bytes) -> str:
    """Which plate is on a crop, by how bright its middle is."""
    grey = simplejpeg.decode_jpeg(crop, "GRAY")[:, :, 0]
    height, width = grey.shape
    mean = grey[height // 3 : 2 * height // 3, width // 4 : 3 * width // 4].mean()
    return TEXTS[int(np.argmin([abs(mean - level) for level in LEVELS]))]


class Spool:
    """What the coordinator tells the spool; `left` are the crops that another drive would read."""

    def __init__(self, lost: bool = False) -> None:
        self.lost = lost
        self.left: list[SentCrop] = []

    def leave(self, crops: Sequence[SentCrop]) -> None:
        self.left += crops

    def live(self, reads: Sequence[TrackRead]) -> list[TrackRead]:
        return list(reads)

    def tell(self, *_: object) -> None:
        """Of a frame without an answer, of one, of crops without one, of ones with one."""

    missed = answered = unread = read = tell


class Saver:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.reads: dict[str, TrackRead] = {}

    def put(self, reads: Sequence[TrackRead]) -> None:
        for read in reads:
            for uid in read.supersedes:
                self.reads.pop(uid, None)
            self.reads[read.uid] = read

    def hides(self, text: str) -> bool:
        return False
