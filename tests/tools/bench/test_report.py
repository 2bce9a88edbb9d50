"""The report's time beside that of its branches."""

from __future__ import annotations

import json
from pathlib import Path

from tools.bench.cli import main


def test_the_report_is_timed_beside_its_branches(shared_data: Path, tmp_path: Path) -> None:
    assert main(["report", "--photos", "2", "--repeats", "1", "--json", str(tmp_path / "r.json")]) == 0
    rows = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["report"]
    assert len(rows) == 5
    assert all(row["repeats"] == 2 and row["median_s"] > 0 for row in rows.values())
