"""The command `cloud-apis`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cloud_apis.contract import is_loopback
from cloud_apis.endpoint import KEY_VARIABLE, Endpoint, bind, read_api_key
from cloud_apis.errors import StartError
from cloud_apis.names import Api

_LEVELS = ("debug", "info", "warning", "error")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 0, 1 when the server could not run, 2 for wrong usage or settings."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        level=arguments.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    try:
        return _serve(arguments)
    except StartError as error:
        return _failed(error, 1)
    except KeyboardInterrupt:  # before the server took over the signals
        return 130


def _serve(arguments: argparse.Namespace) -> int:
    # Imported late: --help and wrong settings need neither onnxruntime nor OpenCV.
    try:
        from cloud_apis.crnn.regions import load_regions  # noqa: PLC0415
        from cloud_apis.settings import load_settings  # noqa: PLC0415

        settings = load_settings(arguments.config)
        if arguments.models:
            settings = settings.model_copy(update={"models": arguments.models})
        if arguments.model:
            settings = settings.model_copy(update={"model_references": arguments.model})
        if arguments.region:
            crnn = settings.crnn.model_copy(update={"regions": arguments.region})
            settings = settings.model_copy(update={"crnn": crnn})
        load_regions(settings.crnn.regions)
        key = read_api_key(arguments.api_key_file or settings.api_key_file)
        if key is None and not is_loopback(arguments.host):
            raise StartError(
                f"{arguments.host} can be reached from other machines, so an API key is needed: "
                f"give --api-key-file or set {KEY_VARIABLE}"
            )
        if arguments.keyfile and not arguments.certfile:
            raise StartError("--keyfile is of no use without --certfile")
    except StartError as error:
        return _failed(error, 2)
    try:
        from cloud_apis.server import serve  # noqa: PLC0415
        from cloud_apis.web.app import create_app  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise StartError(f"{error.name} is not installed: pip install 'plate-dashcam[cloud]'") from error
    endpoint = Endpoint(arguments.host, arguments.port, arguments.port_file, arguments.certfile, arguments.keyfile)
    with bind(endpoint) as listener:
        apis = tuple(map(Api, arguments.api)) if arguments.api else None
        app = create_app(settings, apis=apis, api_key=key, local=key is None)
        serve(app, endpoint, listener, arguments.exit_with_parent)
    return 0


def _failed(error: StartError, code: int) -> int:
    print(f"cloud-apis: error: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloud-apis", description="The prediction APIs: licence plates and vehicles.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve the APIs over HTTP", description=_serve_help())
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument("--port", type=_port, default=8080, help="port, 0 for a free one (%(default)s)")
    serve.add_argument(
        "--api",
        action="append",
        choices=[str(api) for api in Api],
        help="offer this API only (may be repeated; default: all whose models are there, of a registry the plates'); "
        "with colors alone, POST / does as POST /colors",
    )
    serve.add_argument("--config", type=Path, help="settings file (default: the one that is shipped)")
    serve.add_argument(
        "--models", metavar="SOURCE", help="folder of the models, or s3://BUCKET/PREFIX of a registry (needs extra ray)"
    )
    serve.add_argument(
        "--model",
        action="append",
        metavar="REFERENCE",
        help="version of a model from a registry: NAME:TAG or NAME@sha256:DIGEST (may be repeated)",
    )
    serve.add_argument(
        "--region",
        action="append",
        metavar="CODE",
        help="expect plates of this region, such as GB or US-CA (may be repeated; in place of crnn.regions)",
    )
    serve.add_argument("--port-file", type=Path, help="file to write the port to, once the server is ready")
    serve.add_argument("--api-key-file", help="file whose first line is the API key that clients must send")
    serve.add_argument("--certfile", type=Path, help="certificate chain in PEM: serve HTTPS")
    serve.add_argument("--keyfile", type=Path, help="private key in PEM, unless it is in the certificate's file")
    serve.add_argument(
        "--exit-with-parent",
        nargs="?",
        type=int,
        const=os.getppid(),
        metavar="PID",
        help="end as soon as the process that started this one (or the one named) has ended",
    )
    serve.add_argument("--log-level", choices=_LEVELS, default="warning", help="what to log (%(default)s)")
    return parser


def _serve_help() -> str:
    return (
        "Serve the prediction APIs, their documentation (/docs) and a page to try them (/) until a signal ends it. "
        "An address that other machines can reach needs an API key."
    )


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return port
