"""The few things that the registry asks of S3, with messages that say what to do when one fails."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

import boto3
import botocore.exceptions
from botocore.config import Config

from deploy.errors import AccessError, MissingBucketError, MissingError, RegistryError, SettingsError, UnreachableError
from deploy.urls import http_url, without_user

PART_BYTES = 8 * 2**20
"""Size of an upload's parts; smaller files go in one piece. S3 takes no parts below 5 MiB but the last."""
_CHUNK_BYTES = 2**18
_CONNECT_S, _READ_S = 5, 20

Progress = Callable[[int], None]
"""Called with the number of bytes that have just been moved."""

_MISSING = {"404", "NoSuchKey", "NotFound"}
_BEATEN = {"PreconditionFailed", "412", "ConditionalRequestConflict", "409"}
_UPLOAD_GONE = {"NoSuchUpload", "ConditionalRequestConflict", "409"}
"""The upload was ended by someone else, or S3 wants it begun anew."""
_DENIED = {
    "AccessDenied": "the credentials may not do this: check the policy of the user or role",
    "403": "the credentials may not do this: check the policy of the user or role",
    "ExpiredToken": "the credentials have expired: get new ones (such as `aws sso login`)",
    "ExpiredTokenException": "the credentials have expired: get new ones (such as `aws sso login`)",
    "InvalidAccessKeyId": "the access key is unknown there: check AWS_ACCESS_KEY_ID or the profile",
    "SignatureDoesNotMatch": "the secret key is wrong: check AWS_SECRET_ACCESS_KEY or the profile",
    "InvalidToken": "the session token is not valid: get new credentials",
}
_MD5 = re.compile(r"[0-9a-f]{32}(-[0-9]+)?")
_BUSY = {"SlowDown", "503", "ServiceUnavailable", "InternalError", "500", "RequestTimeout"}


class _Body(Protocol):
    def iter_chunks(self, chunk_size: int) -> Iterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket and the prefix below it, with the endpoint and region if they are not the usual ones."""

    bucket: str
    prefix: str = ""
    endpoint_url: str | None = None
    region: str | None = None

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse_place(url: str, endpoint_url: str | None = None, region: str | None = None) -> Place:
    """Read ``s3://bucket/prefix``; raises `SettingsError`."""
    without_user(url)
    parts: SplitResult | None = None
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
    if parts is None or parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise SettingsError(f"{url!r} is no place for models: write s3://BUCKET/PREFIX")
    if endpoint_url is not None:
        http_url(endpoint_url)
    return Place(parts.netloc, parts.path.strip("/"), endpoint_url, region)


@dataclass(frozen=True, slots=True)
class Version:
    """A small object as it lies there: content, ETag, and age in seconds by the server's own clock."""

    data: bytes
    etag: str
    age_s: float


