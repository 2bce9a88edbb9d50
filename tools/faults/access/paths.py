"""Paths out of the folder: in URLs of both servers, in names of models, in what manifests and models name."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cloud_apis.errors import StartError
from cloud_apis.model_files import load_model_file
from cloud_apis.names import Api
from cloud_apis.session import load_model
from deploy.errors import SettingsError
from deploy.registry.reference import parse_reference
from edge_client.recording.names import SegmentName
from tools.faults.access.page import page
from tools.faults.access.raw import get, status
from tools.faults.access.tries import Tries
from tools.faults.row import Row
from tools.serving import served

_MARK: Final = "root:"
_FILE: Final = "etc/passwd"
_UPS: Final = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..\\",
    "..%5c",
    "....//",
    "..;/",
    "..%c0%af",
    "%252e%252e%252f",
    "./../",
)
_STARTS: Final = {
    "page": ("/", "/crops/", "/reads/", "/export/", "/export/reads.", "/static/", "/api/"),
    "apis": ("/", "/v2/models/", "/docs/", "/openapi.json/", "/yolov3/"),
}
_NAMES: Final = (
    "../../etc/passwd",
    "..",
    ".",
    "/etc/passwd",
    "a/../b",
    "yolov3/..",
    "..\\x",
    "yolov3\0",
    "~root",
    "c:\\x",
    "",
    "%2e%2e",
    "yolov3@sha256:../../x",
    "yolov3:../x",
    "yolov3:..",
    "-rf",
    "x" * 300,
    "yolov3\n",
    "\u2024\u2024/x",
)


def targets(starts: tuple[str, ...]) -> Iterator[str]:
    """What is asked for: up many times from each start, in all ways of writing it, with and without an ending."""
    for start in starts:
        yield from (f"{start}{up * 8}{_FILE}{end}" for up in _UPS for end in ("", ".jpg", "%00.jpg"))
        yield f"{start}/{_FILE}"
        yield f"{start}file:///{_FILE}"
    yield f"/{_FILE}"


def rows(folder: Path) -> Iterator[Row]:
    """Both servers, then names."""
    refusals = {400, 401, 403, 404, 405, 414, 422}
    with page(folder) as shown:
        tries = Tries("paths out of the folder, on the dashcam's page", "an error, and nothing of any file")
        for target in targets(_STARTS["page"]):
            answer = get(shown.url, target)
            tries.refused(target, status(answer) in refusals and _MARK.encode() not in answer)
        tries.welcome("the page", status(get(shown.url, "/")) == 200)
        tries.welcome("an export", status(get(shown.url, "/export/reads.csv")) == 200)
    yield tries.row()
    with served(apis=(Api.YOLOV3,)) as server:
        tries = Tries("paths out of the folder, on the APIs' server", "an error, and nothing of any file")
        for target in targets(_STARTS["apis"]):
            answer = get(server.url, target)
            tries.refused(target, status(answer) in refusals and _MARK.encode() not in answer)
        tries.welcome("a model", status(get(server.url, "/v2/models/yolov3")) == 200)
    yield tries.row()
    yield _names(folder)


def _names(folder: Path) -> Row:
    """Names of models and recordings, and a model that names a file of the machine."""
    tries = Tries("names of models and recordings that are paths", "refused before any file is opened")
    for name in _NAMES:
        with contextlib.suppress(SettingsError):
            tries.refused(f"reference {name!r}", not parse_reference(name))
            continue
        tries.refused(f"reference {name!r}", refused=True)
    for name in _NAMES:
        tries.refused(f"recording {name!r}", SegmentName.parse(f"{name}.mp4") is None)
        tries.refused(f"recording {name!r}", SegmentName.parse(f"00000001_{name}.mp4") is None)
    tries.refused("a manifest for another name", not _loads_manifest(folder))
    tries.refused("a model with weights elsewhere", not _loads_outside(folder))
    tries.welcome("a reference", parse_reference("yolov3:stable").name == "yolov3")
    tries.welcome("a recording", SegmentName.parse("00000001_20260501T100000Z.mp4") is not None)
    return tries.row()


def _loads_manifest(folder: Path) -> bool:
    fields = f'{{"name": "../yolov3", "version": "1", "sha256": "{"0" * 64}"}}'
    (folder / "yolov3.json").write_text(fields, encoding="utf-8")
    (folder / "yolov3.onnx").write_bytes(b"")
    try:
        load_model_file(folder, "yolov3")
    except StartError:
        return False
    return True


def _loads_outside(folder: Path) -> bool:
    # Imported late: the library that builds models is not needed for the rest.
    import hashlib
    import json

    from tools.faults.fuzz.onnx import outside_data

    content = outside_data().SerializeToString()
    fields = {"name": "yolov3", "version": "1", "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "yolov3.onnx").write_bytes(content)
    (folder / "yolov3.json").write_text(json.dumps(fields), encoding="utf-8")
    try:
        load_model(folder, "yolov3", ("p32",))
    except StartError:
        return False
    return True
