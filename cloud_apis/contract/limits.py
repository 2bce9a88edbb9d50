"""What requests may hold, and the header that carries the key."""

from __future__ import annotations

from typing import Final

API_KEY_HEADER: Final = "X-API-Key"
MAX_BYTES: Final = 8 * 2**20
"""Largest picture or body of crops, in bytes."""
MAX_PIXELS: Final = 25_000_000
"""Largest picture, in pixels (width times height)."""
MAX_SIDE_PX: Final = 65_500
"""Longest side of a picture, in pixels: JPEG's own limit."""
MAX_CROPS: Final = 64
"""Most crops in one request to `/crnn`."""
