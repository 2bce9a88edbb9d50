"""The command line of the sequence."""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import ClusterError
from tools.cluster.errors import LocalClusterError
from tools.cluster.local import LocalCluster, down, up
from tools.cluster.nodes import aws_config
from tools.cluster.ports import free_ports
from tools.cluster.s3 import ANYBODY, running_s3, tell_nodes
from tools.sequence.running import SequenceError, run
from tools.sequence.steps import Place, steps

_BUCKET, _HTTP_PORT = "plate-models", 8000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0 when every step did what it had to, 1 when one did not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.sequence",
        description="Starts a Ray cluster and an S3 server on this machine, then: push the models, deploy, look, ask "
        "about one picture, drive, update, roll back, end. Prints each command with its output, and ends with 1 at the "
        "first that fails. Nothing beyond this machine is reached.",
    )
    parser.add_argument("--folder", type=Path, help="files of the sequence stay here (default: a temporary folder)")
    arguments = parser.parse_args(argv)
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # the S3 server would tell of every request
    try:
        with _folder(arguments.folder) as folder, local_place(folder) as place:
            done = run(steps(place), folder, environment(os.environ), lambda text: print(text, flush=True))
    except (SequenceError, LocalClusterError, ClusterError) as error:
        print(f"tools.sequence: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print("\nevery step did what it had to:")
    for each in done:
        print(f"  {each.seconds:6.1f} s  {each.title}")
    return 0


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of the commands: S3 credentials that the local server takes, and where our packages are."""
    here = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in given.items() if not name.startswith("AWS_")}
    path = os.pathsep.join(part for part in (here, given.get("PYTHONPATH", "")) if part)
    own = {"AWS_ACCESS_KEY_ID": ANYBODY[0], "AWS_SECRET_ACCESS_KEY": ANYBODY[1], "AWS_EC2_METADATA_DISABLED": "true"}
    return {**kept, **own, "PYTHONPATH": path, "COLUMNS": "120"}


@contextmanager
def local_place(folder: Path) -> Iterator[Place]:
    """A cluster with token and an S3 server of their own, for as long as they are needed."""
    with tempfile.TemporaryDirectory(prefix="ps", dir="/tmp") as short:
        print(f"$ python -m tools.cluster --folder {short}/c up --token", flush=True)
        cluster = up(Path(short) / "c", token=True)
        try:
            print(f"$ python -m tools.cluster --folder {short}/c s3 --bucket {_BUCKET}", flush=True)
            with running_s3(cluster.host, 0, _BUCKET) as url:
                tell_nodes(aws_config(cluster.folder), url)
                yield place_on(cluster, folder, f"s3://{_BUCKET}/plates", url)
        finally:
            down(cluster)


def place_on(cluster: LocalCluster, folder: Path, registry: str, s3_url: str) -> Place:
    """The place for the sequence on a cluster that runs; makes the API key."""
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(secrets.token_hex(24), encoding="ascii")
    several = cluster.network is not None
    port = _HTTP_PORT if several else free_ports(1)[0]
    return Place(
        folder=folder,
        registry=registry,
        s3_url=s3_url,
        dashboard=cluster.dashboard,
        token_file=cluster.token_file,
        http_host="0.0.0.0" if several else "127.0.0.1",  # noqa: S104 - its own network, and a key is asked for
        http_port=port,
        base_url=f"http://{cluster.head}:{port}",
    )


@contextmanager
def _folder(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        chosen.mkdir(parents=True, exist_ok=True)
        yield chosen.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="sequence-") as name:
        yield Path(name)
