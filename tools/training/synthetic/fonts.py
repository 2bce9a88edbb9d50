"""Open fonts for synthetic plates, fetched by the npm client and kept outside version control.

``python -m tools.training.synthetic.fonts --to runs/fonts`` packs each package below with ``npm pack``, takes the
Latin cut of the listed weights and writes it as TrueType. No font is part of this repository.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

OPEN_FONT_LICENCE = "OFL-1.1"
APACHE = "Apache-2.0"
# Styles: what authorities stamp, what owners choose where they may, other scripts than Latin.
PLATE, FANCY, FOREIGN = "plate", "fancy", "foreign"


@dataclass(frozen=True)
class FontPackage:
    """One npm package of a font family: its name, the weights taken, its licence (SPDX), its style, its script."""

    name: str
    weights: tuple[int, ...]
    licence: str = OPEN_FONT_LICENCE
    style: str = PLATE
    script: str = "latin"


FONT_PACKAGES: tuple[FontPackage, ...] = (
    tuple(
        FontPackage(f"@fontsource/{family}", weights)
        for family, weights in {
            "antonio": (600,),
            "archivo-narrow": (600,),
            "asap-condensed": (600,),
            "b612-mono": (400, 700),
            "bai-jamjuree": (600,),
            "barlow": (500, 700),
            "barlow-condensed": (500, 700),
            "barlow-semi-condensed": (600,),
            "bebas-neue": (400,),
            "big-shoulders-display": (700,),
            "blinker": (600,),
            "chakra-petch": (600,),
            "dosis": (600,),
            "encode-sans-condensed": (600,),
            "exo-2": (600,),
            "fira-sans-condensed": (500,),
            "fjalla-one": (400,),
            "ibm-plex-mono": (600,),
            "ibm-plex-sans-condensed": (600,),
            "inconsolata": (700,),
            "k2d": (600,),
            "khand": (600,),
            "league-gothic": (400,),
            "m-plus-rounded-1c": (700,),
            "nunito": (700,),
            "oswald": (500,),
            "overpass": (600, 800),
            "overpass-mono": (600,),
            "oxanium": (600,),
            "pt-sans-narrow": (700,),
            "quicksand": (700,),
            "rajdhani": (600,),
            "saira": (500,),
            "saira-condensed": (600,),
            "saira-semi-condensed": (600,),
            "saira-stencil-one": (400,),
            "share-tech": (400,),
            "share-tech-mono": (400,),
            "staatliches": (400,),
            "teko": (500,),
            "titillium-web": (600,),
            "varela-round": (400,),
        }.items()
    )
    + tuple(
        FontPackage(f"@fontsource/{family}", weights, APACHE)
        for family, weights in {
            "arimo": (700,),
            "cousine": (700,),
            "open-sans-condensed": (700,),
            "roboto-condensed": (500, 700),
            "roboto-mono": (600,),
        }.items()
    )
    + tuple(
        FontPackage(f"@fontsource/{family}", weights, style=FANCY)
        for family, weights in {
            "aldrich": (400,),
            "anton": (400,),
            "archivo-black": (400,),
            "arvo": (700,),
            "audiowide": (400,),
            "bitter": (700,),
            "black-ops-one": (400,),
            "caladea": (700,),
            "courier-prime": (700,),
            "days-one": (400,),
            "gelasio": (600,),
            "goldman": (700,),
            "graduate": (400,),
            "jost": (500,),
            "kanit": (600,),
            "libre-baskerville": (700,),
            "michroma": (400,),
            "montserrat": (700,),
            "orbitron": (700,),
            "playfair-display": (700,),
            "quantico": (700,),
            "rokkitt": (600,),
            "rubik": (600,),
            "russo-one": (400,),
            "saira-extra-condensed": (600,),
            "syncopate": (700,),
            "tinos": (700,),
            "yanone-kaffeesatz": (500,),
            "zilla-slab": (700,),
        }.items()
    )
    + (
        FontPackage("@fontsource/roboto-slab", (700,), APACHE, FANCY),
        FontPackage("@fontsource/cairo", (700,), style=FOREIGN, script="arabic"),
        FontPackage("@fontsource/noto-kufi-arabic", (600,), style=FOREIGN, script="arabic"),
        FontPackage("@fontsource/heebo", (600,), style=FOREIGN, script="hebrew"),
    )
)
STYLES = {package.name.rsplit("/", 1)[-1]: package.style for package in FONT_PACKAGES}


def font_files(folder: Path) -> tuple[Path, ...]:
    """The fetched fonts of ``folder`` in name order; raises FileNotFoundError that says how to fetch them."""
    files = tuple(sorted(folder.glob("*.ttf")))
    if not files:
        raise FileNotFoundError(f"no fonts in {folder}: run python -m tools.training.synthetic.fonts --to {folder}")
    return files


def style_of(file_name: str) -> str:
    """The style of a font by the stem of its file (``family-weight``); unknown ones count as plate fonts."""
    return STYLES.get(file_name.rsplit("-", 1)[0], PLATE)


def to_truetype(woff2: bytes) -> bytes:
    """The same font uncompressed, as FreeType reads it."""
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(woff2))
    font.flavor = None
    out = io.BytesIO()
    font.save(out)
    return out.getvalue()


def extract(archive: Path, package: FontPackage, folder: Path) -> list[Path]:
    """Write the upright weights of the package's script from its npm archive as ``family-weight.ttf``."""
    family = package.name.rsplit("/", 1)[-1]
    written = []
    with tarfile.open(archive) as tar:
        for weight in package.weights:
            member = tar.extractfile(f"package/files/{family}-{package.script}-{weight}-normal.woff2")
            if member is None:
                raise KeyError(f"{package.name} has no weight {weight}")
            target = folder / f"{family}-{weight}.ttf"
            target.write_bytes(to_truetype(member.read()))
            written.append(target)
    return written


def fetch(folder: Path) -> int:
    """Fetch what is missing in ``folder``; returns how many packages could not be had (named on stderr)."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is missing: install Node.js, its client fetches the fonts")
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for package in FONT_PACKAGES:
        family = package.name.rsplit("/", 1)[-1]
        if all((folder / f"{family}-{weight}.ttf").is_file() for weight in package.weights):
            continue
        with tempfile.TemporaryDirectory() as scratch:
            answer = subprocess.run(
                [npm, "pack", "--silent", package.name], cwd=scratch, capture_output=True, text=True, check=False
            )
            try:
                if answer.returncode:
                    raise KeyError(answer.stderr.strip().splitlines()[-1] if answer.stderr.strip() else "npm failed")
                extract(next(Path(scratch).glob("*.tgz")), package, folder)
            except KeyError as error:
                failed += 1
                print(f"{package.name}: {error}", file=sys.stderr)
    return failed


def main(argv: Sequence[str] | None = None) -> int:
    """Command line of the fetcher."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=Path("runs/fonts"), help="folder for the .ttf files")
    parser.add_argument("--list", action="store_true", help="print names and licences, fetch nothing")
    arguments = parser.parse_args(argv)
    if arguments.list:
        for package in FONT_PACKAGES:
            print(f"{package.name}\t{package.licence}\t{','.join(map(str, package.weights))}")
        return 0
    try:
        failed = fetch(arguments.to)
    except FileNotFoundError as error:
        print(f"fonts: error: {error}", file=sys.stderr)
        return 1
    print(f"{len(list(arguments.to.glob('*.ttf')))} fonts in {arguments.to}, {failed} packages failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
