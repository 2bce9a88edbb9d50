"""Finds the right source for what the user named."""

from __future__ import annotations

import os
import re
from pathlib import Path

import cv2

from edge_client.config import SourceSettings
from edge_client.errors import SourceError
from edge_client.sources.live import stream, v4l2_camera
from edge_client.sources.picamera import PiCamera
from edge_client.sources.pictures import PictureFolder
from edge_client.sources.rtsp import RtspCamera
from edge_client.sources.scaled import ScaledSource
from edge_client.sources.video import VideoFile
from edge_client.types import FrameSource

_STREAMS = ("rtsps://", "http://", "https://", "rtmp://", "udp://", "srt://")
_PI_CAMERA = re.compile(r"picamera(?::(\d{1,3}))?")


def open_source(name: str, settings: SourceSettings) -> FrameSource:
    """A video file, a folder of pictures, a stream URL, a V4L2 device or ``picamera[:N]``, scaled as set.

    Raises `SourceError` when there is nothing to be had.
    """
    cv2.setNumThreads(1)  # OpenCV's own threads only fight with ours over few cores
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # what goes wrong is ours to say, in one line
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        source = _open(name, settings)
    except OSError as error:  # a folder that may not be looked into, a name that is too long
        raise SourceError(f"cannot open {name}: {error.strerror or error}") from None
    return source if settings.scale_video == 1.0 else ScaledSource(source, settings.scale_video)


def _open(name: str, settings: SourceSettings) -> FrameSource:
    if name.lower().startswith("rtsp://"):
        return RtspCamera(name, settings)
    if name.lower().startswith(_STREAMS):
        return stream(name, settings)
    if (pi_camera := _PI_CAMERA.fullmatch(name)) is not None and not Path(name).exists():
        return PiCamera(int(pi_camera[1] or 0), settings)
    if name.isdecimal() and not Path(name).exists():
        name = f"/dev/video{name}"
    path = Path(name)
    if path.is_char_device() or (name.startswith("/dev/") and not path.exists()):
        return v4l2_camera(name, settings)
    if path.is_dir():
        return PictureFolder(path, settings)
    if not path.exists():
        raise SourceError(f"there is no file, folder or device {name}")
    return VideoFile(path, settings)
