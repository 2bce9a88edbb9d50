"""The same work on a Ray cluster: Ray Data spreads a window of files over the machines, results come back in batches.

The machines need the catalogue under the same path (a shared file system) and the extra `dataset`; our own packages
travel with the job. Only one window at a time is known to Ray, so that memory does not grow with the catalogue.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from tools.dataset.errors import DatasetError
from tools.dataset.manifest import File
from tools.dataset.outcomes import Job, Outcome
from tools.dataset.running import CHUNK, LocalRunner, Outcomes, work_on

log = logging.getLogger("dataset")
WINDOW = 50_000
"""Files that Ray knows of at a time."""
REACH_S = 5
ATTEMPTS = 3
"""On a busy machine Ray gives up a node of its own that is slow to start."""
_PACKAGES = ("tools", "cloud_apis", "config")


class RayRunner:
    """Ray Data on the cluster at an address, ``local`` for one of this machine alone. Use it as a context manager."""

    def __init__(self, address: str, window: int = WINDOW, cpus: int | None = None) -> None:
        """Connects. Raises DatasetError where Ray is not installed or the cluster does not answer."""
        try:
            import ray
            import ray.data
        except ImportError as error:
            raise DatasetError(f"--ray needs the extra `dataset` ({error})") from error
        self.window = window
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        environment: dict[str, Any] = {"env_vars": {"OMP_NUM_THREADS": "1"}}
        if address == "local":
            options |= {
                "address": "local",
                "num_cpus": cpus or len(os.sched_getaffinity(0)),
                "include_dashboard": False,
            }
            environment["env_vars"]["PYTHONPATH"] = str(_root())
        else:
            _reach(address)
            options |= {"address": address}
            environment["py_modules"] = [str(_root() / name) for name in _PACKAGES]
        self._ray: Any = ray
        for attempt in range(ATTEMPTS):
            try:
                ray.init(runtime_env=environment, **options)
                break
            except Exception as error:  # Ray raises bare ones, such as where a node does not start in time
                ray.shutdown()
                if attempt == ATTEMPTS - 1 or address != "local":
                    raise DatasetError(f"the Ray cluster at {address!r} does not answer: {error}") from error
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False

    def __enter__(self) -> RayRunner:
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()

    def run(self, job: Job, pages: Iterable[Sequence[File]]) -> Iterator[Outcomes]:
        """Where Ray gives up files they are worked on here, where a deadly picture costs itself alone.

        Raises DatasetError where the cluster is lost.
        """
        import pyarrow as pa

        files = chain.from_iterable(pages)
        while window := list(islice(files, self.window)):
            blocks = [
                pa.table(
                    {
                        "id": pa.array([file.id for file in part], pa.int64()),
                        "path": pa.array([file.path for file in part], pa.binary()),
                    }
                )
                for part in (window[start : start + CHUNK * 8] for start in range(0, len(window), CHUNK * 8))
            ]
            unseen = {file.id: file for file in window}
            try:
                for outcomes in self._spread(blocks, job):
                    for number, _ in outcomes:
                        unseen.pop(number, None)
                    yield outcomes
            except self._ray.exceptions.RayError as error:
                # A picture may have ended the process that read it, more often than Ray tries: here it is found.
                told = str(error).strip().partition("\n")[0]
                log.warning("Ray gave up; %d files are worked on here: %s", len(unseen), told or type(error).__name__)
                careful = LocalRunner(max(2, len(os.sched_getaffinity(0))))
                for outcomes in careful.run(job, [list(unseen.values())]):
                    for number, _ in outcomes:
                        unseen.pop(number)
                    yield outcomes
            except ConnectionError as error:  # what its client raises once it has lost the cluster
                raise DatasetError(
                    f"the Ray cluster does not answer any more ({error}): run the command again"
                ) from error
            if unseen:
                raise DatasetError(
                    f"Ray gave no results for {len(unseen)} of {len(window)} files: run the command again"
                )

    def _spread(self, blocks: list[Any], job: Job) -> Iterator[Outcomes]:
        done = self._ray.data.from_arrow(blocks).map_batches(
            work_on_batch, batch_size=CHUNK, batch_format="pyarrow", fn_kwargs={"job": job}
        )
        for batch in done.iter_batches(batch_size=None, batch_format="pyarrow"):
            yield [
                (number, Outcome.from_text(text))
                for number, text in zip(batch["id"].to_pylist(), batch["outcome"].to_pylist(), strict=True)
            ]


def work_on_batch(batch: Any, job: Job) -> Any:
    """A batch of files, a pyarrow table of ``id`` and ``path``, on whatever machine: ``id`` and ``outcome`` as JSON."""
    import pyarrow as pa

    files = [
        File(number, path) for number, path in zip(batch["id"].to_pylist(), batch["path"].to_pylist(), strict=True)
    ]
    outcomes = work_on(job, files)
    return pa.table(
        {"id": batch["id"], "outcome": pa.array([outcome.to_text() for _, outcome in outcomes], pa.string())}
    )


def _reach(address: str) -> None:
    """Ray would try for minutes where nobody listens. Raises DatasetError."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdigit():
        return  # such as auto, which Ray resolves
    try:
        socket.create_connection((host, int(port)), timeout=REACH_S).close()
    except OSError as error:
        raise DatasetError(f"the Ray cluster at {address!r} does not answer: {error}") from error


def _root() -> Path:
    return Path(__file__).resolve().parents[2]
