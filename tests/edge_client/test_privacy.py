"""A drive that hashes plates: no plate stands anywhere that others can read."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from edge_client.store.secrecy import PlateSecret
from tests.edge_client.fake_apis import fake_apis
from tests.edge_client.outbox.servers import Inbox, free_port, web_server
from tests.edge_client.sources.mjpeg_server import Connection, mjpeg_server

PATIENCE_S = 240.0
PLATE = "AB12CDE"
ROOT = Path(__file__).resolve().parents[2]


def look(url: str, process: subprocess.Popen[str]) -> str:
    """What somebody gets who has the page open until there is a plate on it, and then looks at the list."""
    answers: list[str] = []
    end_s = time.monotonic() + PATIENCE_S
    while process.poll() is None and time.monotonic() < end_s:
        try:
            answer = requests.get(f"{url}/api/live", timeout=5)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        answers.append(answer.text)
        if answer.json().get("reads"):
            answers += [requests.get(f"{url}/{path}", timeout=20).text for path in ("api/reads", "export/reads.csv")]
            break
        time.sleep(0.1)
    return "".join(answers)


@pytest.mark.parametrize("live", ["hashed", "plain"])
def test_a_drive_shows_what_its_owner_wants_to_be_shown(tmp_path: Path, live: str) -> None:
    secret, file, port = tmp_path / "secret", tmp_path / "edge.yaml", free_port()
    secret.write_text("0123456789abcdef0123", encoding="utf-8")
    camera = Connection(frames=100_000, size=(416, 234), rate_hz=25.0)
    with fake_apis() as apis, web_server(Inbox()) as inbox, mjpeg_server(camera) as server:
        settings = {
            "apis": {"yolov3_endpoint": apis.yolov3, "crnn_endpoint": apis.crnn},
            "reads": {"file": str(tmp_path / "reads.db"), "hash_key_file": str(secret)},
            "privacy": {"live_texts": live},
            "events": {"webhooks": [inbox.url]},
            "window": {"enabled": False},
            "web": {"address": f"127.0.0.1:{port}"},
            "recording": {"when": "never"},
            "offline": {"mode": "off"},
        }
        file.write_text(json.dumps(settings), encoding="utf-8")
        command = [sys.executable, "-m", "edge_client", "run", server.url, "--config", str(file)]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            page = look(f"http://127.0.0.1:{port}", process)
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    digest = PlateSecret.load(secret).digest(PLATE)
    with sqlite3.connect(tmp_path / "reads.db") as connection:
        kept = "\n".join(connection.iterdump())
    assert digest in kept
    assert digest in page
    for text in (kept, "".join(json.dumps(event) for event in inbox.events)):
        assert PLATE not in text
    if live == "hashed":
        assert PLATE not in page
        assert PLATE not in said
        assert f"#{digest[:8]}" in said
        assert "/crops/" not in page
    else:
        assert PLATE in page
        assert PLATE in said
