"""Makes the secrets of the compose file: a key for clients, and the store's credentials. Old ones stay."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent / "secrets"
NAMES = ("api_key", "store_credentials", "store_identities")


def main(argv: Sequence[str] | None = None) -> int:
    """Makes them; 0 when they are there, 1 when the folder cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m deploy.containers.make_secrets", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: beside the compose file")
    args = parser.parse_args(argv)
    try:
        made = make(args.folder)
    except OSError as error:
        print(f"make_secrets: error: {error}", file=sys.stderr)
        return 1
    print(f"{args.folder}: {'made' if made else 'there already'}; clients send what is in api_key as X-API-Key")
    return 0


def make(folder: Path) -> bool:
    """Writes the three files unless all are there; whether it did.

    The folder may be entered by its owner alone. The files in it can be read by all, since Docker mounts each by
    itself for the container's user, who is not the one who made them.
    """
    if all((folder / name).is_file() for name in NAMES):
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    access, secret = secrets.token_hex(10), secrets.token_urlsafe(30)
    identity = {
        "name": "apis",
        "credentials": [{"accessKey": access, "secretKey": secret}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    contents = {
        "api_key": f"{secrets.token_urlsafe(32)}\n",
        "store_credentials": f"[default]\naws_access_key_id = {access}\naws_secret_access_key = {secret}\n",
        "store_identities": json.dumps({"identities": [identity]}) + "\n",
    }
    for name, content in contents.items():
        file = folder / name
        file.touch(mode=0o644)
        file.write_text(content, encoding="utf-8")
        file.chmod(0o644)
    return True


if __name__ == "__main__":
    sys.exit(main())
