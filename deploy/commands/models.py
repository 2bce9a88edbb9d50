"""`cloud-deploy models`: push, pull, ls, tag."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from cloud_apis.model_files import packaged_models
from deploy.errors import SettingsError
from deploy.registry.cache import ModelCache
from deploy.registry.descriptor import describe
from deploy.registry.folder import process_cache
from deploy.registry.objects import Objects, Place, Progress, parse_place
from deploy.registry.reference import DEFAULT_TAG, parse_reference
from deploy.registry.registry import Listed, Registry, check_tag
from deploy.settings import load_settings

_DIGITS = 12


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    models = commands.add_parser(
        "models",
        help="push, pull, list and tag models",
        description="Models in an S3 bucket, named by the hash of their content. Credentials come from where AWS's "
        "tools have them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the machine's role.",
    )
    actions = models.add_subparsers(dest="action", required=True)
    push = actions.add_parser("push", help="upload models with their manifests and cards")
    push.add_argument("names", nargs="*", metavar="NAME", help="models of the folder (default: all of them)")
    push.add_argument("--folder", type=Path, help="folder with NAME.onnx and NAME.json (default: the package's)")
    push.add_argument(
        "--tag", action="append", metavar="TAG", help=f"name for what is pushed (may be repeated; {DEFAULT_TAG})"
    )
    push.set_defaults(run=_push)
    pull = actions.add_parser("pull", help="download models into a folder, verified")
    pull.add_argument("references", nargs="+", metavar="REFERENCE", help="NAME, NAME:TAG or NAME@sha256:DIGEST")
    pull.add_argument("--cache", type=Path, help="folder to keep models in (default: the user's cache folder)")
    pull.set_defaults(run=_pull)
    listing = actions.add_parser("ls", help="list the models of the registry")
    listing.add_argument("--json", action="store_true", help="for programs")
    listing.set_defaults(run=_list)
    tag = actions.add_parser("tag", help="let a tag name a model")
    tag.add_argument("reference", metavar="REFERENCE", help="NAME, NAME:TAG or NAME@sha256:DIGEST")
    tag.add_argument("tag", metavar="TAG", help="the tag that shall name it from now on")
    tag.set_defaults(run=_tag)
    for action in (push, pull, listing, tag):
        action.add_argument(
            "--config", type=Path, help="settings file that names the registry (default: the shipped one)"
        )
        action.add_argument("--registry", metavar="URL", help="s3://BUCKET/PREFIX in place of the settings'")
        action.add_argument("--endpoint-url", metavar="URL", help="S3 server in place of AWS's")
        action.add_argument("--region", help="AWS region of the bucket")


def _push(arguments: argparse.Namespace) -> None:
    folder = arguments.folder or packaged_models()
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}")
    names = arguments.names or sorted(p.stem for p in folder.glob("*.json") if (folder / f"{p.stem}.onnx").is_file())
    if not names:
        raise SettingsError(f"there are no models in {folder}: a model is NAME.onnx with NAME.json beside it")
    tags = tuple(arguments.tag or [DEFAULT_TAG])
    for tag in tags:
        check_tag(tag)
    described = [describe(folder, name) for name in names]
    registry = _registry(arguments)
    with _progress(sum(one.size for one in described), "push") as progress:
        pushed = [registry.push(folder, name, tags, progress) for name in names]
    for one in pushed:
        state = f"{one.sent_bytes} bytes sent" if one.sent_bytes else "was there already"
        print(f"{one.reference}  {one.descriptor.version}  {', '.join(tags)}  {state}")


def _pull(arguments: argparse.Namespace) -> None:
    references = [parse_reference(text) for text in arguments.references]
    registry = _registry(arguments)
    size = sum(registry.descriptor(reference).size for reference in references)
    with _progress(size, "pull") as progress:
        folder = ModelCache(arguments.cache or process_cache()).pull(registry, references, progress)
    print(folder)


def _list(arguments: argparse.Namespace) -> None:
    found = list(_registry(arguments).models())
    if arguments.json:
        print(json.dumps([_plain(one) for one in found], indent=2))
        return
    table = Table("model", "version", "tags", "digest", "size")
    for one in found:
        model = one.descriptor
        table.add_row(
            model.name,
            model.version,
            ", ".join(one.tags),
            f"sha256:{model.digest[:_DIGITS]}…",
            f"{model.size / 1e6:.1f} MB",
        )
    Console().print(table)


def _tag(arguments: argparse.Namespace) -> None:
    pinned = _registry(arguments).tag(parse_reference(arguments.reference), arguments.tag)
    print(f"{pinned.name}:{arguments.tag} is {pinned}")


def _plain(one: Listed) -> dict[str, object]:
    model = one.descriptor
    return {
        "name": model.name,
        "version": model.version,
        "tags": list(one.tags),
        "reference": f"{model.name}@sha256:{model.digest}",
        "bytes": model.size,
    }


def _registry(arguments: argparse.Namespace) -> Registry:
    return Registry(Objects(_place(arguments)))


def _place(arguments: argparse.Namespace) -> Place:
    if arguments.registry:
        return parse_place(arguments.registry, arguments.endpoint_url, arguments.region)
    stated = load_settings(arguments.config).registry
    return parse_place(stated.url, arguments.endpoint_url or stated.endpoint_url, arguments.region or stated.region)


@contextmanager
def _progress(total: int, what: str) -> Iterator[Progress]:
    with tqdm(total=total, desc=what, unit="B", unit_scale=True, leave=False, disable=not sys.stderr.isatty()) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance
