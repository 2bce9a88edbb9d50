"""The window on a real X server (Xvfb), with real key presses by way of SDL's queue."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pygame
import pytest

from edge_client.config import WindowSettings
from edge_client.displays.window import Window
from edge_client.displays.window_screen import has_screen
from edge_client.errors import DisplayError
from edge_client.types import SourceState, SourceStatus
from tests.edge_client.displays.samples import STATUS
from tests.edge_client.samples import picture, read, shown


@pytest.fixture
def x_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A display: a fresh Xvfb, else the one that is there."""
    command = shutil.which("Xvfb")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    if command is None:
        if not os.environ.get("DISPLAY"):
            pytest.skip("neither Xvfb nor a display is there (apt-get install xvfb)")
        yield
        return
    read_end, write_end = os.pipe()
    server = subprocess.Popen(
        [command, "-displayfd", str(write_end), "-screen", "0", "1024x600x24", "-nolisten", "tcp"],
        pass_fds=[write_end],
        stderr=subprocess.DEVNULL,
    )
    os.close(write_end)
    with os.fdopen(read_end) as answer:
        number = answer.readline().strip()  # comes when the server is ready
    monkeypatch.setenv("DISPLAY", f":{number}")
    try:
        yield
    finally:
        server.terminate()
        server.wait(20)


def press(key: int) -> None:
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))


def until(condition: Callable[[], bool], window: Window) -> None:
    """Shows pictures until the condition holds; the window answers each with a paint."""
    pause = threading.Event()
    for number in range(600):
        window.show(shown(number), picture(value=number % 200))
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("the window did not come to it")


@pytest.mark.usefixtures("x_server")
def test_pictures_reach_the_screen_and_the_window_closes() -> None:
    window = Window()
    until(lambda: window.pictures_shown >= 3, window)
    assert not window.closed_by_user()
    window.close()
    window.close()
    window.show(shown(), picture())  # a late frame does no harm


@pytest.mark.usefixtures("x_server")
def test_the_picture_alone_is_shown_in_its_colours_with_its_aspect_kept() -> None:
    window = Window(WindowSettings(view="picture"))
    image = picture(400, 100)
    image[:] = (10, 200, 30)
    pause = threading.Event()
    for number in range(100):
        window.show(shown(number), image)
        if window.pictures_shown >= 2:
            break
        pause.wait(0.02)
    surface = pygame.display.get_surface()
    assert surface is not None
    width, height = surface.get_size()
    assert tuple(surface.get_at((width // 2, height // 2)))[:3] == (30, 200, 10)
    assert tuple(surface.get_at((width // 2, 5)))[:3] == (0, 0, 0)
    window.close()


@pytest.mark.usefixtures("x_server")
@pytest.mark.parametrize("key", [pygame.K_f, pygame.K_F11])
def test_full_screen_on_and_off(key: int) -> None:
    window = Window()
    until(lambda: window.pictures_shown >= 1, window)
    assert not window.full_screen
    press(key)
    until(lambda: window.full_screen, window)
    press(pygame.K_ESCAPE)
    until(lambda: not window.full_screen, window)
    assert not window.closed_by_user()
    window.close()


@pytest.mark.usefixtures("x_server")
@pytest.mark.parametrize("key", [pygame.K_q, pygame.K_ESCAPE])
def test_keys_that_end_the_drive(key: int) -> None:
    window = Window()
    until(lambda: window.pictures_shown >= 1, window)
    press(key)
    until(window.closed_by_user, window)
    window.close()


@pytest.mark.usefixtures("x_server")
def test_the_cross_ends_the_drive_and_full_screen_can_be_had_at_once() -> None:
    window = Window(full_screen=True)
    until(lambda: window.pictures_shown >= 1, window)
    assert window.full_screen
    surface = pygame.display.get_surface()
    assert surface is not None
    assert surface.get_size() == pygame.display.get_desktop_sizes()[0]
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    until(window.closed_by_user, window)
    window.close()


def colour_at(x: float, y: float) -> tuple[int, ...]:
    """The colour on the screen at a place given in parts of its width and height."""
    surface = pygame.display.get_surface()
    assert surface is not None
    width, height = surface.get_size()
    return tuple(surface.get_at((int(x * width), int(y * height))))[:3]


@pytest.mark.usefixtures("x_server")
def test_the_car_view_shows_picture_states_and_reads_and_is_dimmed_without_pictures() -> None:
    window = Window(WindowSettings(full_screen=True, colours="day"))
    window.set_status(STATUS)
    window.add_read(read("a", "B123XYZ"))
    green = picture(320, 180)
    green[:] = (20, 200, 20)
    pause = threading.Event()

    def wait_for(condition: Callable[[], bool]) -> None:
        for _ in range(600):
            if condition():
                return
            pause.wait(0.02)
        raise AssertionError("the screen did not come to it")

    window.show(shown(0, green), green)
    wait_for(lambda: colour_at(0.33, 0.3) == (20, 200, 20))
    window.set_status(replace(STATUS, camera=SourceStatus(SourceState.RECONNECTING, 3, "the device is gone")))
    wait_for(lambda: colour_at(0.05, 0.15)[1] < 80)  # no new picture came, and the screen tells
    window.set_status(STATUS)
    wait_for(lambda: colour_at(0.05, 0.15)[1] == 200)
    assert not pygame.mouse.get_visible()
    press(pygame.K_v)
    wait_for(lambda: colour_at(0.9, 0.5) == (20, 200, 20))
    window.close()


@pytest.mark.usefixtures("x_server")
@pytest.mark.parametrize("touch", [True, False])
def test_a_touch_locks_the_segment_once_and_the_screen_says_so(touch: bool) -> None:
    locked: list[bool] = []
    told = threading.Event()

    def lock() -> str:
        locked.append(True)
        told.set()
        return "segment locked"

    window = Window(WindowSettings(full_screen=True, touch_locks=touch), on_lock=lock)
    until(lambda: window.pictures_shown >= 1, window)
    for _ in range(2):  # fingers bounce
        pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(5, 5), button=1, touch=True))
    if touch:
        assert told.wait(20)
    before = window.pictures_shown
    until(lambda: window.pictures_shown >= before + 2, window)
    assert locked == ([True] if touch else [])
    window.close()


def test_without_a_display_there_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
    with pytest.raises(DisplayError, match="--no-window"):
        Window()


def test_without_a_desktop_and_a_screen_the_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(variable, raising=False)
    if any(Path("/dev/dri").glob("card*")):
        pytest.skip("there is a bare screen here, which would be taken")
    with pytest.raises(DisplayError, match="libgbm1"):
        Window(full_screen=True)


def test_a_screen_is_known_by_its_variables() -> None:
    assert has_screen({"DISPLAY": ":0"})
    assert has_screen({"WAYLAND_DISPLAY": "wayland-0"})
    assert not has_screen({"DISPLAY": ""})


def test_a_screen_without_a_desktop_is_for_the_full_screen_alone(tmp_path: Path) -> None:
    assert not has_screen({}, full_screen=True, devices=tmp_path)
    (tmp_path / "card1").touch()
    assert has_screen({}, full_screen=True, devices=tmp_path)
    assert has_screen({"SDL_VIDEODRIVER": "kmsdrm"}, devices=tmp_path)
    assert not has_screen({}, full_screen=False, devices=tmp_path)
