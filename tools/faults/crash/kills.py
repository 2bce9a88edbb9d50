"""kill -9 at random points of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.bench.instant_apis import instant_apis
from tools.crash.cli import GAP_S, PASSING_S
from tools.crash.device import LOST_S, Kill, live_and_die, moments
from tools.crash.film import write_film
from tools.crash.reads import kill_often
from tools.faults.row import Row
from tools.faults.trial import Effort

_LONGEST_S = 4.0
_LONGEST_SAVING_S = 0.8


def kills(effort: Effort) -> Iterator[Row]:
    """What saves reads, and, but for the short form, the whole device."""
    lives = list(kill_often(effort.folder / "saved.db", moments(effort.count(20, 3), effort.seed, _LONGEST_SAVING_S)))
    last = lives[-1]
    measured = (
        f"{len(lives)} kills: {last.reported} reads confirmed, {len(last.missing)} missing, {len(last.doubled)} twice"
    )
    good = all(life.good for life in lives)
    yield Row("kill -9 while reads are saved", "file intact, each confirmed read there once", measured, good)
    if effort.short:
        return
    with instant_apis(PASSING_S, GAP_S) as port:
        film = write_film(effort.folder / "film.mp4", _LONGEST_S + 10.0)
        times = moments(effort.count(100, 1), effort.seed, _LONGEST_S)
        yield row_of_kills("kill -9 during a drive", [live_and_die(film, effort.folder, port, t) for t in times])


def row_of_kills(fault: str, found: Sequence[Kill]) -> Row:
    """What was found after all of them."""
    lost = [kill.lost_s for kill in found if kill.lost_s is not None]
    measured = (
        f"{len(found)} times: file intact after {sum(kill.sound for kill in found)}, "
        f"{sum(kill.reported for kill in found)} reads confirmed, {sum(len(k.missing) for k in found)} missing, "
        f"{sum(len(k.doubled) for k in found)} twice; of {len(lost)} recordings at most "
        f"{max(lost, default=0):.2f} s lost"
    )
    promised = f"file intact, each confirmed read there once, at most {LOST_S:g} s of the recording lost"
    return Row(fault, promised, measured, bool(found) and all(kill.good for kill in found))
