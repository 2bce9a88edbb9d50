"""A drive without threads and without waiting: the real coordinator, pool, tracker, reassembly and counters.

Time is a number that the inbox moves on to the next event, so that a schedule of completions, time-outs and failures
takes milliseconds, and everything that must hold is looked at between any two steps.
"""

from __future__ import annotations

import heapq
import itertools
import queue
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest
import simplejpeg

from cloud_apis.contract import PlateBox, Word
from cloud_apis.contract.vehicles import ReportedVehicle
from edge_client.ages import AgeHistogram
from edge_client.config import EdgeSettings
from edge_client.counters import Counters
from edge_client.errors import ApiError, ApiOverloadedError, ApiTimeoutError, ApiUnreachableError
from edge_client.pipeline import coordinator as coordinator_module
from edge_client.pipeline.asking import Asking
from edge_client.pipeline.coordinator import Coordinator, Parts
from edge_client.pipeline.events import (
    Captured,
    CaptureEnded,
    CarDescribed,
    Event,
    LookedAround,
    SentCar,
    SentCrop,
    SentLook,
    Stop,
)
from edge_client.pipeline.plate_reading import PlateReading
from edge_client.pipeline.room import Room
from edge_client.requests.adapting import Adaptation
from edge_client.requests.pool import Job, RequestPool
from edge_client.types import Frame, ShownFrame, UtcSource
from tests.edge_client.pipeline.simulated_parts import PICTURES, PLACES, Saver, Spool, text_of
from tests.edge_client.reports import described
from tests.edge_client.samples import START

RATE_HZ = 30.0
ROOM = 24
MOST_STEPS = 5000
SCREEN_PLACES = 6
QUAD = ((0.0, 0.0), (60.0, 0.0), (60.0, 20.0), (0.0, 20.0))
Kind = Literal["found", "nothing", "unreachable", "overloaded", "timeout"]
PLATED = described((0.0, 0.0, 160.0, 90.0), colour=("red", 0.9), make=None)
PLATELESS = described((0.0, 30.0, 85.0, 62.0), colour=("green", 0.9), make=None)
ERRORS: dict[Kind, type[ApiError]] = {
    "unreachable": ApiUnreachableError,
    "overloaded": ApiOverloadedError,
    "timeout": ApiTimeoutError,
}


@dataclass(frozen=True)
class Schedule:
    """What happens: `outcomes` and `displays_s` are gone through again and again."""

    frames: int
    full: bool
    max_in_flight: int
    deadline_s: float
    outcomes: tuple[tuple[float, Kind], ...]
    """Of requests in the order in which they begin: seconds, and what comes of it."""
    displays_s: tuple[float, ...]
    """How long the screen takes for a frame."""
    stop_at_step: int | None
    source_hangs: bool
    cars: bool = False
    """Whether cars are described, and looked around for."""
    lost: bool = False
    """Whether the APIs count as gone."""

    @property
    def patience_s(self) -> float:
        """How long a frame may be on its way."""
        probing = self.lost and not self.full
        return min(self.deadline_s, coordinator_module._PROBE_S) if probing else self.deadline_s


@dataclass
class World:
    """The clock and all that happens at some time; it is the coordinator's inbox, too."""

    schedule: Schedule
    now_s: float = 1000.0
    steps: int = 0
    check: Callable[[], None] = lambda: None
    events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    arrived: deque[Event] = field(default_factory=deque)
    order: itertools.count[int] = field(default_factory=itertools.count)

    def clock(self) -> float:
        return self.now_s

    def at(self, delay_s: float, work: Callable[[], None]) -> None:
        heapq.heappush(self.events, (self.now_s + delay_s, next(self.order), work))

    def put(self, event: Event) -> None:
        self.arrived.append(event)

    def get(self, timeout: float) -> Event:
        self._step()
        until_s = self.now_s + timeout
        while not self.arrived:
            if not self.events or self.events[0][0] > until_s:
                self.now_s = until_s
                raise queue.Empty
            self.now_s, _, work = heapq.heappop(self.events)
            work()
        return self.arrived.popleft()

    def get_nowait(self) -> Event:
        self._step()
        if not self.arrived:
            raise queue.Empty
        return self.arrived.popleft()

    def _step(self) -> None:
        self.check()
        if self.steps == self.schedule.stop_at_step:
            self.arrived.append(Stop())
        self.steps += 1
        assert self.steps < MOST_STEPS, "the drive does not end"


