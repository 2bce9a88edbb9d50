"""Spoils JSON by what it means, not by its letters."""

from __future__ import annotations

import json
import random
from typing import Final

_DEEP: Final = 3000
_VALUES: Final[tuple[object, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    0.5,
    1.0000001,
    1e308,
    -1e308,
    2**63,
    10**400,
    "",
    "\0",
    "<script>",
    "\ud800",
    "٣",
    "A" * 5000,
    "%",
    [],
    {},
    [[]],
    {"": {}},
    [None],
    float("nan"),
    float("inf"),
    "NaN",
    "0.5",
)


def spoiled_json(random_: random.Random, text: bytes) -> bytes:
    """The same document with a value, a key or a part changed; what is no JSON stays as it is."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if random_.random() < 0.03:
        return b"[" * _DEEP + text + b"]" * random_.choice((0, _DEEP))
    return json.dumps(_changed(random_, document)).encode("utf-8", "surrogatepass")


def _changed(random_: random.Random, node: object) -> object:
    """A copy with one place changed, which may be the whole."""
    if isinstance(node, dict) and node and random_.random() < 0.85:
        key = random_.choice(list(node))
        match random_.randrange(8):
            case 0:
                return {k: v for k, v in node.items() if k != key}
            case 1:
                return {(k + random_.choice(("x", " ", "\0")) if k == key else k): v for k, v in node.items()}
            case 2:
                return node | {random_.choice(("img", "x", "__proto__", "")): random_.choice(_VALUES)}
            case _:
                return node | {key: _changed(random_, node[key])}
    if isinstance(node, list) and node and random_.random() < 0.85:
        at = random_.randrange(len(node))
        match random_.randrange(8):
            case 0:
                return node[:at] + node[at + 1 :]
            case 1:
                return node[:at] + [node[at]] * random_.choice((2, 2, 100)) + node[at:]
            case _:
                return [*node[:at], _changed(random_, node[at]), *node[at + 1 :]]
    return random_.choice(_VALUES)
