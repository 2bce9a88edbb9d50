"""The table of the cloud's faults, without a cluster."""

from __future__ import annotations

import pytest
import requests

from tools.faults.cli import main
from tools.faults.cloud.storage import s3_that_refuses


def test_unknown_faults_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["cloud", "flood"])
    assert ended.value.code == 2
    assert "there is no flood; there are overload" in capsys.readouterr().err


def test_the_server_that_refuses() -> None:
    with s3_that_refuses(403, "AccessDenied") as url:
        answer = requests.get(f"{url}/bucket/key", timeout=30)
    assert answer.status_code == 403 and "<Code>AccessDenied</Code>" in answer.text
