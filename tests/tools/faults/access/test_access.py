"""Each way in is refused; one that is open would be seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_client.displays.web.access import Gate
from edge_client.requests.transport import Transport
from edge_client.store import export
from tools.faults.access import origins, paths, scripts, secrets, tls
from tools.faults.access.scripts import Look
from tools.faults.access.tries import Tries


@pytest.mark.parametrize("part", [tls, origins, paths, scripts, secrets], ids=lambda module: module.__name__[20:])
def test_all_is_refused(part: object, tmp_path: Path) -> None:
    rows = list(part.rows(tmp_path))  # type: ignore[attr-defined]
    assert rows
    assert not [row for row in rows if not row.kept]


def test_what_gets_through_is_a_fault_and_so_is_a_door_that_nobody_opens() -> None:
    tries = Tries("a", "b")
    assert not tries.row().kept  # nothing was tried
    tries.refused("one", refused=True)
    assert tries.row().kept
    tries.welcome("the right one", let_in=False)
    assert not tries.row().kept
    open_ = Tries("a", "b")
    open_.refused("two", refused=False)
    assert not open_.row().kept
    assert "two" in open_.row().measured


def test_a_transport_that_checks_no_certificate_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Transport._new_way
    monkeypatch.setattr(Transport, "_new_way", lambda self, url: replace(made(self, url), verify=False))
    row = next(iter(tls.rows(tmp_path)))
    assert not row.kept
    assert "expired" in row.measured


def test_a_page_that_answers_to_any_name_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "host_allowed", lambda self, header: True)
    assert not next(origins.page_rows(tmp_path)).kept


def test_an_export_with_formulas_would_be_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "_harmless", lambda text: text)
    assert not next(scripts.rows(tmp_path)).kept


@pytest.mark.parametrize(
    "markup",
    [
        "<p><script>document.title='pwned'</script></p>",
        "<img src=x onerror=f()>",
        "<iframe srcdoc='x'></iframe>",
        '<a href="javascript:f()">x</a>',
        "<svg onload=f()></svg>",
        "<style>*{background:url(http://127.0.0.1:1/leak)}</style>",
    ],
)
def test_markup_that_texts_made_is_seen(markup: str) -> None:
    look = Look()
    look.feed(f"<title>Dashcam</title><script src='page.js'></script><p>plain</p>{markup}")
    assert look.found
    harmless = Look()
    harmless.feed("<title>Dashcam</title><script src='page.js'></script><p>&lt;script&gt;f()&lt;/script&gt;</p>")
    assert not harmless.found
    assert "<script>f()</script>" in harmless.text
