"""Schemathesis against our own OpenAPI page: what the page says is what the application does.

Two things are told to it in other words. Its version 4 cannot read lists whose places have schemas of their own
(``prefixItems``), so that these become lists of any of them. And that a text holds a picture is beyond what a schema
can say, so that refusing one with 400 is no fault. Every other check holds, for data by the schema and against it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Final

from fastapi import FastAPI

from cloud_apis.web.app import create_app
from tools.faults.fuzz.bodies import small_settings
from tools.faults.row import Row
from tools.faults.trial import Effort, Trial

_CONFIG: Final[dict[str, Any]] = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": ["2xx", "400", "404"]},
        "negative_data_rejection": {"expected-statuses": ["400", "404", "405", "413", "415", "422"]},
    }
}
_PROMISED: Final = "it finds nothing"


def plain(node: Any) -> Any:
    """The same schema without ``prefixItems``."""
    if isinstance(node, list):
        return [plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    told = {key: plain(value) for key, value in node.items() if key != "prefixItems"}
    if "prefixItems" in node:
        told["items"] = {"anyOf": plain(node["prefixItems"])}
    return told


def is_what_is_sent(media_type: str | None, body: object) -> bool:
    """Whether a request can hold a generated body: a form has no part for an empty list, and is then another one."""
    form = media_type == "multipart/form-data" and isinstance(body, dict)
    return not (form and any(value == [] for value in body.values()))  # type: ignore[attr-defined] # it is a dict


def find(app: FastAPI, examples: int, seed: int) -> tuple[int, list[str]]:
    """How many requests were made, and what was found wrong, by operation."""
    import hypothesis
    import schemathesis

    described = app.openapi()
    app.openapi_schema = plain(described)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=schemathesis.Config.from_dict(_CONFIG))
    made, found = 0, []

    def check(case: Any) -> None:
        nonlocal made
        if is_what_is_sent(case.media_type, case.body):
            made += 1
            case.call_and_validate()

    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr] # one that is no good raises here
        for mode in schemathesis.GenerationMode:
            try:
                strategy = operation.as_strategy(generation_mode=mode)
                _drive(hypothesis, strategy, check, examples, seed)
            except hypothesis.errors.Unsatisfiable:
                continue  # nothing can be sent that is against a schema which says nothing
            except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 (whatever it finds, it raises)
                if "Unsatisfiable" not in type(error).__name__ and "SkipTest" not in type(error).__name__:
                    found.append(f"{operation.label}: {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    app.openapi_schema = described
    return made, found


def _drive(hypothesis: Any, strategy: Any, check: Callable[[Any], None], examples: int, seed: int) -> None:
    options = hypothesis.settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    hypothesis.seed(seed)(options(hypothesis.given(case=strategy)(check)))()


def trial(effort: Effort) -> Iterator[Row]:
    """All operations of an application with all APIs."""
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    made, found = find(create_app(small_settings()), effort.count(100, 6), effort.seed)
    measured = f"{made:,} requests, {len(found)} findings{': ' if found else ''}{'; '.join(found[:3])}"
    yield Row("schemathesis against our OpenAPI page", _PROMISED, measured, made > 0 and not found)


OPENAPI: Final = Trial("openapi", "what the OpenAPI page says, by schemathesis", trial)
