"""Revisions and the lock, on a real S3 server."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from cloud_apis.names import Api
from deploy.errors import ConflictError, CorruptError, MissingError
from deploy.registry.registry import Registry
from deploy.revisions.lock import Lock
from deploy.revisions.revision import Content, Revision, parse_revision
from deploy.revisions.store import Revisions

DIGEST = "0123456789abcdef" * 4


def revision(number: int, reason: str = "deploy") -> Revision:
    content = Content(
        {Api.YOLOV3: {"threads": 2, "models": {"yolov3": "yolov3:stable"}}},
        {"yolov3:stable": f"yolov3@sha256:{DIGEST}"},
        "c0de" * 16,
        "env:PLATES_KEY",
    )
    return Revision(number, datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), "ada@laptop", reason, content)


def test_a_revision_comes_back_as_it_was_written() -> None:
    assert parse_revision(revision(3).to_bytes(), "here") == revision(3)
    one = replace(revision(3), nonce="0123")
    assert parse_revision(one.to_bytes(), "here") == one and one.to_bytes() != revision(3).to_bytes()
    older = {key: value for key, value in json.loads(revision(3).to_bytes()).items() if key != "nonce"}
    assert parse_revision(json.dumps(older).encode(), "here") == revision(3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"form": 2}, "a newer cloud-deploy wrote it"),
        ({"apis": {"other": {}}}, "'other' is not a valid Api"),
        ({"apis": None}, "no revision that can be read"),
        ({"number": "x"}, "no revision that can be read"),
    ],
)
def test_what_is_no_revision_is_refused(change: dict[str, object], words: str) -> None:
    plain = {**json.loads(revision(1).to_bytes()), **change}
    with pytest.raises(CorruptError, match=words):
        parse_revision(json.dumps(plain).encode(), "s3://b/revisions/plates/000001.json")
    with pytest.raises(CorruptError, match=r"s3://b/revisions/plates/000001\.json"):
        parse_revision(b"{", "s3://b/revisions/plates/000001.json")


def test_revisions_are_numbered_and_never_change(registry: Registry) -> None:
    revisions = Revisions(registry.objects, "plates")
    with pytest.raises(MissingError, match="there is no revision 1; there are none"):
        revisions.read(1)
    for reason in ("first", "second", "third"):
        revisions.add(lambda number, reason=reason: revision(number, reason))  # type: ignore[misc]
    assert revisions.numbers() == [1, 2, 3]
    assert [r.reason for r in revisions.newest_first()] == ["third", "second", "first"]
    with pytest.raises(MissingError, match="there is no revision 9; there are 1 to 3"):
        revisions.read(9)
    assert Revisions(registry.objects, "others").numbers() == []


def test_two_operators_never_take_the_same_number(registry: Registry) -> None:
    revisions = Revisions(registry.objects, "plates")
    meet = threading.Barrier(2)
    added: list[int] = []
    refused: list[str] = []

    def operate(who: str) -> None:
        def make(number: int) -> Revision:
            meet.wait(20)  # both have read the same last number
            return revision(number, who)

        try:
            added.append(revisions.add(make).number)
        except ConflictError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=operate, args=(who,)) for who in ("ada", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert added == [1] and len(refused) == 1
    assert "revision 1 was just taken" in refused[0]
    assert revisions.numbers() == [1]


def test_a_withdrawn_revision_leaves_its_number(registry: Registry) -> None:
    revisions = Revisions(registry.objects, "plates")
    revisions.add(revision)
    revisions.withdraw(revisions.add(revision))
    assert revisions.numbers() == [1]
    assert revisions.add(revision).number == 2


def test_one_operator_at_a_time(registry: Registry) -> None:
    with Lock(registry.objects, "plates", "ada@laptop") as held:
        held.check()
        with pytest.raises(ConflictError, match="ada@laptop changes this deployment"):
            Lock(registry.objects, "plates", "bob@desk").__enter__()
        with Lock(registry.objects, "others", "bob@desk"):
            pass
    with Lock(registry.objects, "plates", "bob@desk") as held:
        held.check()


def test_two_commands_of_one_operator_write_different_locks(registry: Registry) -> None:
    written: list[bytes] = []
    for _ in range(2):
        with Lock(registry.objects, "plates", "ada@laptop"):
            found = registry.objects.read("locks/plates.json", 4096)
            assert found is not None
            written.append(found)
    assert written[0] != written[1]


def test_a_lock_whose_holder_is_gone_is_taken_over_and_he_notices(registry: Registry) -> None:
    gone = Lock(registry.objects, "plates", "ada@laptop")
    gone.__enter__()
    with Lock(registry.objects, "plates", "bob@desk", expiry_s=-5) as held:
        held.check()
        with pytest.raises(ConflictError, match="was lost"):
            gone.check()
        gone.__exit__(None, None, None)
        held.check()  # the loser's end frees nothing