class SteppedPool(RequestPool):
    """The pool without its threads: a job that may run begins at once, and is done when its time has come."""

    def __init__(self, world: World, max_in_flight: int) -> None:
        super().__init__(0)
        self.max_in_flight = max_in_flight
        self._world = world
        self.outcomes = itertools.cycle(world.schedule.outcomes)
        self.adaptation: Adaptation | None = None
        self.at_work: set[Job] = set()
        self.outcome: Kind = "nothing"
        self.set_limit(max_in_flight)

    def submit(self, job: Job, urgency: float) -> None:
        super().submit(job, urgency)
        self.run_what_may()

    def set_limit(self, limit: int) -> None:
        super().set_limit(limit)
        self._world.at(0.0, self.run_what_may)  # as its threads do: whoever sets the limit may hold a lock

    def run_what_may(self) -> None:
        while (job := self.take()) is not None:
            self.at_work.add(job)
            assert len(self.at_work) == self.in_flight <= self.max_in_flight
            seconds, kind = next(self.outcomes)
            flight = self.adaptation.begin() if self.adaptation is not None else None
            self._world.at(seconds, lambda job=job, kind=kind, flight=flight: self._end(job, kind, flight))  # type: ignore[misc]

    def _end(self, job: Job, kind: Kind, flight: Any) -> None:
        self.outcome = kind
        self.at_work.remove(job)
        self.done()
        job.work()
        if self.adaptation is not None:
            self.adaptation.end(flight, 20_000, answered=kind not in ERRORS, frame=True)
        self.run_what_may()


class Apis:
    """Answers as the pool's outcome of the moment says; `blank` are the plates on which nothing was found."""

    def __init__(self, pool: SteppedPool) -> None:
        self._pool = pool
        self.blank: set[str] = set()

    def detect(self, jpeg: bytes) -> tuple[PlateBox, ...]:
        self._fail()
        if self._pool.outcome == "nothing":
            return ()
        grey = simplejpeg.decode_jpeg(jpeg, "GRAY")[:, :, 0]
        assert grey.shape == (90, 160)
        top, left, bottom, right = max(PLACES, key=lambda p: float(grey[p[0] : p[2], p[1] : p[3]].mean()))
        return (PlateBox(left, top, right, bottom, 0.97, (0.99,)),)

    def read(self, crops: Sequence[bytes]) -> tuple[tuple[Word, ...], ...]:
        self._fail()
        if self._pool.outcome == "nothing":
            self.blank.update(map(text_of, crops))
            return ((),) * len(crops)
        return tuple((Word(text, QUAD, (0.97,) * len(text)),) for text in map(text_of, crops))

    def describe(self, _jpeg: bytes) -> tuple[ReportedVehicle, ...]:
        """A car that has whatever plate is there, and another one where no plate ever is."""
        self._fail()
        return () if self._pool.outcome == "nothing" else (PLATED, PLATELESS)

    def _fail(self) -> None:
        if (error := ERRORS.get(self._pool.outcome)) is not None:
            raise error("as the schedule says")


class Screen:
    """Takes its time for each frame; wants them in order, and each within its deadline."""

    def __init__(self, world: World, room: Room) -> None:
        self._world = world
        self._room = room
        self._patience_s = world.schedule.patience_s
        self._delays_s = itertools.cycle(world.schedule.displays_s)
        self._waiting = 0
        self._free_s = world.now_s
        self.numbers: list[int] = []

    def has_room(self) -> bool:
        return self._world.schedule.full or self._waiting < SCREEN_PLACES

    def put(self, shown: ShownFrame) -> None:
        assert not self.numbers or shown.frame.number > self.numbers[-1], "frames out of order"
        waited_s = self._world.now_s - shown.frame.captured_monotonic_s
        assert waited_s <= self._patience_s + 1e-6, f"frame {shown.frame.number} waited {waited_s} s"
        self.numbers.append(shown.frame.number)
        self._waiting += 1
        self._free_s = max(self._free_s, self._world.now_s) + next(self._delays_s)
        self._world.at(self._free_s - self._world.now_s, self._delivered)

    def _delivered(self) -> None:
        self._waiting -= 1
        self._room.leave()


@dataclass(frozen=True)
class Ended:
    """What came of a schedule."""

    captured: int
    shown: int
    annotated: int
    stopped: bool
    read: frozenset[str]
    left: frozenset[str]
    colours: tuple[str, ...]
    """Of the cars that were stored without a plate."""


def simulate(schedule: Schedule, patch: pytest.MonkeyPatch) -> Ended:
    """Plays a schedule to its end; AssertionError as soon as something does not hold that must."""
    drive = _Drive(schedule)
    # A namespace in place of the module `time`: its clock is the world's.
    patch.setattr(coordinator_module, "time", SimpleNamespace(monotonic=drive.world.clock))
    patch.setattr(AgeHistogram, "quantile", lambda _self, _q: 0.0)  # its sorting takes longer than all the rest
    return drive.run()


@lru_cache
def settings_with(max_in_flight: int) -> EdgeSettings:
    return EdgeSettings.model_validate(
        {
            "pool": {"max_in_flight": max_in_flight},
            "reading": {"requests_per_s": 30.0},
            "vehicles": {"wait_s": 0.0, "look_around_s": 0.3},
        }
    )


