"""Segments that a power cut or a kill left unfinished: made whole as far as they go, when recording begins again."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_client.displays.mp4 import cut_to_whole_fragments
from edge_client.recording.names import SegmentName
from edge_client.recording.playable import stored_pictures
from edge_client.recording.stock import Item, in_use, remove, stock_of
from edge_client.recording.track import CUT, End, ends_in_order, line_of

_LOG = logging.getLogger(__name__)


def repair_all(folder: Path) -> list[SegmentName]:
    """Repairs what was cut: a fragment that is not whole goes, as players refuse a file for some of them, and the
    track gets its end. A segment without a whole fragment is removed, unless it is locked.

    Returns:
        The segments that had been cut and are kept.

    Raises:
        OSError: the folder cannot be read. A segment that cannot be changed is left alone.
    """
    kept = []
    for item in stock_of(folder):
        try:
            if ends_in_order(item.name.track(folder)) or in_use(item.name.video(folder)):
                continue
            if _repair(folder, item):
                kept.append(item.name)
        except OSError as error:
            _LOG.warning("cannot repair the recording %s: %s", item.name.stem, error.strerror or error)
    return kept


def _repair(folder: Path, item: Item) -> bool:
    video = item.name.video(folder)
    if not item.has_video or not cut_to_whole_fragments(video):
        if not item.locked:
            remove(folder, item.name)
        return False
    seconds, pictures = stored_pictures(video)
    with item.name.track(folder).open("ab") as track:
        # What stands before the line feed is the line that was cut.
        track.write(b"\n" + line_of(End(seconds, pictures, CUT)).encode())
    return True
