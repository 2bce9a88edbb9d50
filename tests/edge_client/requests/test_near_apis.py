"""`offline: embedded` with the real prediction APIs: the far ones are gone, and plates are read on this device."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_client.config import EdgeSettings
from edge_client.config_file import load_settings
from edge_client.counters import Counters
from edge_client.errors import ApiError
from edge_client.imaging import encode_crop, reduce_frame
from edge_client.requests.adapting import Adaptation
from edge_client.requests.apis import APIS, CRNN, YOLOV3, PlateApis
from edge_client.requests.endpoints import FixedEndpoints
from edge_client.requests.fallback import FallbackApis, can_embed
from edge_client.requests.transport import Transport
from edge_client.run import run_drive
from edge_client.store.library import ReadFilter, ReadLibrary
from edge_client.store.writer import SqliteReads
from tests.edge_client.fake_apis import fake_apis
from tools.bench.samples import labelled

pytestmark = pytest.mark.skipif(not can_embed(), reason="the extra `cloud` is not installed")
CLIP = "video10.avi"


@pytest.fixture
def settings(tmp_path: Path) -> EdgeSettings:
    """APIs at an address at which nobody listens any more."""
    with fake_apis() as gone:
        pass
    return load_settings(
        None,
        {
            "apis": {
                "yolov3_endpoint": gone.yolov3,
                "crnn_endpoint": gone.crnn,
                "embedded_log": tmp_path / "apis.log",
                "embedded_start_timeout_s": 300.0,
            },
            "pool": {"failures_to_pause": 1, "pause_s": 0.1, "max_pause_s": 0.2, "retry_jitter_s": 0.01},
            "offline": {"mode": "embedded", "min_free_mb": 0, "catch_up_s": 300.0},
        },
    )


@pytest.fixture
def apis(settings: EdgeSettings) -> Iterator[FallbackApis]:
    """With the near APIs begun by a first question that the far ones did not answer, and ready."""
    counters, adaptation = Counters(APIS), Adaptation(settings, active=True)
    assert settings.apis.yolov3_endpoint is not None
    assert settings.apis.crnn_endpoint is not None
    far = PlateApis(
        FixedEndpoints(settings.apis.yolov3_endpoint, settings.apis.crnn_endpoint),
        Transport(settings.pool),
        settings.pool,
        counters,
        patient=False,
        adaptation=adaptation,
    )
    running = FallbackApis(far, settings, counters, adaptation)
    with pytest.raises(ApiError):
        running.read([b"nobody is there"])
    assert running._starter is not None
    running._starter.join(120)
    yield running
    running.close()
    running.release()
    running.end()


def test_real_crops_are_read_by_the_real_apis_of_the_device(
    apis: FallbackApis, settings: EdgeSettings, shared_data: Path
) -> None:
    found = labelled(shared_data, "train", 4, 24)
    assert apis.states()[CRNN].startswith("down")
    assert not apis.lost(YOLOV3)
    words = apis.read([encode_crop(crop, settings.reading) for crop, _ in found.crops[:8]])
    for start in (8, 16):
        words += apis.read([encode_crop(crop, settings.reading) for crop, _ in found.crops[start : start + 8]])
    read = ["".join(word.text for word in of_crop) for of_crop in words]
    right = sum(text == wanted for text, (_, wanted) in zip(read, found.crops, strict=True))
    assert right >= len(read) * 2 // 3, list(zip(read, (wanted for _, wanted in found.crops), strict=True))
    boxes = [apis.detect(reduce_frame(photo, settings.detection).jpeg) for photo in found.photos]
    assert sum(any(box.score > 0.5 for box in of_photo) for of_photo in boxes) >= 2


def test_a_drive_without_its_apis_is_read_on_the_device(
    settings: EdgeSettings, shared_data: Path, tmp_path: Path
) -> None:
    """What passes before the near APIs are ready is kept, and read by them afterwards."""
    with (shared_data / "clips" / "truth.csv").open(newline="", encoding="utf-8") as file:
        plates = {plate for row in csv.DictReader(file) if row["clip"] == CLIP for plate in row["plates"].split()}
    summary = run_drive(
        settings,
        str(shared_data / "clips" / CLIP),
        [],
        SqliteReads(tmp_path / "reads.db"),
        threading.Event(),
        spool=tmp_path / "reads.spool",
    )
    assert summary.captured == 36
    assert summary.spool["waiting"] == 0, summary.spool
    with ReadLibrary(tmp_path / "reads.db") as library:
        texts = {read.text for read in library.find(ReadFilter())}
    assert texts & plates, texts
