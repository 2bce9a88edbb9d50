"""When Ray gives up: what it has not done is done here, a deadly picture costs itself alone, a lost cluster is told."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("pyarrow", reason="Ray Data is not installed (extra `dataset`)")

from tests.tools.dataset.test_running import Deadly
from tools.dataset.errors import DatasetError
from tools.dataset.manifest import File
from tools.dataset.on_ray import RayRunner, work_on_batch
from tools.dataset.outcomes import Job

FILES = [File(i, b"%d.jpg" % i) for i in range(1200)]


class RayError(Exception):
    """As Ray's own."""


class GivesUp:
    """Ray Data as far as it is used here: works on the first tables of files, then raises (or only ends)."""

    def __init__(self, tables: int, error: Exception | None) -> None:
        self.tables, self.error = tables, error

    def from_arrow(self, tables: list[Any]) -> GivesUp:
        self.given = tables
        return self

    def map_batches(self, work: Any, *, fn_kwargs: dict[str, Any], **_: object) -> GivesUp:
        assert work is work_on_batch
        self.job = fn_kwargs["job"]
        return self

    def iter_batches(self, **_: object) -> Iterator[Any]:
        for table in self.given[: self.tables]:
            yield work_on_batch(table, self.job)
        if self.error is not None:
            raise self.error


def runner(tables: int, error: Exception | None) -> RayRunner:
    made = object.__new__(RayRunner)  # without a cluster
    made.window = 5000
    made._ray = SimpleNamespace(data=GivesUp(tables, error), exceptions=SimpleNamespace(RayError=RayError))
    return made


def worked(made: RayRunner, job: Job) -> list[tuple[int, str | None]]:
    return sorted((number, o.reason) for group in made.run(job, [FILES]) for number, o in group)


@pytest.mark.parametrize("tables", [0, 1])
def test_what_ray_gives_up_is_done_here(tables: int, caplog: pytest.LogCaptureFixture) -> None:
    done = worked(runner(tables, RayError("a worker died\nand a long tale")), Deadly(1100))
    assert done == [(file.id, "broken" if file.id == 1100 else None) for file in FILES]
    assert f"{1200 - 512 * tables} files are worked on here: a worker died" in caplog.text


def test_a_lost_cluster_is_told() -> None:
    with pytest.raises(DatasetError, match="does not answer any more"):
        worked(runner(1, ConnectionError("gone")), Deadly(-1))


def test_results_that_are_lacking_are_told() -> None:
    with pytest.raises(DatasetError, match="no results for 688 of 1200 files"):
        worked(runner(1, None), Deadly(-1))
