"""Puts the image's models into a store of the compose file; the bucket is made if there is none."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import boto3
import botocore.exceptions

from cloud_apis.model_files import packaged_models
from deploy.errors import DeployError
from deploy.registry.objects import Objects, parse_place
from deploy.registry.reference import DEFAULT_TAG
from deploy.registry.registry import Registry


def main(argv: Sequence[str] | None = None) -> int:
    """Publishes; 0 when done, 1 when the store failed, 2 for a wrong call."""
    parser = argparse.ArgumentParser(prog="python -m deploy.containers.publish", description=__doc__)
    parser.add_argument("--registry", required=True, metavar="URL", help="s3://BUCKET/PREFIX")
    parser.add_argument("--tag", default=DEFAULT_TAG, help="name for the models (default %(default)s)")
    args = parser.parse_args(argv)
    folder = packaged_models()
    names = sorted(path.stem for path in folder.glob("*.json") if path.with_suffix(".onnx").is_file())
    try:
        place = parse_place(args.registry)
        make_bucket(place.bucket)
        registry = Registry(Objects(place))
        for name in names:
            pushed = registry.push(folder, name, (args.tag,), lambda _: None)
            print(f"{pushed.reference}: {pushed.sent_bytes} bytes sent")
    except (DeployError, botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
        print(f"publish: error: {error}", file=sys.stderr)
        return 1
    return 0


def make_bucket(name: str) -> None:
    """Makes a bucket unless it is there; endpoint and credentials are those of the environment."""
    s3 = boto3.client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except botocore.exceptions.ClientError as error:
        if error.response.get("Error", {}).get("Code") not in ("404", "NoSuchBucket", "NotFound"):
            raise
        s3.create_bucket(Bucket=name)


if __name__ == "__main__":
    sys.exit(main())
