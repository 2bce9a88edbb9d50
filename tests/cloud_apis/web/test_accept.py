from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.web.accept import prefers_jpeg


@pytest.mark.parametrize(
    ("accept", "jpeg"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html", False),
        ("image/jpeg", True),
        ("IMAGE/JPEG", True),
        ("image/*", True),
        ("image/avif,image/*,*/*;q=0.8", True),
        ("application/json, image/jpeg", False),
        ("application/json;q=0.5, image/jpeg", True),
        ("application/json, image/jpeg;q=0.9", False),
        ("image/jpeg;q=0, */*", False),
        ("image/jpeg;q=nonsense", False),
    ],
)
def test_the_client_chooses(accept: str, jpeg: bool) -> None:
    assert prefers_jpeg(accept) is jpeg


@given(st.text(max_size=60))
def test_any_header_is_understood_somehow(accept: str) -> None:
    assert prefers_jpeg(accept) in (True, False)
