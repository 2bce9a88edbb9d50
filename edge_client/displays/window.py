"""The in-car view, or the annotated stream alone, in a window of its own by SDL (pygame-ce).

It needs neither mouse nor keyboard. Keys: F or F11 switch full screen on and off, V the view, L locks the recorded
segment, Esc leaves full screen or closes, Q closes; so does the window's cross. A touch on the full screen locks the
recorded segment. All of SDL runs on one thread of its own, which sleeps until there is an event or a new picture: a
screen that is slow or a window being dragged never holds up the drive.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # its greeting would land on stdout

import pygame

from edge_client.config import WindowSettings
from edge_client.displays.fit import fit
from edge_client.displays.window_layout import layout
from edge_client.displays.window_model import CarModel
from edge_client.displays.window_paint import Painter
from edge_client.displays.window_screen import BARE, drivers_for
from edge_client.displays.window_shapes import Picture, Shape
from edge_client.errors import DisplayError
from edge_client.types import Image, LiveStatus, ShownFrame, TrackRead

_TITLE = "Dashcam"
_LARGEST = (1280, 720)
_START_TIMEOUT_S = 15.0
_CLOCK_MS = 1000
_TOUCH_PAUSE_S = 1.0


def _explain(error: pygame.error, driver: str) -> str:
    """What to do about a screen that cannot be had."""
    if driver == BARE:
        return (
            f"cannot open a window without a desktop: {error}; a screen must be connected, the packages libgbm1 and "
            "libdrm2 installed, and the user in the groups video and render; or go without it: --no-window"
        )
    return f"cannot open a window: {error}; set DISPLAY, or go without it: --no-window"


class Window:
    """A window that always shows the newest picture, with what there is to know beside it."""

    name = "the window"
    every_frame = False

    def __init__(
        self,
        settings: WindowSettings | None = None,
        *,
        full_screen: bool = False,
        on_lock: Callable[[], str] | None = None,
        hide_crops: bool = False,
    ) -> None:
        """Opens the window.

        Args:
            settings: view, colours and units; the defaults without.
            full_screen: as the setting of that name; either is enough.
            on_lock: locks the recorded segment and says in a few words what came of it; must not block.
            hide_crops: leave out the pictures of plates, whose place in the frames is blurred.

        Raises:
            DisplayError: there is no screen, or it refuses.
        """
        settings = settings or WindowSettings()
        self._full_screen = full_screen or settings.full_screen
        self._car = settings.view == "car"
        self._on_lock = on_lock if settings.touch_locks else None
        self._hide_crops = hide_crops
        self._lock = threading.Lock()
        self._model = CarModel(colours=settings.colours, speed_unit=settings.speed_unit)
        self._newest: tuple[ShownFrame, Image] | None = None
        self._pending = False
        self._fresh = False
        self._ending = False
        self._closed_by_user = threading.Event()
        self._started = threading.Event()
        self._failure: str | None = None
        self._shown = 0
        self._touched_s = 0.0
        self._painted: tuple[Shape, ...] = ()
        self._wake = pygame.event.custom_type()
        self._thread = threading.Thread(target=self._work, name="window", daemon=True)
        self._thread.start()
        self._started.wait(_START_TIMEOUT_S)
        if self._failure is not None:
            raise DisplayError(self._failure)

    @property
    def pictures_shown(self) -> int:
        """How many pictures reached the screen; a slow screen skips some."""
        with self._lock:
            return self._shown

    @property
    def full_screen(self) -> bool:
        """Whether the window covers the whole screen now."""
        return self._full_screen

    def show(self, shown: ShownFrame, annotated: Image) -> None:
        """Makes this the newest picture; never waits for the screen."""
        with self._lock:
            self._newest = shown, annotated
            self._model.add_frame(shown, time.monotonic())
            self._fresh = True
        self._repaint()

    def set_status(self, status: LiveStatus) -> None:
        """Takes the state of the drive; goes on while no pictures come."""
        with self._lock:
            self._model.set_status(status, time.monotonic())
        self._repaint()

    def add_read(self, read: TrackRead) -> None:
        """Takes a read, or a better vote on one."""
        with self._lock:
            self._model.add_read(read)

    def remove_read(self, uid: str) -> None:
        """A read that is not to be shown after all."""
        with self._lock:
            self._model.remove_read(uid)

    def closed_by_user(self) -> bool:
        """Whether the user closed the window or pressed Q."""
        return self._closed_by_user.is_set()

    def close(self) -> None:
        """Closes the window. Calling it again does nothing."""
        with self._lock:
            self._ending = True
        self._post()
        self._thread.join(_START_TIMEOUT_S)

    def _repaint(self) -> None:
        with self._lock:
            wake = not self._pending and not self._ending
            self._pending = True
        if wake:
            self._post()

    def _post(self) -> None:
        try:
            pygame.event.post(pygame.event.Event(self._wake))
        except pygame.error:  # SDL has ended, or its queue is full: the next picture tries again
            with self._lock:
                self._pending = False

    def _work(self) -> None:
        try:
            driver = os.environ.setdefault("SDL_VIDEODRIVER", drivers_for(os.environ))
            # A screen without a desktop has no windows.
            self._full_screen = self._full_screen or driver == BARE
            # Only the video part: sound and joysticks are none of our business.
            pygame.display.init()
            pygame.display.set_caption(_TITLE)
            pygame.display.set_allow_screensaver(False)
            self._set_mode(_LARGEST)
            painter = Painter(self._crop_of)
        except pygame.error as e:
            self._failure = _explain(e, driver)
            pygame.display.quit()
            return
        finally:
            self._started.set()
        try:
            # The clock goes on and a lost picture is said to be lost, whether anybody calls or not.
            while self._handle(pygame.event.wait(_CLOCK_MS), painter):
                pass
        finally:
            with self._lock:
                self._ending = True
            pygame.display.quit()

    def _handle(self, event: pygame.event.Event, painter: Painter) -> bool:
        """Deals with one event; false when the window is to close."""
        with self._lock:
            if self._ending:
                return False
        if event.type == pygame.QUIT:
            self._closed_by_user.set()
            return False
        if event.type == pygame.KEYDOWN:
            return self._handle_key(event.key, painter)
        if event.type == pygame.MOUSEBUTTONDOWN and (self._full_screen or getattr(event, "touch", False)):
            self._lock_segment()
        if event.type in (pygame.VIDEORESIZE, pygame.VIDEOEXPOSE, pygame.MOUSEBUTTONDOWN):
            self._painted = ()
            self._paint(painter)
        elif event.type in (self._wake, pygame.NOEVENT):
            self._paint(painter)
        return True

    def _handle_key(self, key: int, painter: Painter) -> bool:
        if key in (pygame.K_f, pygame.K_F11) or (key == pygame.K_ESCAPE and self._full_screen):
            self._full_screen = not self._full_screen
            self._set_mode(_LARGEST)
        elif key in (pygame.K_q, pygame.K_ESCAPE):
            self._closed_by_user.set()
            return False
        elif key == pygame.K_v:
            self._car = not self._car
        elif key == pygame.K_l:
            self._lock_segment()
        else:
            return True
        self._painted = ()
        self._paint(painter)
        return True

    def _lock_segment(self) -> None:
        now_s = time.monotonic()
        if self._on_lock is None or now_s - self._touched_s < _TOUCH_PAUSE_S:
            return
        self._touched_s = now_s
        answer = self._on_lock()
        with self._lock:
            self._model.notify(answer, now_s)

    def _set_mode(self, size: tuple[int, int]) -> None:
        if self._full_screen:
            pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
            pygame.mouse.set_visible(False)
            return
        desktop = pygame.display.get_desktop_sizes()[0]
        pygame.display.set_mode((min(size[0], desktop[0]), min(size[1], desktop[1])), pygame.RESIZABLE)
        pygame.mouse.set_visible(True)

    def _paint(self, painter: Painter) -> None:
        screen = pygame.display.get_surface()
        with self._lock:
            newest, fresh = self._newest, self._fresh
            self._pending = self._fresh = False
            view = self._model.view(time.monotonic(), datetime.now(UTC)) if self._car else None
            palette = self._model.palette
        if screen is None:
            return
        if view is not None:
            self._paint_car(painter, screen, layout(screen.get_size(), view, palette), newest, fresh=fresh)
        elif newest is not None:
            width, height = screen.get_size()
            picture = np.ascontiguousarray(fit(newest[1], width, height))
            screen.blit(pygame.image.frombuffer(picture.data, (width, height), "BGR"), (0, 0))
            pygame.display.flip()
        if fresh:
            with self._lock:
                self._shown += 1

    def _paint_car(
        self,
        painter: Painter,
        screen: pygame.Surface,
        shapes: tuple[Shape, ...],
        newest: tuple[ShownFrame, Image] | None,
        *,
        fresh: bool,
    ) -> None:
        shown = None if newest is None else newest[0]
        if shapes != self._painted:
            painter.paint(screen, shapes, shown)
            pygame.display.flip()
            self._painted = shapes
        elif fresh:  # only the picture and what stands over it, which come last
            first = next(i for i, shape in enumerate(shapes) if isinstance(shape, Picture))
            painter.paint(screen, shapes[first:], shown)
            pygame.display.update(shapes[first].rect)

    def _crop_of(self, uid: str) -> bytes:
        if self._hide_crops:
            return b""
        with self._lock:
            return self._model.crop(uid)
