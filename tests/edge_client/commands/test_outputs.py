"""The displays as the settings ask for them, with a real page on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests

from edge_client.commands.outputs import Outputs, open_outputs
from edge_client.config import EdgeSettings, WebSettings, WindowSettings
from edge_client.displays.web.server import WebPage
from edge_client.recording.button import LockButton
from edge_client.sources.pictures import PictureFolder
from edge_client.store.writer import SqliteReads
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.samples import jpeg, read


class Recording:
    """Something that can be locked."""

    def __init__(self) -> None:
        self.reasons: list[str] = []

    def lock(self, reason: str) -> None:
        self.reasons.append(reason)


@pytest.fixture
def reads_file(tmp_path: Path) -> Path:
    path = tmp_path / "reads.db"
    with closing(SqliteReads(path)) as store:
        store.save(read("old", "B001OLD"))
    return path


@contextmanager
def opened(tmp_path: Path, reads_file: Path, button: LockButton) -> Iterator[tuple[Outputs, WebPage]]:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "1.jpg").write_bytes(jpeg())
    settings = EdgeSettings(window=WindowSettings(enabled=False), web=WebSettings(address="127.0.0.1:0"))
    with closing(PictureFolder(pictures, settings.source)) as source:
        outputs = open_outputs(settings, "drive.mp4", source, reads_file, insist_on_window=False, lock_button=button)
        (page,) = outputs.displays
        assert isinstance(page, WebPage)
        try:
            yield outputs, page
        finally:
            outputs.close()


def test_the_pages_button_locks_what_is_recorded_now(tmp_path: Path, reads_file: Path) -> None:
    button, recording = LockButton(), Recording()
    with opened(tmp_path, reads_file, button) as (_, page):
        headers = {"Origin": page.url.rstrip("/")}
        assert requests.post(f"{page.url}api/lock", headers=headers, timeout=30).status_code == 409
        button.connect(recording)
        assert requests.post(f"{page.url}api/lock", headers=headers, timeout=30).json() == {"locked": True}
    assert recording.reasons == ["web page"]


def test_the_page_has_old_and_new_reads_and_the_state(tmp_path: Path, reads_file: Path) -> None:
    with opened(tmp_path, reads_file, LockButton()) as (outputs, page):
        outputs.set_status(STATUS)
        outputs.add_read(read("new", "B002NEW"))
        live = requests.get(f"{page.url}api/live", timeout=30).json()
        assert [r["text"] for r in live["reads"]] == ["B001OLD", "B002NEW"]
        assert [part["part"] for part in live["status"]["states"]] == [
            "camera",
            "GPS",
            "network",
            "recording",
            "reads",
            "clock",
        ]
        stored = requests.get(f"{page.url}api/reads", timeout=30).json()["reads"]
        assert [r["text"] for r in stored] == ["B001OLD"]
        outputs.remove_read("new")
        live = requests.get(f"{page.url}api/live", timeout=30).json()
        assert [r["text"] for r in live["reads"]] == ["B001OLD"]
