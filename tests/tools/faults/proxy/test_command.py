"""The proxy as people use it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.edge_client.fake_apis import FakeApis, fake_apis
from tools.faults.cli import main


def test_the_command_serves_says_what_it_does_and_counts(tmp_path: Path) -> None:
    schedule = tmp_path / "schedule.yaml"
    schedule.write_text("faults: [{fault: status, code: 503, retry_after_s: 7}]", encoding="utf-8")
    with fake_apis(FakeApis()) as apis:
        command = [sys.executable, "-m", "tools.faults", "proxy", "--to", apis.url, "--listen", "0", str(schedule)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
                assert found is not None
                assert "status begins: answers 503 with Retry-After: 7" in process.stdout.readline()
                answer = requests.post(f"{found[0]}/yolov3", data=b"x", timeout=20)
                assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
                process.send_signal(signal.SIGINT)
                assert "1 requests; status 1" in process.stdout.read()
                assert process.wait(20) == 0
            finally:
                process.kill()


def test_wrong_usage_and_an_address_in_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schedule = tmp_path / "schedule.yaml"
    schedule.write_text("faults: []", encoding="utf-8")
    to = ["--to", "http://127.0.0.1:1"]
    assert main(["proxy", *to, str(tmp_path / "none.yaml")]) == 2
    assert main(["proxy", "--to", "nowhere", str(schedule)]) == 2
    with fake_apis() as busy:
        assert main(["proxy", *to, "--listen", busy.url.removeprefix("http://"), str(schedule)]) == 1
    told = capsys.readouterr().err
    assert "cannot read the settings" in told
    assert "nowhere is not a URL" in told
    assert "cannot listen on 127.0.0.1:" in told
    for arguments in (["proxy"], ["proxy", *to, "--listen", "x", str(schedule)]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["proxy", "--help"])
    told = capsys.readouterr().out
    for word in ("black_hole", "retry_after_s", "share", "repeat_s: 60"):
        assert word in told
