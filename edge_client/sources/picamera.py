"""The Raspberry Pi's own camera, through Picamera2.

Picamera2 and libcamera come from the system's packages (``apt install python3-picamera2``), so the environment
of the dashcam must see those: ``python3 -m venv --system-site-packages``. They are loaded here, when a Pi camera
is chosen, and nowhere else.
"""

from __future__ import annotations

import importlib

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.encoded import EncodedStream
from edge_client.sources.packets import PacketHub
from edge_client.sources.pi_device import PiCameraDevice, PiModules
from edge_client.sources.watched import WatchedSource

_ADVICE = "`sudo apt install python3-picamera2`, in an environment made with --system-site-packages"

_NUMPY_ADVICE = "the system's simplejpeg is for another numpy: `pip install --force-reinstall simplejpeg` there"


class PiCamera(WatchedSource):
    """A Pi camera by its number: frames to infer and show, and its own H.264 beside them.

    Raises `SourceError` when Picamera2 is not installed, or the camera is not there and not to be waited for.
    """

    def __init__(self, number: int, settings: SourceSettings) -> None:
        modules = load_modules()
        self._hub = PacketHub("h264")
        super().__init__(
            f"Pi camera {number}",
            lambda: PiCameraDevice(modules, number, settings, self._hub),
            settings,
            settings.camera_rate_hz,
        )

    def encoded(self) -> EncodedStream | None:
        """The camera's H.264 in the size of the recording."""
        return self._hub


def load_modules() -> PiModules:
    """Picamera2, if it is installed. Raises `SourceError` with what to do if not."""
    names = ("picamera2", "picamera2.encoders", "picamera2.outputs", "libcamera")
    try:
        return PiModules(*map(importlib.import_module, names))
    except ImportError as error:
        raise SourceError(f"Picamera2 cannot be loaded ({error}): {_ADVICE}") from None
    except (ValueError, AttributeError) as error:
        # "numpy.dtype size changed": https://github.com/raspberrypi/picamera2/issues/1211
        raise SourceError(f"Picamera2 cannot be loaded ({error}): {_NUMPY_ADVICE}") from None
