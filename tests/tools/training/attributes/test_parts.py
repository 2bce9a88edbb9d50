from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the train extra is not installed")

from torch.nn import functional

from cloud_apis.attributes.heads import HeadManifest
from tests.tools.dataset import catalogues
from tools.data import data_root
from tools.dataset.cli import main as dataset
from tools.training.attributes.calibrate import calibrate
from tools.training.attributes.classes import Head, Targets, heads_of, targets
from tools.training.attributes.depthwise import depthwise
from tools.training.attributes.examples import (
    AMENDED,
    FURTHER,
    HEADS,
    Example,
    amended,
    load_further,
    load_own,
    load_shared,
)
from tools.training.attributes.fold import folded_for_good
from tools.training.attributes.lite import EfficientNetLite
from tools.training.attributes.measure import measure
from tools.training.attributes.network import POOLED, head_loss, pool
from tools.training.attributes.pictures import Crop, cut, load_crops, plain_view, random_view
from tools.training.attributes.plan import Plan
from tools.training.attributes.run import parts_of
from tools.training.attributes.split import groups, in_dev


def example(name: str = "b.jpg", **labels: str) -> Example:
    return Example(Path("a") / name, None, labels, "test")


@pytest.mark.parametrize(("stride", "kernel"), [(1, 3), (2, 3), (1, 5), (2, 5)])
def test_the_quick_depthwise_convolution_has_torchs_gradients(stride: int, kernel: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 11, 14, requires_grad=True)
    weight = torch.randn(4, 1, kernel, kernel, requires_grad=True)
    ours = torch.autograd.grad(depthwise(x, weight, stride).square().sum(), (x, weight))
    theirs = torch.autograd.grad(functional.conv2d(x, weight, None, stride, 0, 1, 4).square().sum(), (x, weight))
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_folding_changes_no_output() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite(0).eval()
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        before = network(image)
        after = folded_for_good(network)(image)
    assert before.shape == (1, 1280, 2, 3)
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-4)


def test_heads_see_the_upper_and_the_lower_half_apart() -> None:
    maps = torch.zeros(2, 5, 7, 3)
    maps[:, :, 3:] = 7.0
    pooled = pool(maps)
    assert pooled.shape == (2, POOLED * 5)
    torch.testing.assert_close(pooled[0], torch.tensor([4.0] * 5 + [0.0] * 5 + [7.0] * 5))
    assert pool(torch.ones(1, 5, 1, 1)).isfinite().all()  # of a map that is one row high both halves are this row


def test_pictures_pass_by_blocks_while_it_trains_and_never_else() -> None:
    torch.manual_seed(0)
    network = EfficientNetLite(0)
    image = torch.randn(1, 3, 64, 64).expand(8, -1, -1, -1)
    with torch.no_grad():
        plain = network.eval()(image)
        network.drop_paths(0.5)
        assert torch.equal(network(image), plain)
        answers = network.train()(image)
        spread = (answers - answers[:1]).abs().max()
        assert spread > 0.1 * plain.abs().mean()  # each picture goes its own way
        network.drop_paths(0.0)
        torch.testing.assert_close(network(image), plain, rtol=1e-4, atol=0)


