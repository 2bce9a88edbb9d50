from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.errors import ApiError
from cloud_apis.web.multipart import parts_named


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_parts_come_out_as_they_were_sent(contents: list[bytes]) -> None:
    files = [("imgs", (f"{i}.jpg", data, "image/jpeg")) for i, data in enumerate(contents)]
    sent = requests.Request("POST", "http://x", files=files or [("imgs", b"")]).prepare()
    assert isinstance(sent.body, bytes)
    assert parts_named("imgs", sent.body, sent.headers["content-type"], 10) == (contents or [b""])


def test_a_part_without_a_file_name_is_taken_too() -> None:
    body = b"--b\r\ncontent-disposition: form-data; name=imgs\r\n\r\n\xff\xd8\r\n--b--"
    assert parts_named("imgs", body, 'multipart/form-data; boundary="b"', 1) == [b"\xff\xd8"]


@given(st.binary(max_size=200))
def test_any_body_is_taken_or_refused(body: bytes) -> None:
    for content in (body, b"--b" + body, b"--b\r\n" + body + b"\r\n--b--"):
        try:
            parts = parts_named("imgs", content, "multipart/form-data; boundary=b", 3)
        except ApiError as error:
            assert error.status in (400, 413, 422)
        else:
            assert len(parts) <= 3


@pytest.mark.parametrize(
    "header", ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; x=y"]
)
def test_a_missing_boundary_is_named(header: str) -> None:
    with pytest.raises(ApiError, match="boundary"):
        parts_named("imgs", b"--b--", header, 1)
