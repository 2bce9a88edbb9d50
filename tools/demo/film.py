"""From the painted canvas to a camera's picture: shake, glow, exposure, lens, own bonnet, sensor noise."""

from __future__ import annotations

import cv2
import numpy as np

from tools.demo.camera import Shake
from tools.demo.canvas import Bytes, Floats, f32, fractal_noise


class Film:
    """Develops one frame after the other; the exposure follows the scene with a lag, as a camera's does."""

    def __init__(self, rng: np.random.Generator, width_px: int, height_px: int) -> None:
        self._rng = rng
        self._width, self._height = width_px, height_px
        self.shake = Shake(rng)
        y, x = np.mgrid[0:height_px, 0:width_px].astype(np.float32)
        radius = np.hypot((x - width_px / 2) / (width_px / 2), (y - height_px / 2) / (width_px / 2))
        self._vignette = f32(1.04 - 0.30 * np.clip(radius - 0.15, 0, None) ** 2.0)[..., None]
        grain = rng.normal(0, 1, (height_px + 64, width_px + 64, 3)).astype(np.float32)
        shared = grain.mean(axis=2, keepdims=True) * 1.2
        self._grain = f32(cv2.GaussianBlur(grain * 0.5 + shared, (0, 0), 0.45)) * np.float32(1.9)
        self._gain = 1.0
        self._bonnet, self._bonnet_cover = _bonnet(rng, width_px, height_px)

    def develop(self, canvas: Floats, matrix: np.ndarray, ambient: float, frame_s: float) -> Bytes:
        """One frame, uint8 BGR; ``matrix`` is the shake's 2x3 from canvas to frame, ``ambient`` the light here."""
        frame = f32(cv2.warpAffine(canvas, matrix, (self._width, self._height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
        small = cv2.resize(frame, (self._width // 4, self._height // 4), interpolation=cv2.INTER_AREA)
        wanted = 0.47 / max(float(small.mean()), 0.08)
        wanted = float(np.clip(wanted, 0.8, 1.55))
        self._gain += (wanted - self._gain) * (1 - np.exp(-frame_s / 0.45))
        bright = np.clip(small - 0.95, 0, 0.9)
        glow = cv2.GaussianBlur(bright, (0, 0), self._width / 230) * 0.55 + cv2.GaussianBlur(bright, (0, 0), self._width / 70) * 0.35
        frame += cv2.resize(glow, (self._width, self._height), interpolation=cv2.INTER_LINEAR)
        cover = self._bonnet_cover
        top = self._height - cover.shape[0]
        region = frame[top:]
        region += (self._bonnet * np.float32(ambient) - region) * cover
        frame = f32(cv2.GaussianBlur(frame, (0, 0), self._width / 2400)) if self._width >= 960 else frame
        frame *= self._vignette * np.float32(self._gain * 255)
        dy, dx = int(self._rng.integers(0, 64)), int(self._rng.integers(0, 64))
        frame += self._grain[dy : dy + self._height, dx : dx + self._width]
        return cv2.LUT(np.clip(frame, 0, 255).astype(np.uint8), _CURVE)  # type: ignore[return-value]


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
