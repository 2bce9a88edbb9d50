from __future__ import annotations

from edge_client.config import ReadingSettings
from edge_client.tracking.choice import CropChoice, Look
from edge_client.tracking.vote import EMPTY, Vote

GOOD = Vote("AB123", (0.95,) * 5, 2)
LOOK = Look(60.0, 15.0, 100.0)


def choice(pending: int = 1, pause_s: float = 0.5) -> CropChoice:
    return CropChoice(ReadingSettings(), pending, pause_s)


def test_a_new_plate_is_read_and_a_tiny_one_is_not() -> None:
    assert choice().worth(1, LOOK, 0.0, EMPTY)
    assert not choice().worth(1, Look(8.0, 15.0, 100.0), 0.0, EMPTY)
    assert not choice().worth(1, Look(60.0, 3.0, 100.0), 0.0, EMPTY)


def test_a_plate_that_the_frame_cuts_is_not_read() -> None:
    assert not choice().worth(1, Look(60.0, 15.0, 100.0, whole=False), 0.0, EMPTY)


def test_one_at_a_time() -> None:
    c = choice()
    c.sent(1, LOOK, 0.0)
    assert c.pending(1)
    assert not c.worth(1, Look(600.0, 150.0, 100.0), 9.0, EMPTY)
    c.answered(1, usable=True)
    assert not c.pending(1)
    assert c.worth(1, LOOK, 9.0, EMPTY)


def test_larger_and_sharper_crops_go_first_others_wait() -> None:
    c = choice()
    c.sent(1, LOOK, 0.0)
    c.answered(1, usable=True)
    assert not c.worth(1, LOOK, 0.1, EMPTY)
    assert c.worth(1, Look(80.0, 20.0, 100.0), 0.1, EMPTY)
    assert c.worth(1, Look(60.0, 15.0, 200.0), 0.1, EMPTY)
    assert c.worth(1, LOOK, 0.6, EMPTY)


def test_a_well_read_plate_is_left_alone_until_it_is_much_larger_or_jumps() -> None:
    c = choice()
    c.sent(1, LOOK, 0.0)
    c.answered(1, usable=True)
    assert not c.worth(1, Look(80.0, 20.0, 300.0), 9.0, GOOD)
    assert c.worth(1, Look(100.0, 25.0, 100.0), 9.0, GOOD)
    assert c.worth(1, Look(60.0, 15.0, 100.0, steady=False), 9.0, GOOD)


def test_a_failed_request_does_not_count_as_tried() -> None:
    c = choice()
    c.sent(1, LOOK, 0.0)
    c.answered(1, usable=False)
    assert c.worth(1, LOOK, 0.0, EMPTY)


def test_requests_per_track_are_bounded() -> None:
    c = choice()
    for n in range(ReadingSettings().max_requests):
        assert c.worth(1, LOOK, float(n), EMPTY)
        c.sent(1, LOOK, float(n))
        c.answered(1, usable=True)
    assert not c.worth(1, LOOK, 1000.0, EMPTY)
    c.forget(1)
    c.answered(1, usable=True)
    assert c.worth(1, LOOK, 1000.0, EMPTY)
