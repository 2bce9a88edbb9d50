"""What a vehicle report costs, and what it gains by reading plates beside looking at vehicles."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import requests
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from cloud_apis.contract.vehicles import REPORT_PATH
from cloud_apis.images import decode_bgr, encode_jpeg, inspect
from cloud_apis.model_files import packaged_models
from cloud_apis.names import Api
from cloud_apis.services.loading import Networks
from cloud_apis.services.plates import grey_of, read_plates
from cloud_apis.services.vehicles import Reporter, ReportRequest, vehicle_crop
from cloud_apis.settings import load_settings
from tools.bench.figures import Timing, timing
from tools.data import require_data_root
from tools.evaluation.sets import read_picture
from tools.serving import served

WARM_UP = 5


def bench_report(args: argparse.Namespace, _: Path, console: Console) -> dict[str, object]:
    """Time of `/vehicle-report` for pictures with one car, beside its two branches alone and their sum."""
    pictures = one_car_pictures(require_data_root() / "vehicles", args.photos)
    networks = Networks(args.models or packaged_models(), load_settings(args.config))
    reporter = Reporter(networks.finder, networks.classifier, networks.detector, networks.reader, 1)

    def vehicles(data: bytes) -> None:
        picture = decode_bgr(data, inspect(data))
        for box in networks.finder.find(picture):
            networks.classifier.classify(vehicle_crop(picture, box))

    def plates(data: bytes) -> None:
        read_plates(networks.detector, networks.reader, grey_of(decode_bgr(data, inspect(data))))

    def one_after_the_other(data: bytes) -> None:
        vehicles(data)
        plates(data)

    rows: dict[str, Timing] = {}
    try:
        for name, work in (
            ("vehicles found and looked at", vehicles),
            ("plates found and read", plates),
            ("both, one after the other", one_after_the_other),
            ("both beside each other: the report", lambda data: reporter.report(ReportRequest(data, annotated=False))),
        ):
            rows[name] = _timed(work, pictures, args.repeats, name)
    finally:
        reporter.close()
    with served(load_settings(args.config), [Api.REPORT]) as server, requests.Session() as session:

        def over_http(data: bytes) -> None:
            session.post(server.url + REPORT_PATH, data, headers={"Content-Type": "image/jpeg"}).raise_for_status()

        rows["the report over HTTP"] = _timed(over_http, pictures, args.repeats, "the report over HTTP")
    table = Table("work", "median", "p99", title=f"{len(pictures)} pictures with one car, {args.repeats} rounds")
    for name, row in rows.items():
        table.add_row(name, f"{row.median_s * 1000:.1f} ms", f"{row.p99_s * 1000:.1f} ms")
    console.print(table)
    return {name: dataclasses.asdict(row) for name, row in rows.items()}


def one_car_pictures(root: Path, count: int) -> list[bytes]:
    """So many pictures as JPEG, of the split val, in which one vehicle is marked. Raises OSError."""
    coco = json.loads((root / "attributes_val.json").read_text(encoding="utf-8"))
    vehicles = Counter(annotation["image_id"] for annotation in coco["annotations"])
    files = [root / image["file_name"] for image in coco["images"] if vehicles[image["id"]] == 1]
    return [encode_jpeg(read_picture(file)) for file in files[:count]]


def _timed(work: Callable[[bytes], object], pictures: list[bytes], rounds: int, name: str) -> Timing:
    for picture in pictures[:WARM_UP]:
        work(picture)
    durations_s = []
    for picture in tqdm(pictures * rounds, name, leave=False, disable=None):
        begun_s = time.perf_counter()
        work(picture)
        durations_s.append(time.perf_counter() - begun_s)
    return timing(durations_s)