def test_rare_makes_are_others_and_rare_models_their_makes_others() -> None:
    cars = [example(make="ford", model="focus")] * 8 + [example(make="ford", model="ka")] + [example(make="saab")]
    makes, models = heads_of([*cars, *[example(make="kia")] * 8], least=8, least_models=6)
    assert makes == Head("make", ("ford", "kia", "*"))
    assert models == Head("model", ("ford/*", "ford/focus", "kia/*", "*"))
    rows = [
        example(make="ford", model="focus"), example(make="ford", model="ka"), example(make="ford"),
        example(make="saab", model="900"), example(colour="red"),
    ]  # fmt: skip
    right = targets(rows, models)
    wanted = [[0, 1, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
    assert right.right.int().tolist() == wanted
    assert right.weight.tolist() == [1, 1, 1, 1, 0.5]


def test_a_further_car_of_which_nobody_named_the_make_does_not_teach_an_unknown_make() -> None:
    head = Head("make", ("ford", "*"))
    rows = [Example(Path("b.jpg"), None, {"colour": "red"}, "test", further=further) for further in (False, True)]
    assert targets(rows, head).weight.tolist() == [0.5, 0.0]


def test_the_loss_falls_where_any_right_class_is_likely_and_ignores_the_unlabelled() -> None:
    right = torch.tensor([[True, True, False], [False, False, False]])
    known = Targets(right, torch.tensor([1.0, 0.0]))
    good = head_loss(torch.tensor([[5.0, 5.0, -5.0], [9.0, 0.0, 0.0]]), known, 0.0)
    bad = head_loss(torch.tensor([[-5.0, -5.0, 5.0], [9.0, 0.0, 0.0]]), known, 0.0)
    assert good < 0.01 < bad
    logits = torch.zeros(1, 3, requires_grad=True)
    torch.autograd.backward(head_loss(logits, Targets(right[1:], torch.zeros(1)), 0.1))
    assert logits.grad is not None
    assert not logits.grad.any()


def test_near_duplicates_are_held_out_together() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (40, 60, 3), dtype=np.uint8) for _ in range(40)]
    pictures += [np.clip(p.astype(int) + 4, 0, 255).astype(np.uint8) for p in pictures[:20]]
    pictures += [np.ascontiguousarray(p[:, ::-1]) for p in pictures[20:30]]
    crops = [Crop(picture, (0, 0, 60, 40)) for picture in pictures]
    leaders = groups(crops)
    assert leaders[40:60].tolist() == list(range(20))
    assert leaders[60:].tolist() == list(range(20, 30))
    held_out = in_dev([example(f"{number}.jpg") for number in range(70)], leaders, 30)
    assert (held_out[40:60] == held_out[:20]).all()
    assert 0 < held_out[:40].sum() < 40


def test_pictures_of_a_listing_are_held_out_together() -> None:
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (40, 60, 3), dtype=np.uint8) for _ in range(8)]
    crops = [Crop(picture, (0, 0, 60, 40)) for picture in (*pictures, pictures[5])]
    listings = ["a", "", "b", "a", "", "b", "c", "", "c"]
    # The last is a copy of the sixth: b and c are one.
    assert groups(crops, listings).tolist() == [0, 1, 2, 0, 4, 2, 2, 7, 2]


def test_a_table_of_the_data_sets_tool_is_taken_as_it_is(tmp_path: Path) -> None:
    root, work = tmp_path / "pictures", tmp_path / "work"
    for make in ("vw/golf", "fiat/panda"):
        catalogues.listings(root, make, 2010, 12, 2, first=50 * (make == "fiat/panda"))
    for step in (["repair", root, "--processes", 1], ["merge"], ["split", "--least", 4, "--place", "link"]):
        assert dataset([str(word) for word in (*step, "--work", work)]) == 0
    cars = load_own([work / "split" / "train.csv"])
    assert {(*one.labels, *one.labels.values()) for one in cars} == {("class", "vw golf"), ("class", "fiat panda")}
    assert {one.source for one in cars} == {"train"}
    assert len({one.listing for one in cars}) == len(cars) / 2 > 4
    assert len(load_crops(cars)[0]) == len(cars)


def test_views_have_the_size_asked_for_and_wild_ones_no_colours() -> None:
    crop = cut(np.full((50, 80, 3), (10, 20, 200), np.uint8), (10, 10, 70, 40))
    assert plain_view(crop, (96, 128)).shape == (96, 128, 3)
    assert plain_view(crop, (96, 128))[0, 0].tolist() == [200, 20, 10]
    rng = np.random.default_rng(1)
    views = [random_view(crop, (48, 64), rng) for _ in range(200)]
    assert {view.shape for view, _ in views} == {(48, 64, 3)}
    reddest = [(view.reshape(-1, 3).mean(0).argmax() == 0) for view, trusted in views if trusted]
    assert np.mean(reddest) > 0.95
    assert 0 < len(reddest) < 200


