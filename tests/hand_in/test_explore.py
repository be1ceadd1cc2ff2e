"""The page of all test images: what is in it, and that it works in a browser."""

import base64
import io
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from matplotlib.path import Path as Outline
from PIL import Image
from playwright.sync_api import sync_playwright

from stages.common.yaml import parse_yaml
from stages.hand_in import colorings, explore, lists
from tests.helpers import ROOT, synthetic

PAGE = ROOT / "report/explore.html"
PARTS = ROOT / "report/explore"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def unpacked(found: dict) -> object:
    """An array of the page's data, or what is none as it is."""
    (name, text), *more = found.items()
    if more or not re.fullmatch(r"U?int\d+Array", name, re.IGNORECASE):
        return found
    dtype = np.dtype(name.removesuffix("Array").lower()).newbyteorder("<")
    return np.frombuffer(base64.b64decode(text), dtype)


def data_of(html: str) -> dict:
    text = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)[1]
    return json.loads(text, object_hook=unpacked)


def coloring_of(data: dict, name: str) -> dict:
    found = data["colorings"] + data["networks"]["improved"]["colorings"]
    return next(one for one in found if one["name"] == name)


def test_the_sheet_holds_every_image_in_16_greys():
    images, _ = synthetic(130)
    sheet = Image.open(io.BytesIO(explore.draw_sheet(images))).convert("L")
    assert sheet.size == (2_800, 56)
    row = 117
    tile = np.asarray(sheet)[28:56, 28 * 17 : 28 * 18]
    np.testing.assert_array_equal(tile, 255 - images[row, ..., 0] // 16 * 17)


def test_projections_keep_their_proportions_and_point_up():
    square = explore.to_square(np.array([[0, 0], [10, 0], [5, 5]], np.float32)).astype(int)
    assert square[:, 0].tolist() == [0, 65_535, 32_768]
    assert square[0, 1] - square[2, 1] == pytest.approx(65_535 / 2, abs=1)


def test_twins_lead_the_duplicates_and_a_far_image_the_outliers():
    images, _ = synthetic(40)
    images[31] = images[7]
    encodings = np.random.default_rng(0).normal(size=(40, 8)).astype(np.float32)
    encodings[31] = encodings[7]
    encodings[12] += 100
    distances, neighbors = lists.find_nearest(encodings)
    assert neighbors.shape == (40, lists.NEIGHBORS)
    assert neighbors[7, 0] == 31
    duplicates = lists.list_duplicates(images, neighbors)
    assert duplicates["rows"][:2] == [7, 31]
    assert duplicates["notes"][0] == "0 greys from row 31"
    assert lists.list_outliers(distances)["rows"][0] == 12


def test_mistakes_and_doubts_are_listed_from_the_worst_on():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    assert lists.list_mistakes(probabilities, np.array([0, 0, 0, 1]))["rows"] == [1, 2, 3]
    assert lists.list_doubts(np.array([0, 0.6, 1]))["rows"] == [2, 1]


def test_what_marks_are_coloured_by_names_every_code():
    dense = colorings.of_numbers("density cluster", np.array([3, -1, 0, 3]))
    assert dense["entries"] == ["density cluster 0", "density cluster 3", "none"]
    assert unpacked(dense["codes"]).tolist() == [1, 2, 0, 1]
    groups = colorings.of_groups(np.array([1, 1, 4], np.uint8), np.array([0, 2, 0], np.uint8))
    assert groups["entries"] == ["label 1, group 0", "label 1, group 2", "label 4, group 0"]
    confidence = [0.999, 0.95, 0.8, 0.6, 0.4]
    found = colorings.of_network(np.array([[0, one] for one in confidence]), np.ones(5))
    assert unpacked(found[2]["codes"]).tolist() == [0, 1, 2, 3, 4]
    doubt = colorings.of_doubt(np.array([0.1, 0.3, 0.6, 0.9, 0.97]))
    assert unpacked(doubt["codes"]).tolist() == [0, 1, 2, 3, 4]


def test_maps_are_shown_each_by_its_own_largest_value():
    maps = explore.to_bytes(np.array([[[1, -2]], [[0, 0]]], np.float32))
    assert maps.tolist() == [[[64, -127]], [[0, 0]]]


def test_few_images_of_unknown_classes_make_a_page_of_the_same_bytes_twice(tmp_path):
    images, labels = synthetic(60)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 2)).astype(np.float32)
    probabilities = rng.dirichlet(np.ones(5), 60).astype(np.float32)
    arrays = [images, labels, points, points, points, labels, labels.astype(np.int16), labels]
    arrays += [np.zeros(60, np.float32), np.full(60, 10, np.uint8)]
    arrays += [rng.normal(size=(60, 4, 4)).astype(np.float32), probabilities, probabilities]
    paths = [tmp_path / f"{number}.npy" for number in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        np.save(path, array)
    for name in ("first", "second"):
        explore.main(*paths, PARTS, tmp_path / name)
    html = (tmp_path / "first").read_text()
    assert (tmp_path / "second").read_text() == html
    assert "{{" not in html
    assert "revealed class" not in {one["name"] for one in data_of(html)["colorings"]}


def test_the_committed_page_is_below_6_megabytes_and_its_javascript_below_300_lines():
    assert PAGE.stat().st_size < 6_000_000
    script = (PARTS / "page.js").read_text()
    assert script.count("\n") < 300
    assert max(map(len, script.splitlines())) <= 100
    assert script in PAGE.read_text()
    assert "//" not in re.sub(r"^\s*//.*|; // .*|\{ // .*", "", script, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def data():
    return data_of(PAGE.read_text())


@pytest.fixture(scope="module")
def browser():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip(f"no browser: none of {', '.join(BROWSERS)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


def opened(browser, said, **options):
    """Open the committed page with the network off; what its console says is added to `said`."""
    page = browser.new_context(offline=True, **options).new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: re.match("file:|data:", request.url) or said.append(request))
    page.goto(PAGE.as_uri())
    page.locator("#legend button").first.wait_for()
    return page


@pytest.fixture(scope="module")
def shared(browser):
    said = []
    return opened(browser, said, viewport={"width": 1280, "height": 720}), said


@pytest.fixture
def page(shared):
    """The page as it was opened, on a laptop's screen."""
    page, said = shared
    page.reload()
    page.locator("#legend button").first.wait_for()
    yield page
    assert not said


def places(page, data, projection="t-SNE"):
    """Where the marks are on the screen, (n, 2)."""
    box = page.locator("#overlay").bounding_box()
    width, height = box["width"], box["height"]
    points = data["projections"][projection].reshape(-1, 2) / 65_535 - 0.5
    return (box["x"] + width / 2, box["y"] + height / 2) + 0.94 * min(width, height) * points


def alone(points):
    """The row of the mark that is farthest from all others, with which no pointer can miss it."""
    near = [np.sort(np.hypot(*(points - one).T))[1] for one in points[::7]]
    return 7 * int(np.argmax(near))


def facts(page) -> dict:
    terms, texts = (page.locator(f"#facts {name}").all_inner_texts() for name in ("dt", "dd"))
    return dict(zip(terms, texts, strict=True))


def drag(page, corners):
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=3)
    page.mouse.up()


def gap(point, corners) -> float:
    """How far a point is from the line that joins the corners."""
    start = np.array(corners)
    along = np.roll(start, -1, axis=0) - start
    part = np.clip(((point - start) * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
    return float(np.hypot(*(start + part[:, None] * along - point).T).min())


def saved_rows(page) -> list[int]:
    with page.expect_download() as download:
        page.locator("#csv").click()
    return pd.read_csv(download.value.path())["test_row"].tolist()


def expected_facts(data, row):
    predicted, confidence = (
        data["networks"]["improved"][key][row] for key in ("predicted", "confidence")
    )
    cluster = coloring_of(data, "cluster")
    return {
        "row": str(row),
        "label": str(data["labels"][row]),
        "prediction": f"{predicted} (confidence {confidence / 100:.1f}%)",
        "cluster": cluster["entries"][cluster["codes"][row]].split()[1],
    }


@pytest.mark.slow
def test_pointing_shows_an_image_and_a_click_keeps_it_with_its_neighbours(page, data):
    points = places(page, data)
    row = alone(points)
    page.mouse.move(*points[row])
    assert expected_facts(data, row).items() <= facts(page).items()
    assert page.locator("#pixels canvas").bounding_box()["width"] == 8 * 28
    shown = page.locator("#pixels canvas").evaluate(
        "canvas => Array.from(canvas.getContext('2d').getImageData(0, 0, 28, 28).data)"
    )
    text = re.search(r'id="sheet".*?base64,([^"]*)"', PAGE.read_text())[1]
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L"))
    y, x = (28 * place for place in divmod(row, data["columns"]))
    np.testing.assert_array_equal(np.reshape(shown, (28, 28, 4))[..., 0], sheet[y:, x:][:28, :28])

    page.mouse.down()
    page.mouse.up()
    page.mouse.move(5, 5)
    assert facts(page)["row"] == str(row)
    near = data["neighbors"].reshape(data["n"], -1)[row]
    tiles = page.locator("#near .tile")
    titles = [tile.get_attribute("title") for tile in tiles.all()]
    assert [title.split(",")[0] for title in titles] == [f"row {other}" for other in near]
    assert len(titles) == 10
    heat = "canvas => canvas.getContext('2d').getImageData(0, 0, 4, 4).data.some(Boolean)"
    assert page.locator("#heat canvas").last.evaluate(heat)
    tiles.nth(3).click()
    assert facts(page)["row"] == str(near[3])


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["lasso", "rectangle"])
def test_what_is_drawn_around_is_counted_shown_and_saved(page, data, tool):
    points = places(page, data, "PCA")
    page.get_by_text("PCA", exact=True).click()
    page.get_by_text(tool, exact=True).click()
    (left, top), (right, bottom) = (
        np.quantile(points, 0.2, axis=0),
        np.quantile(points, 0.7, axis=0),
    )
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    if tool == "lasso":
        corners.insert(3, ((left + right) / 2, (top + bottom) / 2))
    drag(page, corners if tool == "lasso" else [corners[0], corners[2]])
    rows = saved_rows(page)
    inside = np.flatnonzero(Outline(corners).contains_points(points))
    assert len(inside) > 1_000
    for row in set(rows) ^ set(inside):  # a mouse moves by whole pixels
        assert gap(points[row], corners) < 1.5
    names = ("label", "cluster", "prediction")
    assert page.locator("#selected").inner_text() == f"{len(rows):,} images selected"
    for name, bars in zip(names, page.locator("#bars > div").all(), strict=True):
        one = coloring_of(data, name)
        counts = np.bincount(one["codes"][rows], minlength=len(one["entries"]))
        shown = [bar.split()[-1] for bar in bars.locator(".bar").all_inner_texts()]
        assert shown == [f"{n:,}" for n in counts]
    tiles = page.locator("#selection .tile")
    assert tiles.count() == 120
    title = tiles.first.get_attribute("title")
    tiles.first.click()
    assert facts(page)["row"] in title


@pytest.mark.slow
def test_entries_of_the_legend_filter(page, data):
    page.locator("#legend button", has_text="label 3").click()
    n = int((data["labels"] == 3).sum())
    assert page.locator("#selected").inner_text() == f"{n:,} images shown, none selected"
    assert page.locator("#shown").inner_text() == f"{n:,} of 10,000 images shown, only label 3"
    page.locator("[name=coloring]").select_option("correctness")
    page.locator("#legend button", has_text="wrong").click()
    page.locator("#visible").click()
    predicted = data["networks"]["improved"]["predicted"]
    expected = np.flatnonzero((data["labels"] == 3) & (predicted != 3))
    assert saved_rows(page) == expected.tolist()
    page.locator("#clear").click()
    assert page.locator("#shown").inner_text() == "10,000 of 10,000 images shown"


@pytest.mark.slow
@pytest.mark.parametrize("network", ["default", "improved"])
def test_a_cell_of_the_confusion_matrix_selects_its_images(page, data, network):
    page.locator("[name=network]").select_option(network)
    page.get_by_text("Confusion", exact=True).click()
    counts = pd.read_csv(ROOT / f"plots/evaluate/confusion_{network}.csv")
    for (actual, other), n in counts.set_index(["actual", "predicted"])["count"].items():
        assert page.locator(f'#confusion [value="{actual}{other}"]').inner_text() == f"{n:,}"
    page.locator('#confusion [value="10"]').click()
    predicted = data["networks"][network]["predicted"]
    expected = np.flatnonzero((data["labels"] == 1) & (predicted == 0))
    assert saved_rows(page) == expected.tolist()
    assert "of label 1, predicted 0" in page.locator("#selected").inner_text()


@pytest.mark.slow
def test_lists_can_be_stepped_through(page, data):
    page.get_by_text("Lists", exact=True).click()
    for name, found in zip(
        ("most confident mistakes", "labels in doubt", "outliers", "duplicates"),
        data["networks"]["improved"]["lists"] + data["lists"],
        strict=True,
    ):
        page.locator("#lists select").select_option(name)
        for button, place in (("Next", 0), ("Next", 1), ("Previous", 0), ("Previous", -1)):
            page.get_by_role("button", name=button).click()
            assert facts(page)["row"] == str(found["rows"][place])
            assert found["notes"][place] in page.locator("#lists [role]").inner_text()


@pytest.mark.slow
def test_guesses_become_lines_of_params_yaml(page):
    page.get_by_text("Your guesses", exact=True).click()
    words = ["sneakers", 'a "quoted": #word', "", "trousers, boots", "Größe ≥ 3\\"]
    for label, guess in enumerate(words):
        page.locator(f"#guess-{label}").fill(guess)
    assert parse_yaml(page.locator("#guesses pre").inner_text()) == {"guess": {"words": words}}


@pytest.mark.slow
def test_the_map_is_usable_by_keyboard_and_classes_are_hidden_until_wanted(page, data):
    page.locator("#overlay").focus()
    page.keyboard.press("ArrowRight")
    first = facts(page)["row"]
    page.keyboard.press("ArrowRight")
    row = facts(page)["row"]
    assert row != first
    page.keyboard.press("Enter")
    page.keyboard.press("+")
    page.keyboard.press("Tab")
    assert page.get_by_label("Zoom in").evaluate("button => button === document.activeElement")
    page.mouse.move(5, 5)
    assert facts(page)["row"] == row
    assert "revealed class" not in facts(page)
    page.get_by_label("reveal classes").check()
    one = coloring_of(data, "revealed class")
    assert facts(page)["revealed class"] == one["entries"][one["codes"][int(row)]]


@pytest.mark.slow
def test_on_a_phone_in_the_dark_the_page_fits_and_a_tap_shows_an_image(browser, data):
    said = []
    screen = {"width": 390, "height": 844}
    page = opened(browser, said, viewport=screen, color_scheme="dark", has_touch=True)
    assert page.locator("html").evaluate("html => html.scrollWidth") <= 390
    points = places(page, data)
    row = alone(points)
    page.touchscreen.tap(*points[row])
    assert expected_facts(data, row).items() <= facts(page).items()
    page.get_by_text("Confusion", exact=True).click()
    assert page.locator("html").evaluate("html => html.scrollWidth") <= 390
    assert not said
