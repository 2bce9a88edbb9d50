"""Runs Ray's own launcher over a rendered configuration, as a program with arguments, never through a shell."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from deploy.aws.requirements import ray_program
from deploy.errors import ClusterError

Action = Literal["up", "down"]


def arguments(ray: str, action: Action, file: Path) -> Sequence[str]:
    """The launcher's command line; we have asked already, so it does not."""
    line = [ray, action, "--yes", str(file)]
    # A configuration that was resolved before is not taken again: groups and subnets may have changed since.
    return [*line, "--no-config-cache", "--disable-usage-stats"] if action == "up" else line


def environment(inherited: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What the launcher's process is told beside what it inherits.

    It sends no statistics, takes the autoscaler that is meant, and writes its temporary files where nobody else can
    (it reads resolved configurations back from there).
    """
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_UP_enable_autoscaler_v2": "1", "TMPDIR": str(folder)}
    return {**inherited, **own}


def launch(action: Action, rendered: str, *, ray: str | None = None) -> None:
    """Run `ray up` or `ray down` to its end, its output on ours; raises `ClusterError` when it fails."""
    with TemporaryDirectory(prefix="cloud-deploy-") as folder:
        file = Path(folder) / "cluster.yaml"
        file.write_text(rendered, encoding="utf-8")
        file.chmod(0o600)
        line = arguments(ray or ray_program(), action, file)
        try:
            code = subprocess.run(line, env=environment(os.environ, Path(folder)), check=False).returncode
        except OSError as error:
            raise ClusterError(f"cannot run {line[0]}: {error.strerror}") from error
    if code:
        raise ClusterError(f"Ray's launcher failed (ray {action} ended with {code}); what it wrote stands above")
