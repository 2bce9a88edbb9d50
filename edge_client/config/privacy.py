"""What pictures give away."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from edge_client.config.base import Section


class PrivacySettings(Section):
    """Blurring of plates in pictures. The list of reads has settings of its own."""

    blur: Literal["none", "shown", "recorded", "both"] = Field(
        default="none",
        description="where plates are blurred: in the picture of window and page (shown), in all recorded video "
        "(recorded), or both; what the detector misses stays clear, and the list keeps its pictures of plates",
    )
    only: tuple[str, ...] = Field(
        default=(),
        description="only plates that read so, with * and ?, and those not read yet are blurred; empty for all",
    )
    never: tuple[str, ...] = Field(default=(), description="plates that read so, with * and ?, stay clear")
    margin: float = Field(
        default=0.2, ge=0.0, le=2.0, description="blurred around the box, as part of its width and height"
    )
    texts: bool = Field(default=False, description="write what was read beside blurred plates")
    live_texts: Literal["hashed", "plain"] = Field(
        default="hashed",
        description="with reads.hash_key_file: what window, page, annotated video, alerts and the table at the end of "
        "a drive show of a plate: the first digits of its hash and no picture of it, or what was read; without that "
        "file always what was read",
    )
    blind_after_s: float = Field(
        default=1.0,
        ge=0.0,
        le=3600.0,
        description="the whole picture is blurred when nobody has looked for plates for this long, and from when a "
        "plate that was found can be followed no further until the next look; 0 for never",
    )