class Objects:
    """Objects below one prefix of a bucket. All methods raise a `RegistryError`."""

    def __init__(self, place: Place) -> None:
        self.place = place
        config = Config(
            connect_timeout=_CONNECT_S,
            read_timeout=_READ_S,
            retries={"max_attempts": 4, "mode": "standard"},
            user_agent_extra="plate-dashcam",
        )
        try:
            with self._explained():
                self._s3: Any = boto3.client(
                    "s3", endpoint_url=place.endpoint_url, region_name=place.region, config=config
                )
        except ValueError as error:  # from the environment or AWS's own settings: `parse_place` has looked at ours
            raise SettingsError("AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_S3 is no URL such as http://HOST:PORT") from error

    def read(self, key: str, limit: int) -> bytes | None:
        """A small object, None if there is none; one larger than ``limit`` bytes is refused."""
        with self._explained():
            try:
                answer = self._s3.get_object(Bucket=self.place.bucket, Key=self._key(key))
            except botocore.exceptions.ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            if int(answer["ContentLength"]) > limit:
                raise RegistryError(f"{self.place}/{key} is larger than the {limit} bytes that such an object may have")
            return bytes(answer["Body"].read())

    def write(self, key: str, data: bytes) -> None:
        """Write a small object, replacing one that is there."""
        with self._explained():
            self._s3.put_object(Bucket=self.place.bucket, Key=self._key(key), Body=data)

    def write_once(self, key: str, data: bytes) -> bool:
        """Write a small object unless there is one; false if there was."""
        return self.write_over(key, data, None) is not None

    def write_over(self, key: str, data: bytes, etag: str | None) -> str | None:
        """Write a small object in place of the version with this ETag, or, with None, unless there is one.

        Returns the new ETag; None when another version lies there (or, with an ETag, none any more): then nothing
        was written. Where a request was repeated since its answer was lost, what it wrote is what beats it: data that
        others could write at the same moment needs something of its own in it.
        """
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        with self._explained():
            try:
                answer = self._s3.put_object(Bucket=self.place.bucket, Key=self._key(key), Body=data, **condition)
            except botocore.exceptions.ClientError as error:
                if _code(error) not in _BEATEN and (etag is None or _code(error) not in _MISSING):
                    raise
                found = self.read_version(key, len(data) + 1) if _was_repeated(error) else None
                return found.etag if found is not None and found.data == data else None
        return str(answer["ETag"])

    def read_version(self, key: str, limit: int) -> Version | None:
        """A small object with its ETag and age, None if there is none."""
        with self._explained():
            try:
                answer = self._s3.get_object(Bucket=self.place.bucket, Key=self._key(key))
            except botocore.exceptions.ClientError as error:
                if _code(error) in _MISSING:
                    return None
                raise
            data = bytes(answer["Body"].read(limit))
            now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
            return Version(data, str(answer["ETag"]), (now - answer["LastModified"]).total_seconds())

    def size(self, key: str) -> int | None:
        """Bytes of an object, None if there is none."""
        found = self._head(key)
        return None if found is None else int(found["ContentLength"])

    def keys(self, prefix: str) -> Iterator[str]:
        """All keys that begin so, relative to the place's prefix, in order."""
        whole = self._key(prefix)
        with self._explained():
            pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.place.bucket, Prefix=whole)
            for page in pages:
                for item in page.get("Contents", ()):
                    yield str(item["Key"])[len(self._key("")) :]

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        with self._explained():
            self._s3.delete_object(Bucket=self.place.bucket, Key=self._key(key))

    def chunks(self, key: str, offset: int = 0) -> Iterator[bytes]:
        """The content of an object from a byte on; raises `MissingError` if there is none."""
        with self._explained():
            try:
                answer = self._s3.get_object(Bucket=self.place.bucket, Key=self._key(key), Range=f"bytes={offset}-")
            except botocore.exceptions.ClientError as error:
                if _code(error) in _MISSING:
                    raise MissingError(f"there is no object {self.place}/{key}") from error
                raise
            body: _Body = answer["Body"]
            yield from body.iter_chunks(_CHUNK_BYTES)

    def upload_once(self, key: str, path: Path, progress: Progress) -> bool:
        """Upload a file unless such an object with this content is there; false if it was.

        An object of another size or content, as a broken store leaves it, is replaced. A large file goes in parts; an
        upload that was cut is taken up where it ended (S3 keeps its parts).
        """
        size = path.stat().st_size
        found = self._head(key)
        if found is not None and _agrees(found, path):
            progress(size)
            return False
        if size <= PART_BYTES:
            written = self._upload_small(key, path.read_bytes(), replace=found is not None)
            progress(size)
            return written
        with self._explained():
            try:
                return self._upload_parts(self._key(key), path, progress, replace=found is not None)
            except botocore.exceptions.ClientError as error:
                if _code(error) not in _UPLOAD_GONE:
                    raise
            found = self._head(key)
            if found is not None and _agrees(
                found, path
            ):  # someone else completed it, or we did and the answer was lost
                return False
            return self._upload_parts(self._key(key), path, _quietly, replace=found is not None)

    def _head(self, key: str) -> Mapping[str, Any] | None:
        """What S3 says of an object without its content, None if there is none."""
        with self._explained():
            try:
                answer: Mapping[str, Any] = self._s3.head_object(
                    Bucket=self.place.bucket, Key=self._key(key), ChecksumMode="ENABLED"
                )
            except botocore.exceptions.ClientError:
                if self._is_missing(key):
                    return None
                raise
            return answer

    def _is_missing(self, key: str) -> bool:
        """Whether an object that HEAD was refused for is not there; raises what is wrong otherwise.

        What answers HEAD has no body and so no error code but its number: 403 may be a wrong key, 404 a missing bucket.
        """
        try:
            self._s3.get_object(Bucket=self.place.bucket, Key=self._key(key), Range="bytes=0-0")["Body"].close()
        except botocore.exceptions.ClientError as error:
            if _code(error) in _MISSING:
                return True
            raise
        return False

    def _upload_small(self, key: str, data: bytes, *, replace: bool) -> bool:
        if not replace:
            return self.write_once(key, data)
        self.write(key, data)
        return True

    def _upload_parts(self, key: str, path: Path, progress: Progress, *, replace: bool) -> bool:
        bucket = self.place.bucket
        upload, parts = self._begun(key)
        if upload is None:
            upload = str(self._s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"])
        done: list[dict[str, object]] = []
        with path.open("rb") as stream:
            for number in range(1, -(-path.stat().st_size // PART_BYTES) + 1):
                data = stream.read(PART_BYTES)
                known = parts.get(number)
                if known is None or not _same(known, data):
                    known = self._s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=data)
                done.append({"PartNumber": number, "ETag": known["ETag"]})
                progress(len(data))
        condition = {} if replace else {"IfNoneMatch": "*"}
        try:
            self._s3.complete_multipart_upload(
                Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": done}, **condition
            )
        except botocore.exceptions.ClientError as error:
            if _code(error) not in _BEATEN:
                raise
            self._s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload)
            if _code(error) not in ("PreconditionFailed", "412"):
                raise
            return False
        return True

    def _begun(self, key: str) -> tuple[str | None, dict[int, Mapping[str, Any]]]:
        """The upload of this key that was begun last, and its parts by number."""
        listed = self._s3.list_multipart_uploads(Bucket=self.place.bucket, Prefix=key)
        begun = [upload for upload in listed.get("Uploads", ()) if upload["Key"] == key]
        if not begun:
            return None, {}
        latest = max(begun, key=lambda upload: upload["Initiated"])
        pages = self._s3.get_paginator("list_parts").paginate(
            Bucket=self.place.bucket, Key=key, UploadId=latest["UploadId"]
        )
        return str(latest["UploadId"]), {int(p["PartNumber"]): p for page in pages for p in page.get("Parts", ())}

    def _key(self, key: str) -> str:
        return f"{self.place.prefix}/{key}" if self.place.prefix else key

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what boto3 raises into one line that says what to do; keys and tokens never stand in it."""
        try:
            yield
        except botocore.exceptions.ClientError as error:
            raise self._explain(_code(error), str(error.response.get("Error", {}).get("Message", ""))) from error
        except (botocore.exceptions.NoCredentialsError, botocore.exceptions.PartialCredentialsError) as error:
            raise AccessError(
                f"no credentials for {self.place}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            ) from error
        except (botocore.exceptions.ConnectionError, botocore.exceptions.HTTPClientError) as error:
            where = self.place.endpoint_url or "AWS"
            raise UnreachableError(
                f"{where} does not answer for {self.place}: check the network and registry.endpoint_url"
            ) from error
        except botocore.exceptions.BotoCoreError as error:
            raise RegistryError(f"{self.place}: {' '.join(str(error).split())}") from error

    def _explain(self, code: str, message: str) -> RegistryError:
        if code == "NoSuchBucket":
            return MissingBucketError(
                f"there is no bucket {self.place.bucket}: create it first, or correct registry.url"
            )
        if code in _DENIED:
            return AccessError(f"{self.place}: {_DENIED[code]}")
        if code in _BUSY:
            return UnreachableError(f"{self.place} is not able to answer just now ({code}): try again later")
        return RegistryError(f"{self.place}: {code}: {message}")


def _same(part: Mapping[str, Any], data: bytes) -> bool:
    """Whether a part that lies there already is this one: its ETag is the MD5 (but for some encrypted buckets)."""
    tag = str(part["ETag"]).strip('"')
    return int(part["Size"]) == len(data) and tag == hashlib.md5(data, usedforsecurity=False).hexdigest()


def _was_repeated(error: botocore.exceptions.ClientError) -> bool:
    return int(error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)) > 0


def _agrees(found: Mapping[str, Any], path: Path) -> bool:
    """Whether an object has the size and, as far as the store tells something of it, the content of a file."""
    if int(found["ContentLength"]) != path.stat().st_size:
        return False
    checksum = found.get("ChecksumSHA256")
    if checksum is not None and "-" not in str(checksum):  # else it is one of the parts' checksums
        with path.open("rb") as stream:
            return str(checksum) == base64.b64encode(hashlib.file_digest(stream, "sha256").digest()).decode()
    if found.get("ServerSideEncryption") not in (None, "AES256"):
        return True  # the ETag is no MD5 then
    tag = str(found.get("ETag", "")).strip('"')
    return tag == _etag(path) if _MD5.fullmatch(tag) else True


def _etag(path: Path) -> str:
    """The ETag that S3 gives to what `Objects.upload_once` makes of a file."""
    with path.open("rb") as stream:
        parts = [hashlib.md5(part, usedforsecurity=False) for part in iter(lambda: stream.read(PART_BYTES), b"")]
    if len(parts) == 1:
        return parts[0].hexdigest()
    joined = hashlib.md5(b"".join(part.digest() for part in parts), usedforsecurity=False)
    return f"{joined.hexdigest()}-{len(parts)}"


def _code(error: botocore.exceptions.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _quietly(count: int) -> None:
    """Bytes that are sent again are no progress."""
