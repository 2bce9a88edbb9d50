"""The commands, in order, and what must come of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.sequence.film import cut_frame
from tools.sequence.running import Step

DETECTOR, READER = "yolov3", "crnn"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the sequence runs: its files, the S3 server and the cluster. ``http_host`` is what Serve listens on."""

    folder: Path
    registry: str
    s3_url: str
    dashboard: str
    token_file: Path | None
    http_host: str
    http_port: int
    base_url: str

    @property
    def settings(self) -> Path:
        """The settings file of the deployment."""
        return self.folder / "deploy.yaml"

    @property
    def key_file(self) -> Path:
        """The file with the API key."""
        return self.folder / "key"

    def write_settings(self, **detector: Any) -> None:
        """Write the settings file, with these settings of the detector."""
        content = {
            "registry": {"url": self.registry, "endpoint_url": self.s3_url, "region": "us-east-1"},
            "target": {
                "kind": "ray",
                "address": self.dashboard,
                "http_host": self.http_host,
                "http_port": self.http_port,
                "token_file": None if self.token_file is None else str(self.token_file),
            },
            "api_key": f"file:{self.key_file}",
            "apis": {DETECTOR: detector, READER: {}},
        }
        self.settings.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def steps(place: Place) -> Iterator[Step]:
    """The documented sequence; what a step needs is written right before it."""
    config = ("--config", str(place.settings))
    asking = (
        "--yolov3-endpoint",
        f"{place.base_url}/{DETECTOR}",
        "--crnn-endpoint",
        f"{place.base_url}/{READER}",
        "--api-key-file",
        str(place.key_file),
    )
    place.write_settings()
    yield Step("Push the models", "cloud-deploy", ("models", "push", *config), _holds("yolov3@sha256:"))
    yield Step("List them", "cloud-deploy", ("models", "ls", *config), _holds("crnn"))
    yield Step("See what would be done", "cloud-deploy", ("deploy", "--plan", *config), _holds("2 added"))
    yield Step("Deploy", "cloud-deploy", ("deploy", "--yes", *config), _holds("revision 1 runs"))
    yield Step("Deploy the same again", "cloud-deploy", ("deploy", "--yes", *config), _holds("nothing to do"))
    yield Step("Look at it", "cloud-deploy", ("status", "--quick", "--json", *config), _all_run)
    drive = ("render", "--out", "drive", "--seconds", "3", "--fps", "8", "--size", "960x540")
    yield Step("Render a short drive", "python -m tools.demo", drive, _holds("plates"))
    cut_frame(place.folder / "drive", place.folder / "frame.jpg")
    # No TLS stands before this cluster, whose network is this machine's own.
    one = ("frame.jpg", "--json", "--threshold", "0.4", "--key-unencrypted", *asking)
    yield Step("Ask about one picture", "sample-inference", one, _finds_a_plate)
    (place.folder / "edge.yaml").write_text("apis:\n  key_unencrypted: true\n", encoding="utf-8")
    run = ("run", "drive/drive.mp4", "--config", "edge.yaml", "--rate", "full", "--no-window", "--web", "off")
    counted = ("--reads", "reads.db", "--summary-json", "summary.json")
    yield Step("Drive", "dashcam", (*run, *counted, *asking), lambda _: _was_driven(place.folder / "summary.json"))
    place.write_settings(queue=64)
    yield Step("Update", "cloud-deploy", ("deploy", "--yes", *config), _holds("revision 2 runs"))
    yield Step("Look at the logs", "cloud-deploy", ("logs", DETECTOR, "--lines", "3", *config), _holds(DETECTOR))
    yield Step("Roll back", "cloud-deploy", ("rollback", "--yes", *config), _holds("revision 3 runs"))
    yield Step("Ask again", "sample-inference", one, _finds_a_plate)
    yield Step("See the revisions", "cloud-deploy", ("rollback", "--list", "--json", *config), _holds("rollback to 1"))
    yield Step("End it", "cloud-deploy", ("delete", "--yes", *config), _holds("nothing runs (revision 4)"))


def _holds(words: str) -> Callable[[str], str]:
    return lambda output: "" if words in output else f"its output does not say {words!r}"


def _all_run(output: str) -> str:
    states = {each["name"]: each["state"] for each in json.loads(output)["apis"]}
    return "" if states == {DETECTOR: "RUNNING", READER: "RUNNING"} else f"the APIs are {states}"


def _finds_a_plate(output: str) -> str:
    return "" if json.loads(output)["plates"] else "no plate was found"


def _was_driven(file: Path) -> str:
    counted = json.loads(file.read_text(encoding="utf-8"))
    for api in (DETECTOR, READER):
        requests = counted["requests"].get(api, {"sent": 0, "failed": 0})
        if not requests["sent"] or requests["failed"]:
            return f"{api} was asked {requests['sent']} times and failed {requests['failed']} times"
    return "" if counted["reads"] else "no plate was read"
