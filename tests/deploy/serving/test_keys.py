"""The key is known to the cluster by its hash only."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.serving.keys import hashed, key_check, resolve_key

KEY = "correct-horse-battery"
PLACE = "s3://bucket/plates"


def test_the_right_key_is_accepted_and_no_other() -> None:
    known = hashed(KEY, PLACE)
    accepts = key_check(known, PLACE)
    assert accepts(KEY)
    assert not any(accepts(other) for other in ("", KEY[:-1], KEY + " ", KEY.upper(), known, "ключ"))
    assert KEY not in known
    assert known == hashed(KEY, PLACE) != hashed(KEY, "s3://other/plates")


def test_a_replica_may_have_the_key_in_its_environment() -> None:
    accepts = key_check("env:PLATE_KEY", PLACE, {"PLATE_KEY": KEY})
    assert accepts(KEY) and not accepts("PLATE_KEY")
    with pytest.raises(SettingsError, match="PLATE_KEY is not set"):
        key_check("env:PLATE_KEY", PLACE, {})


def test_references_are_resolved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text(f"{KEY}\nsecond line\n")
    assert resolve_key(f"file:{file}", {}) == KEY
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_key("file:~/key", {}) == KEY
    assert resolve_key("env:K", {"K": f" {KEY}\n"}) == KEY


@pytest.mark.parametrize("text", ["", "short", "fifteen-letters", "schlüssel-schlüssel", "tab\tin-the-long-key"])
def test_what_is_no_good_key_is_refused_without_telling_it(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        resolve_key("env:K", {"K": text})
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("reference", ["file:/nowhere/at/all", "env:NOT_SET", "vault:secret/key", KEY])
def test_references_that_lead_nowhere_are_refused(reference: str) -> None:
    with pytest.raises(SettingsError, match="api_key"):
        resolve_key(reference, {})
