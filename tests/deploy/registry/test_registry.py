"""Models pushed to, listed in and pulled from a real S3 server."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from deploy.errors import (
    AccessError,
    CorruptError,
    MissingError,
    RegistryError,
    SettingsError,
    UnreachableError,
)
from deploy.registry.cache import ModelCache
from deploy.registry.objects import PART_BYTES, Objects, Place, _agrees, parse_place
from deploy.registry.reference import parse_reference
from deploy.registry.registry import Registry, blob_key
from tests.deploy.conftest import BUCKET, write_model
from tests.deploy.registry.losing import losing


class Counter:
    """Adds up the bytes that progress is told of."""

    def __init__(self) -> None:
        self.bytes = 0

    def __call__(self, count: int) -> None:
        self.bytes += count


def quiet(count: int) -> None:
    """For whom progress is nothing."""


def test_a_model_comes_back_as_it_was_pushed(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path / "in", "yolov3", b"network")
    write_model(tmp_path / "in", "crnn", b"another")
    counter = Counter()
    pushed = registry.push(tmp_path / "in", "yolov3", ("latest", "stable"), counter)
    assert counter.bytes == pushed.descriptor.size == pushed.sent_bytes
    other = registry.push(tmp_path / "in", "crnn", ("latest",), quiet)
    counter = Counter()
    folder = ModelCache(tmp_path / "cache").pull(registry, [pushed.reference, parse_reference("crnn")], counter)
    assert sorted(p.name for p in folder.iterdir()) == sorted(
        f"{n}.{e}" for n in ("crnn", "yolov3") for e in ("json", "md", "onnx")
    )
    for path in folder.iterdir():
        assert path.read_bytes() == (tmp_path / "in" / path.name).read_bytes()
    assert counter.bytes == pushed.descriptor.size + other.descriptor.size
    listed = {one.descriptor.name: one.tags for one in registry.models()}
    assert listed == {"yolov3": ("latest", "stable"), "crnn": ("latest",)}


def test_what_is_there_is_not_sent_again(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path, "yolov3", b"network")
    first = registry.push(tmp_path, "yolov3", (), quiet)
    second = registry.push(tmp_path, "yolov3", ("latest",), quiet)
    assert second.reference == first.reference
    assert second.sent_bytes == 0
    assert registry.resolve(parse_reference("yolov3")) == first.reference


def test_a_tag_moves_and_the_digest_stays(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path, "yolov3", b"old")
    old = registry.push(tmp_path, "yolov3", ("latest",), quiet).reference
    write_model(tmp_path, "yolov3", b"new")
    new = registry.push(tmp_path, "yolov3", ("latest",), quiet).reference
    assert registry.resolve(parse_reference("yolov3")) == new != old
    registry.tag(old, "latest")
    assert registry.resolve(parse_reference("yolov3")) == old
    with pytest.raises(SettingsError, match="no tag"):
        registry.tag(old, "../x")


def test_a_large_file_goes_on_where_its_upload_was_cut(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = os.urandom(2 * PART_BYTES + 1000)
    write_model(tmp_path / "in", "yolov3", network)
    sent: list[int] = []
    upload = registry.objects._s3.upload_part

    def cut(**wanted: object) -> object:
        if len(sent) == 1:
            sent.append(0)
            raise ConnectionResetError("cut")
        answer = upload(**wanted)
        sent.append(int(str(wanted["PartNumber"])))
        return answer

    monkeypatch.setattr(registry.objects._s3, "upload_part", cut)
    with pytest.raises(ConnectionResetError):
        registry.push(tmp_path / "in", "yolov3", ("latest",), quiet)
    assert list(registry.models()) == []
    with pytest.raises(MissingError, match="push it first"):
        registry.resolve(parse_reference("yolov3"))
    sent[:] = [9, 9, 9]
    registry.push(tmp_path / "in", "yolov3", ("latest",), quiet)
    assert sent == [9, 9, 9, 2, 3]  # the first part lay there already
    folder = ModelCache(tmp_path / "cache").pull(registry, [parse_reference("yolov3")], quiet)
    assert (folder / "yolov3.onnx").read_bytes() == network


def test_a_download_goes_on_where_it_was_cut(registry: Registry, tmp_path: Path) -> None:
    network = os.urandom(3 * 2**20)
    write_model(tmp_path / "in", "yolov3", network)
    pushed = registry.push(tmp_path / "in", "yolov3", ("latest",), quiet)
    sha256 = next(f.sha256 for f in pushed.descriptor.files if f.name == "yolov3.onnx")
    blobs = tmp_path / "cache" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{sha256}.part").write_bytes(network[: 2**20])
    counter = Counter()
    folder = ModelCache(tmp_path / "cache").pull(registry, [pushed.reference], counter)
    assert (folder / "yolov3.onnx").read_bytes() == network
    assert counter.bytes == pushed.descriptor.size
    assert not list(blobs.glob("*.part"))


_PULL_AS_ANOTHER = """
import fcntl, sys
from pathlib import Path
from deploy.registry.cache import ModelCache
from deploy.registry.objects import Objects, parse_place
from deploy.registry.reference import parse_reference
from deploy.registry.registry import Registry

