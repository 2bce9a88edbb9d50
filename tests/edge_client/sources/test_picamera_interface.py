"""Whether the fake has the interface of the real Picamera2, read from the installed package's sources.

They are parsed, not imported: an import needs libcamera, which only a Pi's system packages have.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.edge_client.sources import fake_picamera2

CLASSES = {
    "Picamera2": ["picamera2.py"],
    "Job": ["job.py"],
    "CompletedRequest": ["request.py"],
    "Output": ["outputs/output.py"],
    # Which of the two stands behind the name depends on the Pi; the fake has what both have.
    "H264Encoder": ["encoders/h264_encoder.py", "encoders/libav_h264_encoder.py"],
}
_PARENTS = {"encoders/h264_encoder.py": "encoders/encoder.py", "encoders/libav_h264_encoder.py": "encoders/encoder.py"}


def package() -> Path:
    spec = find_spec("picamera2")
    if spec is None or spec.origin is None:
        pytest.skip("Picamera2 is not installed (its sources are enough: pip install --no-deps picamera2)")
    return Path(spec.origin).parent


def methods(file: Path, name: str | None = None) -> dict[str, ast.FunctionDef]:
    """The methods of a class (the file's only one if no name is given), without overloads."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    found = next(node for node in classes if name is None or node.name == name)
    functions = [node for node in found.body if isinstance(node, ast.FunctionDef)]
    return {f.name: f for f in functions if "overload" not in map(ast.unparse, f.decorator_list)}


def signature(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    """Names of the arguments in order, and whether they may be left out."""
    arguments = function.args
    assert not arguments.kwonlyargs
    optional = len(arguments.args) - len(arguments.defaults)
    return [(argument.arg, index >= optional) for index, argument in enumerate(arguments.args)]


@pytest.mark.parametrize("name", list(CLASSES))
def test_the_fake_takes_what_the_real_one_takes(name: str) -> None:
    fake = methods(Path(fake_picamera2.__file__), name)
    public = {n: f for n, f in fake.items() if n == "__init__" or not n.startswith("_")}
    assert public
    for file in CLASSES[name]:
        real = methods(package() / file, None if name == "H264Encoder" else name)
        if file in _PARENTS:
            real = methods(package() / _PARENTS[file], "Encoder") | real
        assert set(public) <= set(real)
        for method, function in public.items():
            if name == "H264Encoder" and method == "__init__":
                assert set(signature(function)) <= set(signature(real[method]))  # they are given by name
            else:
                assert signature(function) == signature(real[method]), f"{name}.{method}"


def test_the_names_stand_where_they_are_imported_from() -> None:
    root = package()
    assert "Picamera2" in (root / "__init__.py").read_text(encoding="utf-8")
    assert "import Output" in (root / "outputs" / "__init__.py").read_text(encoding="utf-8")
    assert "H264Encoder" in (root / "encoders" / "__init__.py").read_text(encoding="utf-8")


def test_what_the_dashcam_reads_of_an_encoder_is_there() -> None:
    text = (package() / "encoders" / "encoder.py").read_text(encoding="utf-8")
    assert "self.firsttimestamp = ts" in text
    assert "[controls.SensorTimestamp] / 1000)" in text  # microseconds of the sensor's nanoseconds
    assert "timestamp_us = ts - self.firsttimestamp" in text
