"""The command `sample-inference`."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from rich.console import Console
from rich.table import Table

from cloud_apis.annotate import annotate
from cloud_apis.contract import is_open_way, plate_confidence, plate_text, reader_answer
from cloud_apis.images import encode_jpeg
from edge_client.errors import DashcamError
from edge_client.types import Image
from tools.sample_inference.errors import SampleError, UsageError
from tools.sample_inference.inference import Found, find_plates, open_apis, read_key
from tools.sample_inference.picture import load_picture

KEY_VARIABLE = "DASHCAM_API_KEY"
YOLOV3_VARIABLE, CRNN_VARIABLE = "YOLOV3_ENDPOINT", "CRNN_ENDPOINT"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"sample-inference: error: {message}; see `{self.prog} --help`\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 also when there is no plate, 1 when it failed, 2 for a wrong call."""
    arguments = _parser().parse_args(argv)
    logging.getLogger("edge_client").setLevel(logging.ERROR)  # its warnings come back as the error below
    try:
        _run(arguments)
    except (SampleError, DashcamError) as error:
        print(f"sample-inference: error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("sample-inference: interrupted", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="sample-inference",
        description="Find and read the number plates of one picture.",
        epilog=f"Without endpoints the APIs are started for this one call. The key may also be in {KEY_VARIABLE}.",
    )
    parser.add_argument("source", metavar="SRC", help="a picture: file or http(s) URL")
    parser.add_argument("--yolov3-endpoint", metavar="URL", help=f"the detector (default: ${YOLOV3_VARIABLE})")
    parser.add_argument("--crnn-endpoint", metavar="URL", help=f"the reader (default: ${CRNN_VARIABLE})")
    parser.add_argument("--api-key-file", type=Path, metavar="FILE", help="file whose first line is the APIs' key")
    parser.add_argument(
        "--key-unencrypted", action="store_true", help="send the key by http:// too, in a network that is yours alone"
    )
    parser.add_argument(
        "--threshold", type=_score, default=0.8, metavar="S", help="discard plates with a lower score, 0 to 1 (0.8)"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("prediction.jpg"),
        metavar="FILE",
        help="the annotated picture (prediction.jpg)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser


def _score(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _run(arguments: argparse.Namespace) -> None:
    yolov3, crnn = _endpoints(arguments)
    key = _key(arguments.api_key_file)
    if key and not arguments.key_unencrypted:
        _refuse_open_ways(yolov3, crnn)
    output: Path = arguments.output
    if not output.parent.is_dir():
        raise UsageError(f"cannot write {output}: there is no folder {output.parent}")
    if output.suffix.lower() not in {".jpg", ".jpeg"}:
        raise UsageError(f"{output}: the annotated picture is a JPEG, so end its name in .jpg")
    image = load_picture(arguments.source)
    with open_apis(yolov3, crnn, key) as apis:
        found = find_plates(image, apis, arguments.threshold)
    _write(output, image, found)
    if arguments.json:
        print(json.dumps({**reader_answer(found.plates), "discarded": found.discarded, "prediction": str(output)}))
    else:
        _print(found, arguments.threshold, output, Console(highlight=False))


def _endpoints(arguments: argparse.Namespace) -> tuple[str | None, str | None]:
    yolov3 = arguments.yolov3_endpoint or os.environ.get(YOLOV3_VARIABLE) or None
    crnn = arguments.crnn_endpoint or os.environ.get(CRNN_VARIABLE) or None
    if (yolov3 is None) != (crnn is None):
        missing = (
            f"--crnn-endpoint (or {CRNN_VARIABLE})" if crnn is None else f"--yolov3-endpoint (or {YOLOV3_VARIABLE})"
        )
        raise UsageError(f"set both endpoints or none; {missing} is missing")
    for url in (yolov3, crnn):
        if url is not None and not _is_http(url):
            raise UsageError(f"{url} is not an http(s) URL such as http://127.0.0.1:8080/yolov3")
    return yolov3, crnn


def _refuse_open_ways(*urls: str | None) -> None:
    for url in urls:
        if url is not None and is_open_way(url):
            raise UsageError(
                f"the API key would go to {urlsplit(url).hostname} unencrypted: ask by https://, or, in a network that "
                "is yours alone, add --key-unencrypted"
            )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def _key(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(KEY_VARIABLE, "").strip() or None
    try:
        return read_key(file)
    except OSError as error:
        raise UsageError(f"cannot read the key file {file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"the key file {file}: {error}") from None


def _write(output: Path, image: Image, found: Found) -> None:
    try:
        output.write_bytes(encode_jpeg(annotate(image, found.plates)))
    except OSError as error:
        raise SampleError(f"cannot write {output}: {error.strerror}") from None


def _print(found: Found, threshold: float, output: Path, console: Console) -> None:
    if found.plates:
        table = Table()
        table.add_column("plate", style="bold")
        table.add_column("confidence", justify="right")
        table.add_column("detected", justify="right")
        table.add_column("box: x, y, width, height (px)", justify="right")
        for plate in found.plates:
            box = plate.box
            size = f"{box.xmin:.0f}, {box.ymin:.0f}, {box.xmax - box.xmin:.0f}, {box.ymax - box.ymin:.0f}"
            text = plate_text(plate.words)
            table.add_row(
                text or "–", f"{plate_confidence(plate.words):.0%}" if text else "–", f"{box.score:.0%}", size
            )
        console.print(table)
    else:
        console.print("no plate found")
    if found.discarded:
        console.print(
            f"{found.discarded} below the threshold of {threshold:g} left out "
            f"(the best has {found.best_discarded:.2f}; see --threshold)"
        )
    console.print(f"annotated picture: {output}", soft_wrap=True)
