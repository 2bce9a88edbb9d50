from __future__ import annotations

import pytest

from deploy.errors import SettingsError
from deploy.registry.reference import ModelReference, parse_reference

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yolov3", ModelReference("yolov3", tag="latest")),
        ("yolov3:v1.2_x", ModelReference("yolov3", tag="v1.2_x")),
        (f"crnn@sha256:{DIGEST}", ModelReference("crnn", digest=DIGEST)),
    ],
)
def test_names_tags_and_digests(text: str, expected: ModelReference) -> None:
    assert parse_reference(text) == expected
    assert parse_reference(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    ["", ":", "a:", "a@", "../a", "a/b", "A", "a:b c", "a:../b", f"a@md5:{DIGEST}", f"a@sha256:{DIGEST[:-1]}", "a@x:y"],
)
def test_what_names_no_model_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="names no model"):
        parse_reference(text)
