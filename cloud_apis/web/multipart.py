"""The parts of a `multipart/form-data` body (RFC 7578), taken from a body that is already in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from cloud_apis.errors import ApiError, bad_body, too_large, wrong_shape

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


def parts_named(name: str, body: bytes, content_type: str, most: int) -> list[bytes]:
    """Contents of the parts, all of which must have the name given.

    Raises `ApiError`: 400 when the body is broken, 413 when there are more than `most` parts, 422 when a part
    has another name.
    """
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise bad_body("the content type multipart/form-data lacks its boundary")
    collector = _Collector(most)
    try:
        parser = MultipartParser(boundary, collector.callbacks())
        parser.write(body)
        parser.finalize()
    except FormParserError as error:  # also for a boundary that is longer than any
        raise bad_body("the multipart body is broken") from error
    if not collector.ended:
        raise bad_body("the multipart body is cut off")
    for disposition in collector.dispositions:
        _, parameters = parse_options_header(disposition)
        if parameters.get(b"name") != name.encode():
            raise wrong_shape(f"every part must be named {name}")
    return [bytes(content) for content in collector.contents]


class PartsLook:
    """Counts the parts of a form as it comes; raises `ApiError` 413 when it begins one too many."""

    def __init__(self, content_type: str, most: int) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        self._mark = b"--" + boundary if boundary else b""
        self._most = most
        self._found = 0
        self._tail = b""

    def __call__(self, chunk: bytes) -> None:
        """The next bytes."""
        if not self._mark:
            return
        seen = self._tail + chunk
        self._found += seen.count(self._mark)
        # One mark stands before each part and one behind the last.
        if self._found > self._most + 1:
            raise _too_many(self._most)
        end = seen.rfind(self._mark)
        begun = max(end + len(self._mark) if end >= 0 else 0, len(seen) - len(self._mark) + 1)
        self._tail = seen[begun:]


def _too_many(most: int) -> ApiError:
    return too_large(f"more than {most} {'picture' if most == 1 else 'crops'} in one request")


class _Collector:
    """Gathers what the parser reports."""

    def __init__(self, most: int) -> None:
        self.contents: list[bytearray] = []
        self.dispositions: list[bytes] = []
        self.ended = False
        self._most = most
        self._name = bytearray()
        self._value = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        """What the parser is to call."""
        return {
            "on_part_begin": self._begin,
            "on_part_data": self._data,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.contents) >= self._most:
            raise _too_many(self._most)
        self.contents.append(bytearray())
        self.dispositions.append(b"")

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.contents[-1] += memoryview(data)[start:end]

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self.dispositions[-1] = bytes(self._value)
        self._name.clear()
        self._value.clear()

    def _end(self) -> None:
        self.ended = True
