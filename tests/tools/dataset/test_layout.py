"""What a path tells of its picture."""

from __future__ import annotations

import pytest

from tools.dataset.errors import UsageError
from tools.dataset.layout import Layout, Place


@pytest.mark.parametrize(
    ("template", "path", "place"),
    [
        ("{make}/{model}/{year}/{listing}/{name}", "VW/Golf/2012/77/a.jpg", Place("VW", "Golf", 2012, "77")),
        ("{make}/{model}/{year}/{listing}/{name}", "VW/Golf/2012/77/more/a.jpg", Place("VW", "Golf", 2012, "77")),
        ("{make}/{model}/{year}/{listing}/{name}", "VW/Golf/new/77/a.jpg", Place("VW", "Golf", None, "77")),
        ("{make}/{model}/{year}/{listing}/{name}", "a.jpg", Place()),
        ("{make}_{model}_{year}_{listing}_{name}", "VW_Golf_2012_77_1.jpg", Place("VW", "Golf", 2012, "77")),
        ("all/{name}", "all/x/1.jpg", Place()),
    ],
)
def test_paths_are_read(template: str, path: str, place: Place) -> None:
    assert Layout(template).place(path) == place


@pytest.mark.parametrize("template", ["{make}/{model}", "{colour}/{name}", "{make}/{make}/{name}"])
def test_layouts_that_make_no_sense(template: str) -> None:
    with pytest.raises(UsageError, match="layout"):
        Layout(template)
