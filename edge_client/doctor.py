"""Looks at everything a drive needs, without running one."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests

from edge_client.config import EdgeSettings
from edge_client.displays.web.access import is_loopback, load_key, parse_address
from edge_client.displays.window import has_screen
from edge_client.errors import DashcamError
from edge_client.positions.replay import NmeaReplay
from edge_client.store.library import ReadLibrary
from edge_client.store.location import default_reads_file
from edge_client.store.writer import SqliteReads

_PACKAGES = (
    "av",
    "numpy",
    "opencv-python-headless",
    "platformdirs",
    "pydantic",
    "pygame-ce",
    "pynmea2",
    "PyYAML",
    "requests",
    "rich",
    "simplejpeg",
)
_API_MODULES = ("cloud_apis", "fastapi", "onnxruntime", "uvicorn")
_LOW_SPACE_BYTES = 2**30
_READY_PATH = "/v2/health/ready"
_TIMEOUT_S = 5.0


class Verdict(StrEnum):
    """How it stands with one part."""

    OK = "ok"
    NOTE = "note"  # works, but the user may want to know
    WRONG = "wrong"  # a drive would fail or lack something


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part, and what to do about it (empty if nothing)."""

    part: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine(settings: EdgeSettings) -> Iterator[Finding]:
    """Examines one part after the other; never raises for what is wrong with a part."""
    yield _python()
    yield _packages()
    yield _encoder()
    yield _apis(settings)
    yield _reads(settings)
    yield _space(settings)
    yield _screen(settings)
    yield _page(settings)
    yield _positions(settings)


def _python() -> Finding:
    # An older one does not get as far as this: the package demands 3.11.
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("Python", Verdict.OK, version)


def _packages() -> Finding:
    missing = []
    for name in _PACKAGES:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return Finding("packages", Verdict.WRONG, f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding("packages", Verdict.OK, f"{len(_PACKAGES)} found")


def _encoder() -> Finding:
    import av  # noqa: PLC0415 - only here, so that its absence is a finding and not a crash

    if "libx264" not in av.codecs_available:
        return Finding("recording", Verdict.WRONG, "no H.264 encoder", "pip install --force-reinstall av")
    return Finding("recording", Verdict.OK, f"H.264 by PyAV {av.__version__}")


def _apis(settings: EdgeSettings) -> Finding:
    detector, reader = settings.apis.yolov3_endpoint, settings.apis.crnn_endpoint
    if detector is None or reader is None:
        missing = [name for name in _API_MODULES if importlib.util.find_spec(name) is None]
        if missing:
            advice = "install the extra `cloud`, or name endpoints: --yolov3-endpoint and --crnn-endpoint"
            return Finding("prediction APIs", Verdict.WRONG, f"embedded, but missing: {', '.join(missing)}", advice)
        return Finding("prediction APIs", Verdict.OK, "embedded: started with each drive")
    wrong = [f"{name}: {problem}" for name, url in (("yolov3", detector), ("crnn", reader)) if (problem := _ask(url))]
    if wrong:
        return Finding("prediction APIs", Verdict.WRONG, "; ".join(wrong), "start them, or correct their addresses")
    return Finding("prediction APIs", Verdict.OK, f"ready: {detector}, {reader}")


def _ask(endpoint: str) -> str | None:
    """What is wrong with an API, None if it is ready."""
    parts = urlsplit(endpoint)
    health = urlunsplit((parts.scheme, parts.netloc, _READY_PATH, "", ""))
    try:
        status = requests.get(health, timeout=_TIMEOUT_S).status_code
    except requests.ConnectionError:
        return f"{parts.netloc} does not answer"
    except requests.Timeout:
        return f"{parts.netloc} did not answer within {_TIMEOUT_S:.0f} s"
    except requests.RequestException as e:
        return str(e)
    return None if status == requests.codes.ok else f"{health} answers with status {status}"


def _reads(settings: EdgeSettings) -> Finding:
    path = settings.reads.file or default_reads_file()
    if not path.exists():
        # A drive makes the default folder by itself, one that was named it does not.
        folder = path.parent
        while settings.reads.file is None and not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            return Finding("reads file", Verdict.WRONG, f"{path}: its folder does not exist", "create the folder")
        if not os.access(folder, os.W_OK):
            return Finding("reads file", Verdict.WRONG, f"{folder} is not writable", "name another: --reads FILE")
        return Finding("reads file", Verdict.OK, f"{path} will be made")
    try:
        SqliteReads(path).close()
        with ReadLibrary(path) as library:
            sound, count = library.is_sound(), library.count()
    except DashcamError as e:
        return Finding("reads file", Verdict.WRONG, str(e), "see there")
    if not sound:
        return Finding("reads file", Verdict.WRONG, f"{path} is damaged", "rescue it: sqlite3 FILE .recover")
    return Finding("reads file", Verdict.OK, f"{path}: {count} reads, sound")


def _space(settings: EdgeSettings) -> Finding:
    files = [settings.reads.file or default_reads_file(), settings.record.file]
    found, low = [], False
    for folder in {_existing(file.absolute().parent) for file in files if file is not None}:
        free = shutil.disk_usage(folder).free
        low = low or free < _LOW_SPACE_BYTES
        found.append(f"{free / 2**30:.1f} GiB free in {folder}")
    if low:
        return Finding("disk", Verdict.NOTE, "; ".join(found), "make room: an hour of recording takes about 2 GiB")
    return Finding("disk", Verdict.OK, "; ".join(found))


def _existing(folder: Path) -> Path:
    while not folder.exists():
        folder = folder.parent
    return folder


def _screen(settings: EdgeSettings) -> Finding:
    if not settings.window.enabled:
        return Finding("screen", Verdict.OK, "no window is wanted")
    if not has_screen(os.environ):
        return Finding("screen", Verdict.NOTE, "none here, so no window is shown", "set DISPLAY, or use the web page")
    return Finding("screen", Verdict.OK, os.environ.get("DISPLAY") or os.environ["WAYLAND_DISPLAY"])


def _page(settings: EdgeSettings) -> Finding:
    if settings.web.address.strip().lower() == "off":
        return Finding("web page", Verdict.OK, "off")
    try:
        host, port = parse_address(settings.web.address)
        key = load_key(os.environ, settings.web.key_file)
    except DashcamError as e:
        return Finding("web page", Verdict.WRONG, str(e), "see there")
    if key is None and not is_loopback(host):
        return Finding("web page", Verdict.WRONG, f"{host} without a key", "set DASHCAM_WEB_KEY or web.key_file")
    return Finding("web page", Verdict.OK, f"{host}:{port}, {'with' if key else 'without'} a key")


def _positions(settings: EdgeSettings) -> Finding:
    log = settings.positions.nmea_log
    if log is None:
        return Finding("positions", Verdict.NOTE, "no log is named: reads have no position", "--positions LOG")
    try:
        NmeaReplay(log, settings.positions.max_age_s).close()
    except DashcamError as e:
        return Finding("positions", Verdict.WRONG, str(e), "name a log with fixes: --positions LOG")
    return Finding("positions", Verdict.OK, str(log))
