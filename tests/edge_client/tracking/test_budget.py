from __future__ import annotations

from edge_client.tracking.budget import TokenBucket


def test_tokens_come_steadily_and_do_not_pile_up() -> None:
    bucket = TokenBucket(2.0, 3)
    assert [bucket.take(0.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.4)
    assert bucket.take(0.5)
    assert not bucket.take(0.5)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]


def test_time_never_goes_back() -> None:
    bucket = TokenBucket(1.0, 1)
    assert bucket.take(10.0)
    assert not bucket.take(0.0)
    assert not bucket.take(10.5)
    assert bucket.take(11.0)


def test_what_was_taken_for_nothing_comes_back() -> None:
    bucket = TokenBucket(0.001, 1)
    assert bucket.take(0.0)
    bucket.give_back()
    bucket.give_back()
    assert [bucket.take(0.0), bucket.take(0.0)] == [True, False]
