"""The difference between what is wanted and what runs, in the words of the settings."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud_apis.names import Api
from deploy.registry.reference import ModelReference
from deploy.rollout.difference import Change, Kind, differences, is_same
from deploy.serving.description import application
from deploy.settings import DeploySettings

DIGEST, OTHER = "0123456789abcdef" * 4, "fedcba9876543210" * 4


def described(digest: str = DIGEST, code: str = "1", key: str | None = None, **api: Any) -> dict[str, Any]:
    settings = DeploySettings.model_validate({"registry": {"url": "s3://bucket/x"}, "apis": {"yolov3": api}})
    models = [ModelReference("yolov3", digest=digest)]
    return application(Api.YOLOV3, settings, models, code_uri=f"s3://bucket/x/code/{code}.zip", key=key)


def test_the_same_is_no_difference() -> None:
    found = differences([described()], [copy.deepcopy(described())])
    assert is_same(found)
    assert [(each.name, each.kind, each.changes) for each in found] == [("yolov3", Kind.SAME, ())]


def test_what_serve_copies_from_the_whole_description_is_no_difference() -> None:
    assert is_same(differences([described()], [{**described(), "logging_config": {"enable_access_log": False}}]))


@pytest.mark.parametrize(
    ("change", "key", "old", "new", "starts"),
    [
        ({"threads": 2}, "threads", 1, 2, True),
        ({"queue": 5}, "queue", 32, 5, True),
        ({"digest": OTHER}, "models.yolov3", f"sha256:{DIGEST}", f"sha256:{OTHER}", True),
        ({"code": "2"}, "code", "s3://bucket/x/code/1.zip", "s3://bucket/x/code/2.zip", True),
        ({"key": "sha256:ab"}, "api_key", None, "sha256:ab", True),
        ({"resources": {"cpus": 2}}, "resources.cpus", 1.0, 2.0, True),
        ({"resources": {"memory_mb": 1}}, "resources.memory_bytes", None, 2**20, True),
        ({"replicas": {"min": 2, "max": 2}}, "replicas", 1, 2, False),
    ],
)
def test_a_changed_key_is_named_with_both_values(
    change: dict[str, Any], key: str, old: object, new: object, starts: bool
) -> None:
    for way in (1, -1):
        before, after = (described(), described(**change))[::way]
        (found,) = differences([after], [before])
        assert found.kind is Kind.CHANGED
        assert Change(key, *(old, new)[::way]) in found.changes
        assert found.starts_replicas == starts


def test_autoscaling_in_place_of_a_number() -> None:
    (found,) = differences([described(replicas={"min": 1, "max": 3})], [described()])
    told = {change.key: (change.old, change.new) for change in found.changes}
    assert told["replicas"] == (1, None) and told["replicas.max"] == (None, 3)
    assert not found.starts_replicas


def test_added_and_removed() -> None:
    (added,) = differences([described()], [])
    assert added.kind is Kind.ADDED and added.starts_replicas
    assert Change("threads", None, 1) in added.changes
    (removed,) = differences([], [described()])
    assert removed.kind is Kind.REMOVED and not removed.starts_replicas
    assert not is_same([added]) and not is_same([removed]) and is_same([])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(values, values)
def test_no_change_of_an_argument_is_overlooked(old: object, new: object) -> None:
    before, after = ({"name": "yolov3", "args": {"x": value}} for value in (old, new))
    (found,) = differences([after], [before])
    assert (found.kind is Kind.SAME) == (old == new or _empty(old) == _empty(new))


def _empty(value: object) -> object:
    """Without empty tables, which state nothing, and none for absent."""
    if isinstance(value, dict):
        return {key: inner for key, raw in value.items() if (inner := _empty(raw)) is not None} or None
    return value
