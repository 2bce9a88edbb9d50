"""The contract as a whole."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from cloud_apis import contract


def test_it_needs_nothing_but_the_standard_library() -> None:
    imported = set()
    for path in Path(contract.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
        imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert all(name.startswith("cloud_apis.contract.") for name in foreign)
    assert foreign, "the modules were found"