def test_the_white_balance_is_a_little_off_where_colours_count() -> None:
    crop = cut(np.full((50, 80, 3), 120, np.uint8), (10, 10, 70, 40))
    rng = np.random.default_rng(1)
    views = [random_view(crop, (48, 64), rng) for _ in range(200)]
    greys = np.array([np.median(view.reshape(-1, 3), axis=0) for view, trusted in views if trusted])
    tints = np.ptp(greys, axis=1) / greys.mean(1)
    assert 0.03 < np.median(tints) < 0.12
    assert tints.max() < 0.4


def test_a_square_view_shows_the_middle_alone() -> None:
    picture = np.full((60, 180, 3), (200, 20, 10), np.uint8)
    picture[:, 50:130] = (10, 20, 200)
    crop = cut(picture, (0, 0, 180, 60))
    rng = np.random.default_rng(1)
    shares = {
        square: np.mean([random_view(crop, (64, 64), rng, square=square)[0][:, :8, 0].mean() > 100 for _ in range(60)])
        for square in (False, True)
    }
    assert shares[True] > 0.7 and shares[False] < 0.3


def test_answers_that_are_too_sure_are_softened_and_the_doubtful_not_given() -> None:
    rng = np.random.default_rng(0)
    head = Head("colour", ("red", "blue", "white"))
    truth = rng.integers(0, 3, 600)
    said = np.where(rng.random(600) < 0.7, truth, rng.integers(0, 3, 600))
    logits = np.zeros((600, 3), np.float32)
    logits[np.arange(600), said] = rng.uniform(1, 9, 600)
    examples = [example(colour=head.labels[number]) for number in truth]
    found = calibrate({"colour": logits}, examples, [head])["colour"]
    assert found.temperature > 1.5
    assert measure({"colour": logits}, examples, [head]).figures["colour"] == pytest.approx(0.8, abs=0.05)


def test_a_known_calibration_is_kept_and_measured() -> None:
    head = Head("colour", ("black", "red"))
    logits = np.array([[5, 0], [0, 5], [5, 0], [1, 0]], np.float32)
    examples = [example(colour=colour) for colour in ("black", "red", "red", "black")]
    kept = {"colour": HeadManifest(name="colour", labels=list(head.labels), temperature=2.5, least=0.8)}
    found = calibrate({"colour": logits}, examples, [head], kept)["colour"]
    assert (found.temperature, found.least, found.answered) == (2.5, 0.8, 0.75)
    assert found.right == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="has no head type"):
        calibrate({"type": logits}, examples, [Head("type", ("suv", "van"))], kept)


def test_fewer_that_are_held_out_are_some_of_the_more() -> None:
    examples = [example(f"{number}.jpg") for number in range(400)]
    more, fewer = (in_dev(examples, np.arange(400), percent) for percent in (30, 10))
    assert 10 < fewer.sum() < more.sum() < 200
    assert not (fewer & ~more).any()


def test_folders_are_classes(tmp_path: Path) -> None:
    for name in ("sedan", "van"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").write_bytes(b"")
    assert [one.labels for one in load_own([tmp_path], "type")] == [{"type": "sedan"}, {"type": "van"}]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,colour\n", "must name the column file"),
        ("file,model\n", "needs the column make"),
        ("file,colour\nnone.jpg,red\n", "line 2: there is no picture"),
        ("file,xmin,ymin,xmax,ymax,colour\nhere.jpg,1,2,,4,red\n", "line 2: xmin, ymin, xmax and ymax"),
        ("file,xmin,ymin,xmax,ymax,colour\nhere.jpg,5,2,1,4,red\n", "line 2: the box has no area"),
        ("file,xmin,ymin,xmax,ymax,colour\nhere.jpg,1,2,inf,4,red\n", "line 2: xmin, .* must be pixels"),
        ("file,xmin,ymin,xmax,ymax,colour\nhere.jpg,nan,2,3,4,red\n", "line 2: xmin, .* must be pixels"),
        ("file,xmin,ymin,xmax,ymax,colour\nhere.jpg,-1e308,2,1e308,4,red\n", "line 2: xmin, .* must be pixels"),
    ],
)
def test_a_bad_table_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "here.jpg").write_bytes(b"")
    table = tmp_path / "cars.csv"
    table.write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        load_own([table])


