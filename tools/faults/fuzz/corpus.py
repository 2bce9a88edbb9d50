"""Inputs that once broke something, kept as small files: text as it is, all else as hexadecimal lines."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_HEX: Final = ".hex"
_LINE: Final = 120


def kept_inputs(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """The inputs of a folder with their files; ``#`` begins a comment in hexadecimal ones."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.suffix == _HEX:
            lines = (line.partition("#")[0] for line in file.read_text(encoding="ascii").splitlines())
            yield file, bytes.fromhex("".join(lines))
        else:
            yield file, file.read_bytes()


def keep(folder: Path, data: bytes, why: str, *, text: bool) -> Path:
    """Write an input into the folder, named after its content; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(data).hexdigest()[:12]
    if text:
        file = folder / f"{name}.txt"
        file.write_bytes(data)
        return file
    file = folder / f"{name}{_HEX}"
    digits = data.hex()
    lines = [digits[at : at + _LINE] for at in range(0, len(digits), _LINE)]
    reason = " ".join(why.encode("ascii", "replace").decode("ascii").split())
    file.write_text("\n".join([f"# {reason}", *lines, ""]), encoding="ascii")
    return file
