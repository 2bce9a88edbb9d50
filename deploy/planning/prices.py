"""The table of machine prices in `config/machines.yaml`."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from cloud_apis.errors import StartError
from cloud_apis.yaml_file import read_settings
from deploy.errors import SettingsError
from deploy.planning.capacity import Machine


class PricedMachine(BaseModel):
    """One kind of machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cores: Annotated[int, Field(ge=1, le=1024)] = Field(description="cores as the system counts them (vCPUs)")
    memory_gb: float = Field(gt=0, description="memory")
    architecture: Literal["x86_64", "arm64"] = Field(default="x86_64", description="what its programs are built for")
    gpu: str | None = Field(default=None, description="GPU, if it has one")
    gpus: Annotated[int, Field(ge=1, le=16)] = Field(default=1, description="how many, if it has GPUs")
    usd_per_hour: float = Field(gt=0, description="price on demand")

    @property
    def gpu_count(self) -> int:
        """GPUs that it has, 0 if none."""
        return self.gpus if self.gpu else 0


class PriceTable(BaseModel):
    """Machines with prices of one place and day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str = Field(description="where these are the prices")
    noted: date = Field(description="when they were noted; prices change")
    disk_usd_per_gb_month: float = Field(default=0.0, ge=0, description="price of disks, a gigabyte and month")
    balancer_usd_per_hour: float = Field(default=0.0, ge=0, description="price of a load balancer without its traffic")
    machines: dict[str, PricedMachine] = Field(min_length=1, description="by the provider's name")

    def entry(self, name: str) -> PricedMachine:
        """What the table says of a machine; raises `SettingsError` that names those there are."""
        entry = self.machines.get(name)
        if entry is None:
            raise SettingsError(f"there is no price for {name!r}; known are {', '.join(sorted(self.machines))}")
        return entry

    def machine(self, name: str) -> Machine:
        """A machine as plans know it; raises `SettingsError`."""
        entry = self.entry(name)
        return Machine(name, entry.cores, entry.usd_per_hour)


def shipped_prices() -> Path:
    """The file that comes with the package."""
    return Path(str(resources.files("config"))) / "machines.yaml"


def load_prices(path: Path | None = None) -> PriceTable:
    """Read a table; raises `SettingsError`."""
    try:
        return read_settings(path or shipped_prices(), PriceTable)
    except StartError as error:
        raise SettingsError(str(error)) from error
