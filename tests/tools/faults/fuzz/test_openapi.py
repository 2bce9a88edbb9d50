"""The OpenAPI page says what the application does; schemathesis would find where it did not."""

from __future__ import annotations

import pytest

from cloud_apis.names import Api
from cloud_apis.web.app import create_app
from tools.faults.fuzz.bodies import small_settings
from tools.faults.fuzz.openapi import find, is_what_is_sent, plain

pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install -e '.[dev]'")


def test_it_finds_nothing() -> None:
    app = create_app(small_settings())
    made, found = find(app, 4, 1)
    assert made > 40
    assert not found
    assert "prefixItems" in str(app.openapi())


def test_it_finds_what_is_described_wrong() -> None:
    app = create_app(small_settings(), apis=(Api.YOLOV3,))
    described = app.openapi()
    described["paths"]["/v2"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "array"}
    _, found = find(app, 2, 1)
    assert any("/v2" in finding for finding in found)


def test_tuples_become_lists_of_any_of_theirs() -> None:
    pair = {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "minItems": 2}
    told = plain({"a": [pair]})
    assert told == {
        "a": [{"type": "array", "minItems": 2, "items": {"anyOf": [{"type": "number"}, {"type": "string"}]}}]
    }


def test_what_a_form_cannot_hold_is_not_judged() -> None:
    assert not is_what_is_sent("multipart/form-data", {"image": b"x", "": []})
    assert is_what_is_sent("multipart/form-data", {"image": b"x", "": [b"y"]})
    assert is_what_is_sent("application/json", {"imgs": []})
    assert is_what_is_sent("image/jpeg", b"")