def test_boxes_outside_their_pictures_are_left_out_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((600, 800, 3), 90, np.uint8))
    boxes = [
        "900,100,990,200", "800,0,900,50", "-90,-90,-10,-10", "0,700,10,800", "0,600,800,900",
        "-50,-50,20,20", "799.5,0,900,600", "0,599,800,599.2", "100,100,200,200", ",,,",
    ]  # fmt: skip
    table = tmp_path / "cars.csv"
    table.write_text("file,xmin,ymin,xmax,ymax,colour\n" + "".join(f"a.png,{box},red\n" for box in boxes))
    with caplog.at_level("WARNING"):
        kept, crops = load_crops(load_own([table]))
    assert [example.box and example.box[0] for example in kept] == [-50, 799.5, 0, 100, None]
    assert all(min(crop.image.shape) > 0 for crop in crops)
    assert "5 of 10 boxes lie outside their pictures" in caplog.text
    assert "cannot be read" not in caplog.text


def test_pictures_that_are_all_alike_cannot_be_trained_on(tmp_path: Path) -> None:
    picture = tmp_path / "cars" / "car.png"
    picture.parent.mkdir()
    cv2.imwrite(str(picture), np.arange(64 * 64 * 3, dtype=np.uint32).reshape(64, 64, 3).astype(np.uint8))
    rows = [Example(picture, None, {"colour": ("red", "blue")[number % 2]}, "own") for number in range(20)]
    with pytest.raises(ValueError, match="held out"):
        parts_of(rows, tmp_path / "run")


