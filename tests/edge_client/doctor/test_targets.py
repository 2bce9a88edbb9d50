from __future__ import annotations

import socket
from pathlib import Path

from edge_client.config import EventSettings
from edge_client.doctor.finding import Finding, Verdict
from edge_client.doctor.targets import events


def examined(**settings: object) -> list[Finding]:
    return list(events(EventSettings.model_validate(settings)))


def test_receivers_are_reached_without_being_told_anything(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("abc", "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = examined(
            mqtt_host="127.0.0.1",
            mqtt_port=port,
            webhooks=(f"http://127.0.0.1:{port}/hook/secret-path",),
            webhook_secret_file=secret,
        )
        for _ in found:
            connection, _address = server.accept()
            connection.settimeout(5)
            assert connection.recv(10) == b""
            connection.close()
    assert [f.verdict for f in found] == [Verdict.OK, Verdict.OK]
    assert "secret-path" not in found[1].found


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    missing, no_text, broker, hook = examined(
        mqtt_host="127.0.0.1",
        mqtt_port=9,
        webhooks=("http://127.0.0.1:9/",),
        webhook_secret_file=tmp_path / "none",
        mqtt_password_file=empty,
    )
    assert [missing.verdict, no_text.verdict] == [Verdict.WRONG, Verdict.WRONG]
    assert "there is no file" in missing.found
    assert "is empty" in no_text.found
    assert [broker.verdict, hook.verdict] == [Verdict.NOTE, Verdict.NOTE]
    assert "events wait" in broker.advice


def test_nobody_to_tell_is_no_finding() -> None:
    assert examined() == []
