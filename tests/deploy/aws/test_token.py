"""The cluster's token where it can be made, and where not."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from deploy.aws.requirements import make_token
from deploy.errors import ClusterError


def test_a_token_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token"
    assert make_token(file)
    made = file.read_text()
    assert len(made) == 64 and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not make_token(file) and file.read_text() == made


def test_where_none_can_be_made_the_setting_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file" / "token", tmp_path / "file" / "deep" / "token", tmp_path, Path("/proc/token")):
        with pytest.raises(ClusterError, match=r"target\.token_file"):
            make_token(place)
