"""The annotated stream in a window of its own, by SDL (pygame-ce).

Keys: F or F11 switch full screen on and off, Esc leaves full screen or closes, Q closes; so does the
window's cross. All of SDL runs on one thread of its own, which sleeps until there is an event or a new
picture: a screen that is slow or a window being dragged never holds up the drive.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping

import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # its greeting would land on stdout

import pygame

from edge_client.displays.fit import fit
from edge_client.errors import DisplayError
from edge_client.types import Image, ShownFrame

_TITLE = "Dashcam"
_LARGEST = (1280, 720)
_START_TIMEOUT_S = 15.0


def has_screen(environment: Mapping[str, str]) -> bool:
    """Whether there is a display server to show a window on."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _drivers(environment: Mapping[str, str]) -> str:
    """The ways to a screen that can work here, so that SDL does not fall back to one that nobody sees."""
    servers = [("x11", "DISPLAY"), ("wayland", "WAYLAND_DISPLAY")]
    return ",".join(driver for driver, variable in servers if environment.get(variable)) or "kmsdrm"


class Window:
    """A resizable window that always shows the newest picture, fitted with its aspect kept."""

    name = "the window"
    every_frame = False

    def __init__(self, *, full_screen: bool = False) -> None:
        """Opens the window.

        Raises:
            DisplayError: there is no display server, or it refuses.
        """
        self._full_screen = full_screen
        self._lock = threading.Lock()
        self._newest: Image | None = None
        self._pending = False
        self._ending = False
        self._closed_by_user = threading.Event()
        self._started = threading.Event()
        self._failure: str | None = None
        self._shown = 0
        self._wake = pygame.event.custom_type()
        self._thread = threading.Thread(target=self._work, name="window", daemon=True)
        self._thread.start()
        self._started.wait(_START_TIMEOUT_S)
        if self._failure is not None:
            raise DisplayError(f"cannot open a window: {self._failure}; set DISPLAY, or go without it: --no-window")

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
            self._newest = annotated
            wake = not self._pending and not self._ending
            self._pending = True
        if wake:
            self._post()

    def closed_by_user(self) -> bool:
        """Whether the user closed the window or pressed Q."""
        return self._closed_by_user.is_set()

    def close(self) -> None:
        """Closes the window. Calling it again does nothing."""
        with self._lock:
            self._ending = True
        self._post()
        self._thread.join(_START_TIMEOUT_S)

    def _post(self) -> None:
        try:
            pygame.event.post(pygame.event.Event(self._wake))
        except pygame.error:  # SDL has ended, or its queue is full: the next picture tries again
            with self._lock:
                self._pending = False

    def _work(self) -> None:
        try:
            os.environ.setdefault("SDL_VIDEODRIVER", _drivers(os.environ))
            # Only the video part: sound and joysticks are none of our business.
            pygame.display.init()
            pygame.display.set_caption(_TITLE)
            pygame.display.set_allow_screensaver(False)
            self._set_mode(_LARGEST)
        except pygame.error as e:
            self._failure = str(e)
            pygame.display.quit()
            return
        finally:
            self._started.set()
        try:
            while self._handle(pygame.event.wait()):
                pass
        finally:
            with self._lock:
                self._ending = True
            pygame.display.quit()

    def _handle(self, event: pygame.event.Event) -> bool:
        """Deals with one event; false when the window is to close."""
        with self._lock:
            if self._ending:
                return False
        if event.type == pygame.QUIT:
            self._closed_by_user.set()
            return False
        if event.type == pygame.KEYDOWN:
            return self._handle_key(event.key)
        if event.type in (self._wake, pygame.VIDEORESIZE, pygame.VIDEOEXPOSE):
            self._paint()
        return True

    def _handle_key(self, key: int) -> bool:
        if key in (pygame.K_f, pygame.K_F11) or (key == pygame.K_ESCAPE and self._full_screen):
            self._full_screen = not self._full_screen
            self._set_mode(_LARGEST)
            self._paint()
        elif key in (pygame.K_q, pygame.K_ESCAPE):
            self._closed_by_user.set()
            return False
        return True

    def _set_mode(self, size: tuple[int, int]) -> None:
        if self._full_screen:
            pygame.display.set_mode((0, 0), pygame.FULLSCREEN)
            pygame.mouse.set_visible(False)
            return
        desktop = pygame.display.get_desktop_sizes()[0]
        pygame.display.set_mode((min(size[0], desktop[0]), min(size[1], desktop[1])), pygame.RESIZABLE)
        pygame.mouse.set_visible(True)

    def _paint(self) -> None:
        with self._lock:
            newest, fresh = self._newest, self._pending
            self._pending = False
        screen = pygame.display.get_surface()
        if newest is None or screen is None:
            return
        width, height = screen.get_size()
        picture = np.ascontiguousarray(fit(newest, width, height))
        screen.blit(pygame.image.frombuffer(picture.data, (width, height), "BGR"), (0, 0))
        pygame.display.flip()
        if fresh:
            with self._lock:
                self._shown += 1