class _Drive:
    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.world = World(schedule, check=self.check)
        self.settings = settings_with(schedule.max_in_flight)
        self.counters = Counters(("yolov3", "crnn"))
        self.pool = SteppedPool(self.world, schedule.max_in_flight)
        adaptation = Adaptation(self.settings, active=not schedule.full, clock=self.world.clock)
        adaptation.drive(self.pool)
        self.pool.adaptation = adaptation
        self.apis = Apis(self.pool)
        self.room = Room(ROOM)
        self.screen = Screen(self.world, self.room)
        self.spool, self.saver = Spool(schedule.lost), Saver()
        self.asked: list[SentCrop] = []
        self.asking = _Noting(self.asked, self.pool, self.apis, adaptation, self.settings, self.world.put)
        self.captured = 0
        self.capture_over = False
        parts = Parts(
            pool=self.pool,
            adaptation=adaptation,
            asking=self.asking,
            reading=PlateReading("drive", self.settings, cars=schedule.cars),
            saver=cast("Any", self.saver),
            spool=cast("Any", self.spool),
            screen=cast("Any", self.screen),
            counters=self.counters,
            room=self.room,
        )
        self.coordinator = Coordinator(
            self.settings,
            parts,
            cast("Any", self.world),
            full=schedule.full,
            frame_rate_hz=RATE_HZ,
            deadline_s=schedule.deadline_s,
            on_tick=lambda: False,
            on_stop=self._stop,
        )

    def run(self) -> Ended:
        self.world.at(0.0, self._capture)
        error = self.coordinator.run()
        assert error is None
        self.check()
        summary = self.counters.summary()
        assert summary.in_flight == 0, "frames were left in flight"
        assert summary.captured == len(self.screen.numbers) + sum(summary.dropped.values())
        read = frozenset(read.text for read in self.saver.reads.values() if read.text)
        left = frozenset(text_of(crop.jpeg) for crop in self.spool.left)
        sent = {text_of(crop.jpeg) for crop in self.asked}
        assert sent <= read | left | self.apis.blank, f"lost: {sent - read - left - self.apis.blank}"
        return Ended(
            summary.captured,
            len(self.screen.numbers),
            summary.shown["annotated"],
            self.coordinator.stopped_at_s is not None,
            read,
            left,
            tuple(r.vehicle.colour for r in self.saver.reads.values() if r.vehicle is not None and not r.text),
        )

    def check(self) -> None:
        """What holds between any two steps."""
        s = self.counters.summary()
        assert s.captured == sum(s.shown.values()) + sum(s.dropped.values()) + s.in_flight
        assert s.captured - len(self.screen.numbers) - sum(s.dropped.values()) == s.in_flight
        assert s.out_of_order == 0
        assert self.pool.in_flight == len(self.pool.at_work) <= self.schedule.max_in_flight
        # A frame that is still here has not waited beyond its deadline.
        assert all(f.captured_monotonic_s + self.schedule.patience_s >= self.world.now_s - 1e-6 for f in self._here())

    def _here(self) -> list[Frame]:
        waiting = (self.coordinator._detections, self.coordinator._releases)
        return [ticket.frame for part in waiting if (ticket := part.oldest()) is not None]

    def _capture(self) -> None:
        number = self.captured
        if self.capture_over or number >= self.schedule.frames:
            if not self.capture_over:
                self.world.put(CaptureEnded())
            self.capture_over = True
            return
        if self.room._free > 0:
            assert self.room.enter()
            assert self.counters.captured() == number
            self.captured += 1
            media_s = number / RATE_HZ
            image = PICTURES[number * len(PICTURES) // self.schedule.frames]
            utc = START + timedelta(seconds=media_s)
            frame = Frame(number, image, self.world.now_s, utc, None, None, UtcSource.SYSTEM)
            self.world.put(Captured(frame, media_s))
        self.world.at(0.0 if self.schedule.full and self.room._free > 0 else 1 / RATE_HZ, self._capture)

    def _stop(self) -> None:
        self.asking.stopped = True
        self.room.close()
        if not self.schedule.source_hangs and not self.capture_over:
            self.world.put(CaptureEnded())
        self.capture_over = True


class _Noting(Asking):
    """Notes which crops were sent; reports are asked for one at a time, and none once the end is wanted."""

    def __init__(
        self,
        asked: list[SentCrop],
        pool: RequestPool,
        apis: Apis,
        adaptation: Adaptation,
        settings: EdgeSettings,
        deliver: Callable[[Event], None],
    ) -> None:
        def answered(event: Event) -> None:
            self._reports -= isinstance(event, CarDescribed | LookedAround)
            deliver(event)

        super().__init__(pool, cast("Any", apis), adaptation, settings.detection, answered)
        self._asked = asked
        self._reports = 0
        self.stopped = False

    def read(self, ticket: Any, crops: Sequence[SentCrop]) -> None:
        self._asked += crops
        super().read(ticket, crops)

    def describe(self, car: SentCar) -> None:
        self._one_more()
        super().describe(car)

    def look_around(self, look: SentLook) -> None:
        self._one_more()
        super().look_around(look)

    def _one_more(self) -> None:
        assert not self.stopped
        self._reports += 1
        assert self._reports == 1, "two reports at once"