really = fcntl.flock

def told(stream, operation):
    print("locks", flush=True)
    really(stream, operation)

fcntl.flock = told
cache, url, endpoint, reference = sys.argv[1:]
registry = Registry(Objects(parse_place(url, endpoint, "us-east-1")))
print(ModelCache(Path(cache)).pull(registry, [parse_reference(reference)], lambda _: None), flush=True)
"""


def test_two_processes_pull_one_file_at_the_same_time(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path / "in", "yolov3", os.urandom(2**20))
    pushed = registry.push(tmp_path / "in", "yolov3", (), quiet)
    cache, place = tmp_path / "cache", registry.objects.place
    line = [str(cache), str(place), str(place.endpoint_url), str(pushed.reference)]
    with subprocess.Popen([sys.executable, "-c", _PULL_AS_ANOTHER, *line], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        first: list[str] = []

        def progress(_: int) -> None:
            if not first:  # in the midst of a file: the other must wait for it
                assert other.stdout is not None
                first.append(other.stdout.readline())

        folder = ModelCache(cache).pull(registry, [pushed.reference], progress)
        *_, last = other.stdout.read().splitlines()
    assert first == ["locks\n"]
    assert other.returncode == 0 and last == str(folder)
    for path in (tmp_path / "in").iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes()


def test_a_changed_file_is_refused_and_nothing_is_left(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path / "in", "yolov3", b"network")
    pushed = registry.push(tmp_path / "in", "yolov3", ("latest",), quiet)
    cache = ModelCache(tmp_path / "cache")
    good = cache.pull(registry, [pushed.reference], quiet)
    sha256 = next(f.sha256 for f in pushed.descriptor.files if f.name == "yolov3.onnx")
    for changed in (b"netw0rk", b"net", b"network and more"):
        registry.objects.write(blob_key(sha256), changed)
        other = ModelCache(tmp_path / "other")
        with pytest.raises(CorruptError, match=r"yolov3.onnx .* push it again"):
            other.pull(registry, [pushed.reference], quiet)
        assert not (tmp_path / "other" / "sets").exists()
        assert not (tmp_path / "other" / "blobs" / sha256).exists()
    assert (good / "yolov3.onnx").read_bytes() == b"network"
    assert cache.pull(registry, [pushed.reference], quiet) == good


@pytest.mark.parametrize("size", [1000, 2 * PART_BYTES + 1000])
def test_pushing_again_mends_a_damaged_file(registry: Registry, tmp_path: Path, size: int) -> None:
    network = os.urandom(size)
    write_model(tmp_path / "in", "yolov3", network)
    pushed = registry.push(tmp_path / "in", "yolov3", ("latest",), quiet)
    sha256 = next(f.sha256 for f in pushed.descriptor.files if f.name == "yolov3.onnx")
    for number, damaged in enumerate((network[:-1], b"x" + network[1:])):
        registry.objects.write(blob_key(sha256), damaged)
        again = registry.push(tmp_path / "in", "yolov3", ("latest",), quiet)
        assert (again.reference, again.sent_bytes) == (pushed.reference, size)
        folder = ModelCache(tmp_path / f"cache{number}").pull(registry, [pushed.reference], quiet)
        assert (folder / "yolov3.onnx").read_bytes() == network
        assert registry.push(tmp_path / "in", "yolov3", ("latest",), quiet).sent_bytes == 0


def test_a_checksum_that_the_store_gives_decides(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"network")
    right = base64.b64encode(hashlib.sha256(b"network").digest()).decode()
    assert _agrees({"ContentLength": 7, "ChecksumSHA256": right, "ETag": '"of a key"'}, file)
    assert not _agrees({"ContentLength": 7, "ChecksumSHA256": right.swapcase()}, file)
    assert _agrees({"ContentLength": 7, "ServerSideEncryption": "aws:kms", "ETag": f'"{"0" * 32}"'}, file)
    assert not _agrees({"ContentLength": 7, "ETag": f'"{"0" * 32}"'}, file)


def test_a_model_that_does_not_fit_its_manifest_is_not_pushed(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path, "yolov3", b"network")
    (tmp_path / "yolov3.onnx").write_bytes(b"changed")
    with pytest.raises(CorruptError, match="SHA-256 differs"):
        registry.push(tmp_path, "yolov3", (), quiet)
    with pytest.raises(MissingError, match=r"crnn.onnx is missing"):
        registry.push(tmp_path, "crnn", (), quiet)
    assert list(registry.objects.keys("")) == []


def test_a_changed_description_is_refused(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path, "yolov3", b"network")
    pushed = registry.push(tmp_path, "yolov3", ("latest",), quiet)
    key = f"models/yolov3/{pushed.reference.digest}.json"
    registry.objects.write(key, pushed.descriptor.to_bytes().replace(b"yolov3.onnx", b"../../evil"))
    with pytest.raises(CorruptError, match="its hash differs"):
        ModelCache(tmp_path / "cache").pull(registry, [pushed.reference], quiet)
    registry.push(tmp_path, "yolov3", ("latest",), quiet)
    assert registry.descriptor(pushed.reference) == pushed.descriptor


def test_a_missing_bucket_and_missing_credentials_are_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingError, match="there is no bucket nowhere: create it"):
        list(Registry(Objects(Place("nowhere", "", place.endpoint_url, "us-east-1"))).models())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    boto3.DEFAULT_SESSION = None
    with pytest.raises(AccessError, match="AWS_ACCESS_KEY_ID"):
        list(Registry(Objects(place)).models())


def test_a_server_that_is_down_is_named(place: Place) -> None:
    down = Registry(Objects(Place(BUCKET, "", "http://127.0.0.1:1", "us-east-1")))
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:1 does not answer"):
        down.resolve(parse_reference("yolov3"))


class Refusal(BaseHTTPRequestHandler):
    """Answers everything with one S3 error."""

    answer: ClassVar[tuple[int, str]] = (403, "AccessDenied")

    def do_GET(self) -> None:
        status, code = self.answer
        body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (403, "AccessDenied", AccessError, "may not do this"),
        (400, "ExpiredToken", AccessError, "have expired"),
        (403, "InvalidAccessKeyId", AccessError, "unknown there"),
        (403, "SignatureDoesNotMatch", AccessError, "secret key is wrong"),
        (400, "InvalidToken", AccessError, "not valid"),
        (404, "NoSuchBucket", MissingError, "there is no bucket"),
        (418, "Teapot", RegistryError, "Teapot"),
    ],
)
def test_refusals_say_what_to_do_and_no_secret(
    place: Place, status: int, code: str, kind: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Refusal, "answer", (status, code))
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        registry = Registry(Objects(Place(BUCKET, "", f"http://127.0.0.1:{running.server_port}", "us-east-1")))
        with pytest.raises(kind, match=words) as caught:
            registry.resolve(parse_reference("yolov3"))
        with pytest.raises(kind, match=words) as by_head:
            registry.objects.size("x")
        running.shutdown()
    assert "a-secret-of-nobody" not in f"{caught.value}{by_head.value}"


@pytest.mark.parametrize("url", ["models", "http://models/x", "s3://", "s3://b/x?y", "s3://[x"])
def test_what_is_no_place_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="s3://BUCKET/PREFIX"):
        parse_place(url)


@pytest.mark.parametrize(
    "url", ["127.0.0.1:9000", "http://", "http://[x", "http://h:x", "ftp://h", "http://h h", "http://h?q"]
)
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="is no URL of a server"):
        parse_place("s3://bucket", url)


def test_an_endpoint_of_the_environment_that_is_no_url_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "127.0.0.1:9000")
    with pytest.raises(SettingsError, match="AWS_ENDPOINT_URL_S3 is no URL"):
        Objects(replace(place, endpoint_url=None))


def test_marks_of_folders_are_no_models(registry: Registry, tmp_path: Path) -> None:
    write_model(tmp_path, "yolov3", b"network")
    registry.push(tmp_path, "yolov3", ("latest",), quiet)
    for mark in ("tags/", "tags/yolov3/", "models/", "models/yolov3/", "models/x"):
        registry.objects.write(mark, b"")
    assert [(one.descriptor.name, one.tags) for one in registry.models()] == [("yolov3", ("latest",))]


def test_places_are_read() -> None:
    assert parse_place("s3://bucket/a@b") == Place("bucket", "a@b")
    assert parse_place("s3://bucket/a/b/") == Place("bucket", "a/b")
    assert str(Place("bucket")) == "s3://bucket"


def test_a_version_is_replaced_by_who_has_seen_it_only(registry: Registry) -> None:
    objects = registry.objects
    first = objects.write_over("lock", b"1", None)
    assert first is not None
    assert objects.write_over("lock", b"other", None) is None
    second = objects.write_over("lock", b"2", first)
    assert second is not None
    assert objects.write_over("lock", b"3", first) is None
    assert objects.write_over("none", b"3", first) is None
    found = objects.read_version("lock", 100)
    assert found is not None and (found.data, found.etag) == (b"2", second)
    assert -2 < found.age_s < 60
    assert objects.read_version("none", 100) is None


def test_a_write_whose_answer_was_lost_is_known_to_be_ones_own(place: Place) -> None:
    lost: list[str] = []

    def first_put_of_each(method: str, path: str) -> bool:
        if method != "PUT" or path in lost:
            return False
        lost.append(path)
        return True

    with losing(str(place.endpoint_url), first_put_of_each) as url:
        objects = Objects(replace(place, endpoint_url=url))
        etag = objects.write_over("lock", b"mine", None)
        assert etag is not None and len(lost) == 1
        lost.clear()
        assert objects.write_over("lock", b"mine, renewed", etag) is not None and len(lost) == 1
        fresh = Objects(replace(place, endpoint_url=url))  # on a connection of its own: none that was closed
        assert fresh.write_over("lock", b"mine, renewed", None) is None  # beaten at once, nothing was lost
        lost.clear()
        assert objects.write_over("lock", b"another", None) is None and len(lost) == 1


def test_an_upload_that_was_completed_unheard_or_ended_by_others(place: Place, tmp_path: Path) -> None:
    network = os.urandom(PART_BYTES + 1000)
    write_model(tmp_path, "yolov3", network)
    straight = Objects(place)
    lost: list[str] = []

    def first_completion(method: str, path: str) -> bool:
        if method != "POST" or "uploadId=" not in path or lost:
            return False
        lost.append(path)
        return True

    with losing(str(place.endpoint_url), first_completion) as url:
        Objects(replace(place, endpoint_url=url)).upload_once("unheard", tmp_path / "yolov3.onnx", quiet)
    assert lost and b"".join(straight.chunks("unheard")) == network

    ended: list[str] = []

    def last_part(method: str, path: str) -> bool:
        if "partNumber=2" in path and not ended:
            upload = parse_qs(urlsplit(path).query)["uploadId"][0]
            straight._s3.abort_multipart_upload(Bucket=place.bucket, Key=f"{place.prefix}/ended", UploadId=upload)
            ended.append(upload)
        return False

    counter = Counter()
    with losing(str(place.endpoint_url), last_part) as url:
        assert Objects(replace(place, endpoint_url=url)).upload_once("ended", tmp_path / "yolov3.onnx", counter)
    assert ended and b"".join(straight.chunks("ended")) == network
    assert counter.bytes <= len(network)
