"""Facts about models of cars: `python -m tools.catalogue check|import|coverage|show`.

A table is a CSV with the columns make, model, fact, value, currency, date, scope and source, one fact a line:

    make,model,fact,value,currency,date,scope,source
    suzuki,mehran,gearboxes,manual,,,4-speed,https://example.org/mehran
    suzuki,mehran,engine_power,39 hp,,,,"Pak Suzuki (2012): Mehran, owner's manual"
    suzuki,mehran,price,769000,PKR,2018,,https://example.org/prices

Facts are body_types, seats, engine_power (kW, hp or PS), fuels, gearboxes, years, price and aliases. Words of a list
are joined by |, spans written 4-5. Every fact needs its source; what is not known is left out, and answered as null.

The APIs answer from the shipped table unless their settings name another, here one with your own facts in it:

    python -m tools.catalogue import mine.csv --into cars.csv
    cloud-apis serve --config apis.yaml                # a copy of config/apis.yaml with the line: catalogue: cars.csv
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from cloud_apis.catalogue.facts import Facts
from cloud_apis.catalogue.table import Catalogue, load_catalogue, read_table, shipped_catalogue
from cloud_apis.errors import StartError
from tools.catalogue.table import join, read_cells, write_cells
from tools.data import data_root

KINDS = ("body_types", "seats", "engine_power_kw", "fuels", "gearboxes", "years", "prices")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m tools.catalogue", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="is a table sound? Every fault is named with its line")
    check.add_argument("file", type=Path, metavar="FILE")
    check.set_defaults(run=_check)
    add = commands.add_parser("import", help="join one's own table with a catalogue; a faulty one changes nothing")
    add.add_argument("file", type=Path, metavar="FILE", help="one's own table")
    add.add_argument("--into", type=Path, required=True, metavar="FILE", help="made from the shipped one if missing")
    add.add_argument(
        "--replace",
        action="store_true",
        help="own facts replace those of the same model, by any of its names, and kind",
    )
    add.add_argument("--dry-run", action="store_true", help="only tell what would change")
    add.set_defaults(run=_import)
    coverage = commands.add_parser("coverage", help="which facts are known of the models of labelled data")
    coverage.add_argument("--catalogue", type=Path, metavar="FILE", help="default: the shipped one")
    coverage.add_argument("--labels", type=Path, metavar="FILE", help="JSON whose annotations have make and model")
    coverage.add_argument("--most", type=int, default=40, metavar="N", help="the N most frequent models (default 40)")
    coverage.set_defaults(run=_coverage)
    show = commands.add_parser("show", help="what is known of a model, as the APIs answer it")
    show.add_argument("make")
    show.add_argument("model")
    show.add_argument("--catalogue", type=Path, metavar="FILE", help="default: the shipped one")
    show.set_defaults(run=_show)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command: 0 done, 1 a fault or nothing known, 2 wrong usage."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (StartError, OSError, ValueError) as error:
        print(f"catalogue: error: {error}", file=sys.stderr)
        return 1


def _check(args: argparse.Namespace) -> int:
    rows, faults = read_table(args.file)
    for fault in faults:
        print(f"{args.file}:{fault.line}: {fault.what}", file=sys.stderr)
    models = {(row.make, row.model) for row in rows if row.fact != "aliases"}
    print(f"{args.file}: {len(rows)} sound rows about {len(models)} models, {len(faults)} faults")
    return int(bool(faults))


def _import(args: argparse.Namespace) -> int:
    if _check(args):
        print("catalogue: nothing was imported: mend these lines first", file=sys.stderr)
        return 1
    base: Path = args.into if args.into.exists() else shipped_catalogue()
    load_catalogue(base)  # what is faulty already is told, not joined
    joined = join(read_cells(base), read_cells(args.file), args.replace)
    if not args.dry_run:
        write_cells(args.into, joined.rows)
    told = f"{joined.new} new, {joined.known} there already, {joined.replaced} replaced; {len(joined.rows)} rows"
    print(f"{args.into}: {told}{' (dry run: not written)' if args.dry_run else ''}")
    return 0


def _coverage(args: argparse.Namespace) -> int:
    catalogue = load_catalogue(args.catalogue)
    models = _models(args, catalogue)
    table = Table("make", "model", "pictures", *KINDS, title=f"{len(models)} models")
    known: Counter[str] = Counter()
    for (make, model), count in models:
        facts = catalogue.facts_of(make, model)
        has = [kind for kind in KINDS if facts is not None and getattr(facts, kind)]
        known.update(has)
        known["any"] += bool(has)
        table.add_row(make, model, f"{count or ''}", *("yes" if kind in has else "-" for kind in KINDS))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    console.print(table)
    print(f"of {len(models)} models {known['any']} have facts: " + ", ".join(f"{k} {known[k]}" for k in KINDS))
    return 0


def _models(args: argparse.Namespace, catalogue: Catalogue) -> list[tuple[tuple[str, str], int]]:
    root = data_root()
    labels = args.labels or (root / "vehicles" / "attributes_train.json" if root else None)
    if labels is None:
        return [((facts.make, facts.model), 0) for facts in catalogue]
    content: Any = json.loads(labels.read_text(encoding="utf-8"))
    counts = Counter(
        (a["make"], a["model"]) for a in content.get("annotations", ()) if a.get("make") and a.get("model")
    )
    if not counts:
        raise ValueError(f"{labels} has no annotations with make and model")
    return counts.most_common(args.most)


def _show(args: argparse.Namespace) -> int:
    facts: Facts | None = load_catalogue(args.catalogue).facts_of(args.make, args.model)
    if facts is None:
        print(f"catalogue: nothing is known of {args.make} {args.model}", file=sys.stderr)
        return 1
    print(json.dumps(facts.to_json(), indent=1, ensure_ascii=False))
    return 0
