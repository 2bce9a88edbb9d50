"""The command `cloud-deploy`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from deploy.errors import DeployError, SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 when it failed, 2 for wrong usage or settings."""
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
    except ModuleNotFoundError as error:
        return _failed(DeployError(f"{error.name} is not installed: pip install 'plate-dashcam[ray]'"), 1)
    except SettingsError as error:
        return _failed(error, 2)
    except DeployError as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    # Imported here: what the extra `ray` brings may be missing.
    from deploy.commands import cluster, delete, deploy, logs, models, plan, rollback, status  # noqa: PLC0415

    parser = argparse.ArgumentParser(
        prog="cloud-deploy", description="Brings models and prediction APIs to where they run."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    models.add_parser(commands)
    cluster.add_parser(commands)
    plan.add_parser(commands)
    for command in (deploy, rollback, delete, status, logs):
        command.add_parser(commands)
    return parser


def _failed(error: DeployError, code: int) -> int:
    print(f"cloud-deploy: error: {error}", file=sys.stderr)
    return code


if __name__ == "__main__":
    raise SystemExit(main())
