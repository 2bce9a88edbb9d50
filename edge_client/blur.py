"""Makes plates illegible in pictures, in one place for everything that shows or records them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import cv2
import numpy as np

from cloud_apis.contract import PlateBox
from edge_client.config.privacy import PrivacySettings
from edge_client.types import Image, Outcome, ShownFrame, TrackedBox

_BLOCKS_ACROSS, _BLOCKS_DOWN = 4, 2
_BLIND_BLOCKS = 24


def blur(image: Image, boxes: Sequence[PlateBox], margin: float = 0.2) -> Image:
    """A copy of the picture in which nothing can be read inside the boxes.

    What is inside a box becomes 4 by 2 fields of its mean colours: what characters stood there is not blurred
    but gone, unlike after a blur whose kernel can be inverted (Hill et al., "On the (In)effectiveness of Mosaicing
    and Blurring as Tools for Document Redaction", PETS 2016).

    Args:
        image: uint8 BGR, left as it is.
        boxes: in pixels of the picture; parts outside it are ignored.
        margin: grows each box to all sides by this part of its width and height.
    """
    result = image.copy()
    height, width = image.shape[:2]
    for box in boxes:
        dx, dy = (box.xmax - box.xmin) * margin, (box.ymax - box.ymin) * margin
        left, right = max(int(box.xmin - dx), 0), min(int(np.ceil(box.xmax + dx)), width)
        top, bottom = max(int(box.ymin - dy), 0), min(int(np.ceil(box.ymax + dy)), height)
        if left < right and top < bottom:
            _mosaic(result[top:bottom, left:right], _BLOCKS_ACROSS, _BLOCKS_DOWN)
    return result


def blur_all(image: Image) -> Image:
    """A copy of the picture in which no plate can be read anywhere: 24 fields across."""
    result = image.copy()
    height, width = image.shape[:2]
    _mosaic(result, _BLIND_BLOCKS, max(1, round(_BLIND_BLOCKS * height / width)))
    return result


class Blurring:
    """Blurs the frames of one drive, in their order, as the settings ask for."""

    def __init__(self, settings: PrivacySettings) -> None:
        self._settings = settings
        self._looked_at_s: float | None = None
        self._found: set[int] = set()  # tracks whose plates the last look found
        self.shown = settings.blur in ("shown", "both")
        """Whether windows and pages get blurred frames."""
        self.recorded = settings.blur in ("recorded", "both")
        """Whether video files get blurred frames."""

    def apply(self, shown: ShownFrame) -> ShownFrame:
        """The frame with its plates blurred.

        A frame for which nobody has looked for plates lately, as without a network, is blurred as a whole; so is one in
        which a plate of the last look is somewhere, and its box is carried no further.
        """
        captured_s = shown.frame.captured_monotonic_s
        boxes = [tracked for tracked in shown.boxes if self._hides(tracked)]
        hidden = {tracked.track_id for tracked in boxes}
        if shown.outcome is Outcome.ANNOTATED:
            self._looked_at_s = captured_s
            self._found = {tracked.track_id for tracked in boxes if not tracked.carried}
        self._found -= {tracked.track_id for tracked in shown.boxes} - hidden
        blind_s = self._settings.blind_after_s
        blind = self._looked_at_s is None or captured_s - self._looked_at_s > blind_s
        if blind_s and (blind or not self._found <= hidden):
            image = blur_all(shown.frame.image)
        elif boxes:
            image = blur(shown.frame.image, [tracked.box for tracked in boxes], self._settings.margin)
        else:
            return shown
        kept = shown.boxes
        if not self._settings.texts:
            kept = tuple(replace(t, text=None, confidence=None) if t in boxes else t for t in kept)
        return replace(shown, frame=replace(shown.frame, image=image), boxes=kept)

    def _hides(self, tracked: TrackedBox) -> bool:
        if not tracked.text:
            return True  # whose plate it is, is not known yet
        text = tracked.text.upper()
        if any(fnmatchcase(text, pattern.upper()) for pattern in self._settings.never):
            return False
        return not self._settings.only or any(fnmatchcase(text, p.upper()) for p in self._settings.only)


def _mosaic(part: Image, across: int, down: int) -> None:
    """Replaces a part of a picture by fields of its mean colours, in place."""
    height, width = part.shape[:2]
    fields = cv2.resize(part, (min(across, width), min(down, height)), interpolation=cv2.INTER_AREA)
    part[:] = cv2.resize(fields, (width, height), interpolation=cv2.INTER_NEAREST)
