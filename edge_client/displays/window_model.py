"""What the in-car view says, in words: made from the status, the frames and the reads as they come."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Literal

from edge_client.displays.window_colours import DAY, NIGHT, Palette, is_night, sun_elevation_deg
from edge_client.overlay import SURE_FROM, percent_text
from edge_client.states import PartState, states, warnings
from edge_client.store.secrecy import short_hash
from edge_client.types import Fix, GpsState, LiveStatus, ShownFrame, SourceState, TrackRead

_READS = 12
_FIRST_TRUE_YEAR = 2024
_SLOWEST_COURSE_MPS = 1.5
_NO_PICTURE_S = 3.0
_ALERT_S = 20.0
_NOTICE_S = 4.0
_BRIGHTNESS_PART = 0.05
_UNITS = {"km/h": 3.6, "mph": 2.2369363}
_POINTS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


@dataclass(frozen=True, slots=True)
class CarRead:
    """A read in the list: ``sure`` is false where it is doubtful; ``name`` is the owner's for a listed plate.

    ``vehicle`` tells in a few words what the car looks like, as far as known.
    """

    uid: str
    text: str
    percent: str
    sure: bool
    age: str
    name: str = ""
    vehicle: str = ""
    vehicle_short: str = ""


@dataclass(frozen=True, slots=True)
class CarStatus:
    """Everything that the in-car view shows but the pixels; texts are empty where nothing is known."""

    clock: str
    clock_sure: bool
    parts: tuple[PartState, ...]
    speed: str
    speed_unit: str
    course_deg: float | None
    place: tuple[str, ...]
    place_fresh: bool
    reads: tuple[CarRead, ...]
    alert: str = ""
    warnings: tuple[str, ...] = ()
    veil: tuple[str, ...] = ()
    notice: str = ""
    picture_size: tuple[int, int] | None = None


class CarModel:
    """Gathers what the view shows; all calls under the caller's lock. Times are monotonic seconds."""

    def __init__(
        self,
        *,
        colours: Literal["auto", "day", "night"] = "auto",
        speed_unit: Literal["km/h", "mph"] = "km/h",
        zone: tzinfo | None = None,
    ) -> None:
        """`zone` is that of the clock, None for the machine's."""
        self._colours = colours
        self._unit = speed_unit
        self._zone = zone
        self._night = colours == "night"
        self._brightness: float | None = None
        self._status: LiveStatus | None = None
        self._reads: OrderedDict[str, TrackRead] = OrderedDict()
        self._shown: ShownFrame | None = None
        self._shown_s = 0.0
        self._notice = ("", -math.inf)
        self._alert: tuple[str, str, float] = ("", "", -math.inf)  # uid, text, since

    @property
    def palette(self) -> Palette:
        """The colours of now."""
        return NIGHT if self._night else DAY

    def set_status(self, status: LiveStatus, now_s: float) -> None:
        """The state of the drive."""
        self._status = status
        if status.alerts and (newest := status.alerts[-1]).uid != self._alert[0]:
            words = "  ".join(part for part in (newest.text, newest.name, newest.note) if part)
            self._alert = (newest.uid, words, now_s)
        self._tell_night(now_s)

    def add_frame(self, shown: ShownFrame, now_s: float) -> None:
        """A new picture."""
        self._shown, self._shown_s = shown, now_s
        image = shown.frame.image
        step = max(1, image.shape[0] // 24)
        mean = float(image[::step, ::step].mean())
        before = self._brightness
        self._brightness = mean if before is None else before + _BRIGHTNESS_PART * (mean - before)

    def add_read(self, read: TrackRead) -> None:
        """A new read or a better vote; what it supersedes goes. Cars without a plate are for the list alone."""
        for uid in (*read.supersedes, read.uid):
            self._reads.pop(uid, None)
        if not read.text:
            return
        self._reads[read.uid] = read
        while len(self._reads) > _READS:
            self._reads.popitem(last=False)

    def remove_read(self, uid: str) -> None:
        """A read that is not to be shown after all."""
        self._reads.pop(uid, None)

    def crop(self, uid: str) -> bytes:
        """The picture of a read's plate, JPEG; empty without one."""
        read = self._reads.get(uid)
        return b"" if read is None else read.crop_jpeg

    def notify(self, text: str, now_s: float) -> None:
        """Shows a text for some seconds."""
        self._notice = (text, now_s)

    def view(self, now_s: float, system_utc: datetime) -> CarStatus:
        """What is to be seen now; ``system_utc`` is the system's clock, for want of a frame's."""
        status, shown = self._status, self._shown
        fix, fix_age_s = self._fix(now_s)
        moment = self._moment(now_s) or system_utc
        local = moment.astimezone(self._zone)
        parts = () if status is None else states(status)
        veil = self._veil(now_s)
        told = tuple(text for text in warnings(parts) if not (veil and text.startswith("camera:")))
        moving = fix is not None and (fix.speed_mps or 0.0) >= _SLOWEST_COURSE_MPS
        return CarStatus(
            clock=f"{local:%H:%M}" if moment.year >= _FIRST_TRUE_YEAR else "--:--",
            clock_sure=moment.year >= _FIRST_TRUE_YEAR,
            parts=parts,
            speed="" if fix is None or fix.speed_mps is None else f"{fix.speed_mps * _UNITS[self._unit]:.0f}",
            speed_unit=self._unit,
            course_deg=fix.course_deg if fix is not None and moving else None,
            place=() if fix is None else place_lines(fix.latitude_deg, fix.longitude_deg),
            place_fresh=fix is not None and (fix_age_s or 0.0) < 5.0,
            reads=tuple(self._car_read(read, moment) for read in reversed(self._reads.values())),
            alert=self._alert[1] if now_s - self._alert[2] < _ALERT_S else "",
            warnings=told,
            veil=veil,
            notice=self._notice[0] if now_s - self._notice[1] < _NOTICE_S else "",
            picture_size=None if shown is None else (shown.frame.image.shape[1], shown.frame.image.shape[0]),
        )

    def _behind_s(self, now_s: float) -> float:
        """How long ago the last picture came; 0 where the source has ended: then its end is what is shown."""
        ended = self._status is not None and self._status.camera.state is SourceState.ENDED
        return 0.0 if ended else max(now_s - self._shown_s, 0.0)

    def _moment(self, now_s: float) -> datetime | None:
        """The time by the frames' clock, which goes on while none come; None before the first one."""
        if self._shown is None:
            return None
        return self._shown.frame.captured_utc + timedelta(seconds=self._behind_s(now_s))

    def _fix(self, now_s: float) -> tuple[Fix | None, float | None]:
        """The frame's fix while frames come, else the receiver's."""
        shown, status = self._shown, self._status
        if shown is not None and shown.frame.fix is not None and self._behind_s(now_s) <= _NO_PICTURE_S:
            return shown.frame.fix, shown.frame.fix_age_s
        if status is not None and status.gps.state in (GpsState.FIX, GpsState.REPLAY):
            return status.gps.fix, status.gps.fix_age_s
        return None, None

    def _veil(self, now_s: float) -> tuple[str, ...]:
        """What stands over the picture when it is not the present one."""
        status = self._status
        if status is not None and status.camera.state not in (SourceState.RUNNING, SourceState.ENDED):
            part = states(status)[0]
            return (f"{part.part}: {part.word}", part.detail) if part.detail else (f"{part.part}: {part.word}",)
        if self._shown is None:
            return ("waiting for the first picture",)
        if now_s - self._shown_s > _NO_PICTURE_S and (status is None or status.camera.state is SourceState.RUNNING):
            return (f"no picture for {now_s - self._shown_s:.0f} s",)
        return ()

    def _tell_night(self, now_s: float) -> None:
        if self._colours != "auto":
            return
        elevation_deg = None
        fix, _ = self._fix(now_s)
        moment = self._moment(now_s)
        if fix is not None and moment is not None and moment.year >= _FIRST_TRUE_YEAR:
            elevation_deg = sun_elevation_deg(moment, fix.latitude_deg, fix.longitude_deg)
        self._night = is_night(self._night, elevation_deg, self._brightness)

    def _car_read(self, read: TrackRead, now: datetime) -> CarRead:
        names = {alert.uid: alert.name for alert in (self._status.alerts if self._status is not None else ())}
        age_s = (now - read.last_seen).total_seconds()
        return CarRead(
            read.uid,
            short_hash(read.text) if read.hashed else read.text,
            percent_text(read.confidence),
            read.confidence >= SURE_FROM,
            age_text(age_s),
            names.get(read.uid, ""),
            read.vehicle.title if read.vehicle is not None else "",
            read.vehicle.short_title if read.vehicle is not None else "",
        )


def age_text(age_s: float) -> str:
    """How long ago, in the fewest words: `now`, `40 s`, `3 min`, `2 h`."""
    if age_s < 3:
        return "now"
    if age_s < 60:
        return f"{age_s:.0f} s"
    return f"{age_s / 60:.0f} min" if age_s < 3600 else f"{age_s / 3600:.0f} h"


def place_lines(latitude_deg: float, longitude_deg: float) -> tuple[str, str]:
    """WGS 84 degrees in two lines: `45.7537° N`, `21.2257° E`; the fourth digit is 11 m."""
    north, east = "N" if latitude_deg >= 0 else "S", "E" if longitude_deg >= 0 else "W"
    return f"{abs(latitude_deg):.4f}° {north}", f"{abs(longitude_deg):.4f}° {east}"


def point_of_compass(course_deg: float) -> str:
    """The nearest of the eight points: `NE`."""
    return _POINTS[round(course_deg / 45) % 8]
