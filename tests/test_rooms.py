"""Which room may import what (see the table of rooms in the design)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("edge_client", "cloud_apis", "deploy", "tools", "config", "tests")

# Of our own rooms, what a room may import besides itself: packages, or single modules.
ALLOWED = {
    "edge_client": ("cloud_apis.contract",),
    "cloud_apis": (),
    "deploy": ("cloud_apis",),
    "tools": ("edge_client", "cloud_apis", "deploy", "config"),
    "config": (),
    "tests": ("edge_client", "cloud_apis", "deploy", "tools", "config"),
}
# What of others is kept to some rooms.
KEPT = {
    "ray": ("deploy", "tests"),
    "boto3": ("deploy", "tests"),
    "torch": ("tools", "tests"),
    "onnxruntime": ("cloud_apis", "tools", "tests"),
}
# Data sets of millions of pictures are prepared on Ray Data; one module of the tools knows it.
EXCEPTED = {"tools/dataset/on_ray.py": ("ray",)}
NEVER = ("pickle", "cPickle", "dill", "marshal", "shelve")


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything that a module imports; relative imports are made absolute."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def belongs(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(f"{allowed}.")


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(room)
        for line, name in imports(path)
        if name.split(".")[0] in ROOMS
        and name.split(".")[0] != room
        and not any(belongs(name, allowed) for allowed in ALLOWED[room])
    ]
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_heavy_libraries_stay_in_their_rooms(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(room)
        for line, name in imports(path)
        if room not in KEPT.get(name.split(".")[0], (room,))
        and name.split(".")[0] not in EXCEPTED.get(path.relative_to(ROOT).as_posix(), ())
    ]
    assert not wrong


@pytest.mark.parametrize("room", ROOMS)
def test_nothing_is_unpickled_or_evaluated(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(room)
        for line, name in imports(path)
        if name.split(".")[0] in NEVER and room != "tests"
    ]
    for path in modules(room):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("eval", "exec"):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.func.id}")
    assert not wrong


def test_the_rules_see_wrong_imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    room = tmp_path / "edge_client"
    room.mkdir()
    (room / "wrong.py").write_text("def f():\n    from cloud_apis import contract, yolov3\nimport torch\n", "utf-8")
    (room / "right.py").write_text("from cloud_apis.contract import PlateBox\nfrom . import wrong\n", "utf-8")
    with pytest.raises(AssertionError, match=r"wrong.py:2: cloud_apis.yolov3"):
        test_a_room_imports_only_what_it_may("edge_client")
    with pytest.raises(AssertionError, match=r"torch"):
        test_heavy_libraries_stay_in_their_rooms("edge_client")
    assert ("edge_client.wrong") in [name for _, name in imports(room / "right.py")]
