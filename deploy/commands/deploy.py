"""`cloud-deploy deploy`: from the settings file to running APIs."""

from __future__ import annotations

import argparse
from pathlib import Path

from cloud_apis.model_files import packaged_models
from deploy.archive.archive import Archive, code_archive
from deploy.commands.changing import Goal, add_options, change, opened
from deploy.commands.rendering import wants_manifests, write_manifests
from deploy.errors import SettingsError
from deploy.rollout.connection import open_registry
from deploy.rollout.wanted import from_settings
from deploy.settings import DeploySettings, load_settings


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the subcommand with all its options."""
    it = commands.add_parser(
        "deploy",
        help="let the cluster run what the settings file says",
        description="Shows how the settings differ from what runs, asks, uploads code and models that are missing, "
        "applies, and follows until every API answers. New replicas start beside the old ones. If the new version "
        "does not come up, or you press Ctrl-C, what ran before is put back and serves on; the exit code is then 1. "
        "What is applied becomes a numbered revision.",
    )
    add_options(it)
    it.add_argument(
        "--models", type=Path, metavar="FOLDER", help="models to upload if missing (default: the package's)"
    )
    it.add_argument(
        "--installed",
        action="store_true",
        help="upload no code: the nodes have this package installed, as in an image of your own",
    )
    it.add_argument(
        "--target", choices=["ray", "aws", "kubernetes"], help="go on only if this is the settings' target.kind"
    )
    it.add_argument(
        "--output", type=Path, metavar="DIR", help="target kubernetes: write its manifests there, apply nothing"
    )
    it.set_defaults(run=_deploy)


def _deploy(arguments: argparse.Namespace) -> None:
    settings = load_settings(arguments.config)
    folder = arguments.models or packaged_models()
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder}")
    if arguments.target not in {None, settings.target.kind}:
        raise SettingsError(f"target.kind is {settings.target.kind}, not {arguments.target}: name other settings")
    if wants_manifests(settings, arguments.output):
        write_manifests(settings, open_registry(settings), folder, arguments.output)
        return
    archive = _archive(settings, installed=arguments.installed)
    with opened(settings) as session:
        wanted = from_settings(settings, session.registry, folder, archive)
        change(session, Goal(wanted.applications(), wanted.content, "deploy", wanted, folder), arguments)


def _archive(settings: DeploySettings, *, installed: bool) -> Archive | None:
    if not installed:
        return code_archive(settings.catalogue)
    if settings.catalogue is not None:
        raise SettingsError("catalogue goes with the code, and --installed sends none: install it on the nodes as "
                            "config/catalogue.csv, and leave catalogue null")  # fmt: skip
    return None
