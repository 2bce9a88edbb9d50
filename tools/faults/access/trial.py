"""All tries to get in, see or steer, one part after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tools.faults.access import keys, origins, paths, scripts, secrets, tls
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial

_PARTS: Final[dict[str, Callable[[Path], Iterator[Row]]]] = {
    "keys": keys.rows,
    "tls": tls.rows,
    "paths": paths.rows,
    "origins": origins.rows,
    "scripts": scripts.rows,
    "secrets": secrets.rows,
}


def trial(effort: Effort) -> Iterator[Row]:
    """All parts; there is no shorter form: it is a minute."""
    logging.getLogger("edge_client").setLevel(logging.CRITICAL)  # wrong keys are what is tried here
    for name, rows in _PARTS.items():
        folder = effort.folder / name
        folder.mkdir()
        yield from rows(folder)


ACCESS: Final = Trial("access", "keys, certificates, paths, scripts, foreign pages, secrets", trial)
