"""From the painted canvas to a camera's picture: shake, glow, exposure, lens, own bonnet, sensor noise."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.demo.camera import Shake
from tools.demo.canvas import Bytes, Floats, f32, fractal_noise


class Film:
    """Develops frames, each on its own: nothing is remembered from one to the next."""

    def __init__(self, rng: np.random.Generator, width_px: int, height_px: int) -> None:
        self._width, self._height = width_px, height_px
        self.shake = Shake(rng)
        y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
        radius = np.hypot((x - width_px / 2) / (width_px / 2), (y - height_px / 2) / (width_px / 2))
        vignette = 1.04 - 0.24 * np.clip(radius - 0.15, 0, None) ** 2.0
        self._vignette = np.repeat(np.clip(vignette * 250, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
        grain = rng.normal(0, 1, (height_px + 64, width_px + 64, 3)).astype(np.float32)
        shared = grain.mean(axis=2, keepdims=True) * 1.2
        soft = cv2.GaussianBlur(grain * 0.5 + shared, (0, 0), 0.45) * 1.9
        self._grain = np.clip(np.round(soft), -120, 120).astype(np.int16)
        self._bonnet, self._bonnet_cover = _bonnet(rng, width_px, height_px)

    def develop(self, number: int, canvas: Floats, matrix: NDArray[np.float64], ambient: float, gain: float) -> Bytes:
        """Frame ``number``, uint8 BGR.

        ``matrix`` is the shake's 2x3 from canvas to frame pixels, ``ambient`` the light on our own bonnet,
        ``gain`` the exposure.
        """
        size = self._width, self._height
        # From here on in bytes, a quarter of the memory to walk over; the grain hides the steps.
        exposed = cv2.convertScaleAbs(canvas, alpha=gain * 255)
        frame = cv2.warpAffine(exposed, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        if self._width >= 960:
            frame = cv2.GaussianBlur(frame, (3, 3), 0.55)
        cv2.add(frame, self._glow(canvas, matrix, gain), dst=frame)
        cover = self._bonnet_cover
        region = frame[self._height - cover.shape[0] :]
        region[:] = region * (1 - cover) + self._bonnet * cover * np.float32(ambient * gain * 255)
        cv2.multiply(frame, self._vignette, dst=frame, scale=1 / 250)
        dy, dx = number * 37 % 64, number * 23 % 61  # the grain's tile is moved, so that it never stands still
        grain = self._grain[dy : dy + self._height, dx : dx + self._width]
        frame = cv2.add(frame, grain, dtype=cv2.CV_8U)
        return np.asarray(cv2.LUT(frame, _CURVE), dtype=np.uint8)

    def _glow(self, canvas: Floats, matrix: NDArray[np.float64], gain: float) -> Bytes:
        """The halo around what is too bright, uint8 BGR of the frame's size."""
        step = 4
        size = self._width // step, self._height // step
        less = matrix.copy()
        less[:, 2] /= step
        bright = cv2.warpAffine(np.clip(canvas[::step, ::step] - 0.97, 0, 0.9), less, size)
        near = cv2.GaussianBlur(bright, (0, 0), self._width / 230)
        fewer = cv2.resize(bright, (size[0] // 4, size[1] // 4), interpolation=cv2.INTER_AREA)
        wide = cv2.resize(cv2.GaussianBlur(fewer, (0, 0), self._width / 280), size, interpolation=cv2.INTER_LINEAR)
        halo = cv2.convertScaleAbs(near * 0.55 + wide * 0.35, alpha=gain * 255)
        return np.asarray(cv2.resize(halo, (self._width, self._height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def exposure(brightness: Floats, frame_s: float, lag_s: float = 0.45) -> Floats:
    """The gains of a camera whose exposure follows the scene's brightness (about 1, one value a frame) with a lag."""
    wanted = np.clip(brightness.astype(np.float64) ** -0.75, 0.8, 1.6)
    gains = np.empty_like(wanted)
    gain = float(wanted[0])
    for number, value in enumerate(wanted):
        gain += (float(value) - gain) * (1 - np.exp(-frame_s / lag_s))
        gains[number] = gain
    return f32(gains)


def _curve() -> Bytes:
    """A gentle S: deeper shadows, softer lights."""
    x = np.linspace(0, 1, 256)
    curve = x + 0.06 * np.sin((x - 0.5) * 2 * np.pi)
    return np.clip(curve * 255 + 0.5, 0, 255).astype(np.uint8)


_CURVE = _curve()


def _bonnet(rng: np.random.Generator, width: int, height: int) -> tuple[Floats, Floats]:
    """The lower edge of the picture: our own bonnet, dark, with the sky's reflection on its bend."""
    tall = round(height * 0.075)
    x = f32((np.arange(width) - width * 0.49) / (width * 0.5))[None, :]
    y = f32(np.arange(tall))[:, None] / tall
    edge = 0.28 + 0.55 * x**2 + 0.25 * x**6
    below = y - edge
    cover = np.clip(below * tall / 2.5 + 0.5, 0, 1)
    sheen = 0.30 * np.exp(-((below / 0.10) ** 2)) + 0.12 * np.exp(-(((below - 0.35) / 0.25) ** 2))
    streak = 0.04 * (fractal_noise(rng, (tall, width), tall * 2.0, 4) - 0.5)
    tone = 0.055 + sheen + streak
    return f32(tone[..., None] * f32([1.15, 1.03, 0.95])), f32(cover)[..., None]
