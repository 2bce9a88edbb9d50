"""Whatever is put, refused and ended when: a read is in the store, or the saver says that it is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_client.errors import StoreError
from edge_client.pipeline import saver as saver_module
from edge_client.pipeline.saver import Saver
from edge_client.types import TrackRead, UtcSource

START = datetime(2026, 1, 2, tzinfo=UTC)
Put = tuple[int, bool]  # number of the read, and whether it supersedes the one before


class Store:
    """Refuses the saves whose turn is in `refused`; keeps what the others bring."""

    def __init__(self, refused: Sequence[int]) -> None:
        self._refused = set(refused)
        self._turn = 0
        self.reads: dict[str, str] = {}

    def save(self, read: TrackRead) -> None:
        self._turn += 1
        if self._turn in self._refused:
            raise StoreError("the disk is full")
        for uid in read.supersedes:
            self.reads.pop(uid, None)
        self.reads[read.uid] = read.text

    def correct_times(self, drive: str, shift: timedelta, source: UtcSource) -> None:
        pass

    def close(self) -> None:
        pass


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=20), st.lists(st.integers(1, 12), max_size=5))
def test_no_read_is_lost_without_a_word(puts: list[Put], refused: list[int]) -> None:
    store, wanted = Store(refused), dict[str, str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saver_module, "_FIRST_PAUSE_S", 0.0005)
        saver = Saver(store)
        for turn, (number, supersedes) in enumerate(puts):
            gone = (str(number - 1),) if supersedes else ()
            text = f"B{turn}"
            for uid in gone:
                wanted.pop(uid, None)
            wanted[str(number)] = text
            saver.put([TrackRead(str(number), text, 0.9, (), START, START, None, None, None, b"", (), gone)])
        try:
            saver.close(20)
        except StoreError as error:
            told = re.match(r"(\d+) reads could not be written: the disk is full", str(error))
            assert told is not None
            missing = [uid for uid, text in wanted.items() if store.reads.get(uid) != text]
            assert len(missing) == int(told[1]) > 0
        else:
            assert {uid: store.reads.get(uid) for uid in wanted} == wanted
