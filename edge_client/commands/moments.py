"""Times as people write them on the command line."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, time, timedelta

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS_AGO = {"today": 0, "yesterday": 1}


def parse_moment(text: str, now: datetime | None = None) -> datetime:
    """`2026-05-01`, `2026-05-01T10:30Z`, `10:30` (today), `today`, `yesterday`, or as long ago as `90m`, `2h`, `7d`.

    Days begin at midnight; without a zone all is UTC, as times are shown. `now` is when "ago" is counted from.

    Raises:
        argparse.ArgumentTypeError: it is none of these.
    """
    now = datetime.now(UTC) if now is None else now.astimezone(UTC)
    plain = text.strip().lower()
    try:
        if plain == "now":
            return now
        if plain in _DAYS_AGO:
            return datetime.combine(now.date() - timedelta(days=_DAYS_AGO[plain]), time(), UTC)
        if match := re.fullmatch(r"(\d{1,6})\s*([smhdw])(\s+ago)?", plain):
            return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", plain):
            full = plain if plain.index(":") == 2 else f"0{plain}"
            return datetime.combine(now.date(), time.fromisoformat(full), UTC)
        moment = datetime.fromisoformat(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-05-01, 2026-05-01T10:30Z, 10:30, yesterday, or ago: 90m, 24h, 7d"
        ) from None
