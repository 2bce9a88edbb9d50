from __future__ import annotations

import random

import pytest

from edge_client.positions.delay import DelayFilter
from edge_client.positions.lines import Lines


def test_jitter_is_taken_out_and_nothing_comes_later_than_it_came() -> None:
    random_, delay = random.Random(1), DelayFilter()
    arrived = [1000.0 + second + 0.05 + random_.random() * 0.4 for second in range(100)]
    steady = [delay.steady_s(float(second), at) for second, at in enumerate(arrived)]
    assert all(found <= at for found, at in zip(steady, arrived, strict=True))
    errors = [found - (1000.05 + second) for second, found in enumerate(steady)]
    assert max(errors[30:]) < 0.05
    assert min(errors) >= 0


def test_a_senders_clock_that_was_set_begins_anew() -> None:
    delay = DelayFilter()
    delay.steady_s(10.0, 1010.0)
    assert delay.steady_s(5011.0, 1011.0) == pytest.approx(1011.0)
    assert delay.steady_s(12.0, 1012.2) == pytest.approx(1012.2)


def test_lines_are_cut_with_the_time_of_their_first_byte() -> None:
    lines = Lines(longest=10)
    assert list(lines.add(b"ab", 1.0)) == []
    assert list(lines.add(b"c\r\nde\nf", 2.0)) == [("abc\r", 1.0), ("de", 2.0)]
    assert list(lines.add(b"g\n", 3.0)) == [("fg", 2.0)]
    assert list(lines.add(b"\xff\n", 4.0)) == [("\ufffd", 4.0)]


def test_a_line_that_never_ends_is_cut() -> None:
    lines = Lines(longest=10)
    assert list(lines.add(b"x" * 11, 1.0)) == [("x" * 11, 1.0)]
    assert list(lines.add(b"y\n", 2.0)) == [("y", 2.0)]
