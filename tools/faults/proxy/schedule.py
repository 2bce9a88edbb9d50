"""The schedule: which faults act when, on how many requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cloud_apis.yaml_file import read_settings
from tools.faults.proxy.bandwidth import Bandwidth
from tools.faults.proxy.black_hole import BlackHole
from tools.faults.proxy.corrupt import Corrupt
from tools.faults.proxy.fault import Fault
from tools.faults.proxy.latency import Latency
from tools.faults.proxy.reset import Reset
from tools.faults.proxy.slow_close import SlowClose
from tools.faults.proxy.status import Status
from tools.faults.proxy.timeout import Timeout
from tools.faults.proxy.truncate import Truncate

KINDS: tuple[type[Fault], ...] = (
    Latency,
    Bandwidth,
    Timeout,
    Reset,
    SlowClose,
    Truncate,
    Corrupt,
    Status,
    BlackHole,
)
AnyFault = Annotated[
    Latency | Bandwidth | Timeout | Reset | SlowClose | Truncate | Corrupt | Status | BlackHole,
    Field(discriminator="fault"),
]
EXAMPLE = Path(__file__).with_name("example.yaml")


class Schedule(BaseModel):
    """A schedule as its YAML file has it; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: int = Field(default=1, description="of all chance: the same seed meets the same requests")
    repeat_s: float | None = Field(default=None, gt=0, description="begin again after so many seconds; none: never")
    faults: tuple[AnyFault, ...] = Field(description="what goes wrong; several may act on one request, in this order")

    @model_validator(mode="after")
    def _times_make_sense(self) -> Self:
        for number, fault in enumerate(self.faults):
            if fault.to_s is not None and fault.to_s <= fault.from_s:
                raise ValueError(f"faults.{number}: to_s must be after from_s")
            if self.repeat_s is not None and fault.from_s >= self.repeat_s:
                raise ValueError(f"faults.{number}: from_s must be before repeat_s, or it never acts")
        return self

    def phase_s(self, since_s: float) -> float:
        """The second of the schedule, so long after the start."""
        return since_s if self.repeat_s is None else since_s % self.repeat_s

    def next_change_s(self, phase_s: float) -> float | None:
        """The next second of the schedule at which a fault begins or ends; None when none does."""
        times = {t for fault in self.faults for t in (fault.from_s, fault.to_s) if t is not None}
        if self.repeat_s is not None:
            times = {t for t in times if t < self.repeat_s} | {self.repeat_s}
        return min((t for t in times if t > phase_s), default=None)


def read_schedule(path: Path) -> Schedule:
    """The schedule of a file; raises `StartError` with one line that names the file, the key and the fault."""
    return read_settings(path, Schedule)