def test_a_run_has_each_listing_on_one_side(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    cars = []
    for number in range(120):
        file = tmp_path / f"{number}.png"
        cv2.imwrite(str(file), cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (64, 48)))
        cars.append(Example(file, None, {"class": "ab"[number % 2]}, "own", listing=str(number // 3)))
    parts = parts_of(cars, tmp_path / "run")
    kept, dev = ([one.listing for one in part.examples] for part in (parts.kept, parts.dev))
    assert len(dev) == 3 * len(set(dev)) > 0
    assert set(dev).isdisjoint(kept)


def test_further_cars_are_trained_on_and_never_measured_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    cars = []
    for number in range(60):
        file = tmp_path / f"{number}.png"
        cv2.imwrite(str(file), cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (64, 48)))
        label = {"colour": ("red", "blue")[number % 2]}
        cars += [Example(file, None, label, "test"), Example(file, (0, 0, 40, 40), label, "test", further=True)]
    parts = parts_of(cars, tmp_path / "run")
    held_out = {example.file for example in parts.dev.examples}
    assert 0 < len(held_out) == len(parts.dev.examples) < 30
    assert not any(example.further for example in parts.dev.examples)
    assert sum(example.further for example in parts.kept.examples) == 60 - len(held_out)
    assert held_out.isdisjoint(example.file for example in parts.kept.examples)
    weights = parts.kept.weights(Plan())
    further = np.array([example.further for example in parts.kept.examples])
    assert weights[further].max() < weights[~further].min()


def test_the_pictures_of_a_source_are_drawn_as_often_as_wanted(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    cars = []
    for number in range(60):
        file = tmp_path / f"{number}.png"
        cv2.imwrite(str(file), cv2.resize(rng.integers(0, 256, (8, 8, 3), np.uint8), (64, 48)))
        source = ("street", "shop")[number % 4 // 2]
        cars.append(Example(file, None, {"colour": ("red", "blue")[number % 2]}, source))
    kept = parts_of(cars, tmp_path / "run").kept
    street = np.array([example.source == "street" for example in kept.examples])
    plain, drawn = kept.weights(Plan()), kept.weights(Plan(draws=(("street", 3.0),)))
    assert drawn.sum() == pytest.approx(1)
    assert drawn[street] / plain[street] == pytest.approx(3 * drawn[~street][0] / plain[~street][0])
    with pytest.raises(ValueError, match=r"no picture is of the source garage: there are shop, street"):
        kept.weights(Plan(draws=(("garage", 2.0),)))


def test_further_cars_lie_in_the_data_folder_under_their_own_names(tmp_path: Path) -> None:
    (tmp_path / "plates" / "a").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "plates" / "a" / "1.png"), np.zeros((8, 8, 3), np.uint8))
    table = tmp_path / "labels.csv"
    table.write_text("file,xmin,ymin,xmax,ymax,colour,make\nplates/a/1.png,1,2,7,8,red,\n", encoding="utf-8")
    (car,) = load_further(tmp_path, table)
    assert (car.name, car.box, dict(car.labels)) == ("a/1.png", (1, 2, 7, 8), {"colour": "red"})
    assert (car.source, car.further) == ("a", True)


def test_amended_cars_are_the_data_folders_with_what_we_know_besides(tmp_path: Path) -> None:
    picture = tmp_path / "1.png"
    cv2.imwrite(str(picture), np.zeros((8, 8, 3), np.uint8))
    cars = [
        Example(picture, (1, 2, 7, 7.3000001), {"colour": "red", "type": "sedan"}, "a"),
        Example(picture, (0, 0, 7, 8), {"colour": "blue"}, "a"),
    ]
    table = tmp_path / "labels.csv"
    table.write_text(
        "file,xmin,ymin,xmax,ymax,colour,type,make\n1.png,1,2,7,7.3,,coupe,opel\n1.png,0,0,7,8,-,van,\n",
        encoding="utf-8",
    )
    first, second, third = amended([*cars, replace(cars[0], box=(3, 3, 8, 8))], tmp_path, table)
    assert (dict(first.labels), first.further) == ({"colour": "red", "type": "coupe", "make": "opel"}, False)
    assert dict(second.labels) == {"type": "van"}  # its colour is taken back
    assert dict(third.labels) == {"colour": "red", "type": "sedan"}
    with pytest.raises(ValueError, match=r"1\.png has no labelled car at \(1\.0, 2\.0, 7\.0, 7\.3\)"):
        amended(cars[1:], tmp_path, table)


@pytest.mark.parametrize(("table", "least"), [(FURTHER, 1000), (AMENDED, 40)])
def test_our_own_labels_are_whole(table: Path, least: int) -> None:
    with table.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) > least
    assert len({(row["file"], row["xmin"], row["ymin"]) for row in rows}) == len(rows)
    for row in rows:
        assert set(row) == {"file", "xmin", "ymin", "xmax", "ymax", *HEADS}
        assert row["view"] in ("", "front", "rear", "side")
        assert row["make"] or not row["model"] or table == AMENDED  # there the data folder knows it
        assert any(row[head] for head in HEADS)


@pytest.mark.skipif(data_root() is None, reason="needs ../shared/data")
def test_none_of_our_own_labels_is_of_a_picture_to_measure_on() -> None:
    root = data_root()
    assert root is not None
    measured = set()
    for file in (*root.glob("plates/*_val.json"), *root.glob("vehicles/*_val.json")):
        content = json.loads(file.read_text(encoding="utf-8"))
        measured |= {(file.parent / image["file_name"]).resolve() for image in content["images"]}
    assert len(measured) > 1000
    assert measured.isdisjoint(car.file.resolve() for car in load_further(root))
    cars = load_shared(root)
    changed = [new for new, old in zip(amended(cars, root), cars, strict=True) if new != old]
    assert changed
    assert measured.isdisjoint(car.file.resolve() for car in changed)
