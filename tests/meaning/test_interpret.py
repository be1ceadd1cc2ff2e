"""The verdict: on stated evidence, and on labels made by known rules."""

import json

import numpy as np
import pandas as pd
import pytest

from stages.meaning import image_statistics, interpret, label_flips, label_order, reasons
from stages.meaning.statistics import measure
from tests.helpers import pairs_of, read_json


def order_of(ordered=False, by_class=None, found=None, family=()):
    """What metrics/label_order.json holds."""
    return {
        "order": [4, 0, 1, 2, 3],
        "ordered": ordered,
        "mixed": 0.8,
        "property": found,
        "correlation": 0.9 if found else 0.4,
        "family": list(family),
        "exactness": 0.95,
        "by_class": by_class,
    }


@pytest.mark.parametrize(
    ("verdict", "tree", "order", "name"),
    [
        ("visual_groups", 0.6, order_of(), None),
        ("image_statistic", 0.95, order_of(ordered=True, found="width"), "height"),
        ("image_statistic", 0.6, order_of(ordered=True, found="width"), "width"),
        ("image_statistic", 0.6, order_of(ordered=True), None),
        ("mixed", 0.6, order_of(ordered=True, by_class="texture"), "texture"),
        ("mixed", 0.6, order_of(by_class="texture"), None),
    ],
)
def test_the_property_is_the_one_that_explains_the_labels(verdict, tree, order, name):
    alone = pd.Series({"width": 0.5, "height": 0.7})
    accuracies = {"tree": tree, "network": 0.9}
    assert interpret.find_property(verdict, alone, accuracies, order) == name


def kinds_of_picture(n=15_000):
    """Images of twelve kinds, boxes in twelve places, that vary in brightness and size alike."""
    rng = np.random.default_rng(0)
    kinds, images = rng.integers(0, 12, n), np.zeros((n, 28, 28, 1), np.uint8)
    for row, (kind, (wide, high)) in enumerate(zip(kinds, rng.integers(3, 7, (n, 2)), strict=True)):
        top, left = 9 * (kind // 4), 7 * (kind % 4)
        images[row, top : top + high, left : left + wide] = 1
    bright = rng.uniform(80, 250, (n, 1, 1, 1))
    return (images * bright).astype(np.uint8), kinds


@pytest.fixture(autouse=True)
def measures_few(monkeypatch):
    monkeypatch.setattr(image_statistics, "MEASURED", 1_000)


@pytest.fixture(scope="module")
def pictures():
    return kinds_of_picture()


@pytest.mark.parametrize(
    ("rule", "verdict", "name"),
    [
        (lambda kinds, bright: kinds % 5, "visual_groups", None),
        (
            lambda kinds, bright: np.digitize(bright, [0.4, 0.55, 0.7, 0.85]),
            "image_statistic",
            "ink_brightness",
        ),
        (
            lambda kinds, bright: np.digitize(bright + 0.03 * kinds, [0.6, 0.7, 0.8, 0.9]),
            "mixed",
            "ink_brightness",
        ),
        (
            lambda kinds, bright: np.where(bright > 0.65, 4, (kinds + kinds // 4 * 2) % 4),
            "mixed",
            None,
        ),
    ],
)
def test_labels_made_by_a_known_rule_get_the_right_verdict(
    pictures, workspace, monkeypatch, rule, verdict, name
):
    monkeypatch.setattr(label_flips, "CLUSTERS", 10)  # enough for pictures so different
    images, kinds = pictures
    labels = rule(kinds, measure(images)["ink_brightness"].to_numpy()).astype(np.uint8)
    said = verdict_on(images, labels, workspace)
    assert said["verdict"] == verdict
    assert said["property"] == name
    assert said["ordered"] in ([[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]] if name else [None])


def test_with_few_images_no_similar_images_are_sought_and_the_tree_decides(pictures, workspace):
    images = pictures[0]
    labels = np.digitize(measure(images)["ink_brightness"], [0.4, 0.55, 0.7, 0.85])
    assert verdict_on(images, labels.astype(np.uint8), workspace)["verdict"] == "image_statistic"
    flips = read_json(workspace / "flips.json")
    assert flips["similar_accuracy"] is None
    assert all(found["jump"] is None for found in flips["pairs"])


def verdict_on(images, labels, workspace):
    """What the stages say, without a network, on images and labels of every split."""
    x, y = workspace / "x.npy", workspace / "y.npy"
    x_valid, y_valid, encodings = (workspace / f"{name}_valid.npy" for name in "xye")
    rows = np.random.default_rng(0).choice(len(images), 500, replace=False)
    brightness = measure(images[rows])[["ink_brightness", "center_x"]]
    for path, array in (
        (x, images),
        (y, labels),
        (x_valid, images[rows]),
        (y_valid, labels[rows]),
        (encodings, brightness.to_numpy(np.float32)),
    ):
        np.save(path, array)
    (workspace / "network.json").write_text(json.dumps({"accuracy": 0.95}))
    groups = pd.DataFrame({"label": [0, 1, 2, 3, 4, 4], "group": [0, 0, 0, 0, 0, 1], "count": 1})
    groups.to_csv(workspace / "groups.csv", index=False)
    statistics, flips = workspace / "statistics.csv", workspace / "flips.json"
    properties, similar = workspace / "properties.npy", workspace / "similar.npy"
    order, thresholds = workspace / "order.json", workspace / "thresholds.csv"
    image_statistics.main(
        x, y, x_valid, y_valid, properties, statistics, workspace / "statistics.png"
    )
    label_flips.main(x, y, similar, flips, workspace / "flips.png")
    read = (x, y, x_valid, y_valid, similar, encodings, properties)
    label_order.main(*read, order, thresholds, workspace / "order.png")
    paths = [workspace / "network.json", statistics, workspace / "groups.csv", flips, order]
    outputs = ("verdict.json", "interpret.json", "interpret.png")
    interpret.main(y_valid, *paths, *(workspace / name for name in outputs))
    said = read_json(workspace / "interpret.json")
    assert said["groups"] == {"0": 1, "1": 1, "2": 1, "3": 1, "4": 2}
    assert read_json(workspace / "verdict.json") == {"verdict": said["verdict"]}
    assert f"turning it into {said['instead'].replace('_', ' ')}" in said["because"]
    assert f"is {said['strength']:.0%} away" in said["because"]
    return said


@pytest.mark.parametrize("verdict", ["no_structure", "visual_groups", "image_statistic", "mixed"])
def test_every_verdict_has_its_reasons_and_its_picture(verdict):
    accuracies = {"majority": 0.3, "tree": 0.6, "similar": 0.7, "network": 0.9}
    flips = verdict in ("image_statistic", "mixed")
    pairs = pairs_of("0-1") if flips else pairs_of()
    because = reasons.say(verdict, {"0": 2, "1": 1}, pairs, 1_000, None, order_of())
    assert ("flips at width 12.5 (labels 0 and 1)" in because) == flips
    figure = interpret.draw(verdict, because, accuracies)
    assert verdict.replace("_", " ") in figure.axes[0].get_title()
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["0.300", "0.600", "0.700", "0.900"]


def test_the_reasons_name_the_property_its_family_and_the_order():
    order = order_of(ordered=True, found="width", family=["spread_x"])
    said = reasons.say("image_statistic", {}, pairs_of(), 1_000, "width", order)
    assert "in the order 4, 0, 1, 2, 3" in said
    assert "width (also spread x) (rank correlation 0.90)" in said
    said = reasons.say("image_statistic", {}, pairs_of(), 1_000, None, order_of(ordered=True))
    assert "No property measured follows this order well (rank correlation 0.40)" in said
    order = order_of(ordered=True, by_class="width")
    said = reasons.say("mixed", {}, pairs_of("0-1"), 1_000, "width", order)
    assert "bins of width, in the order 4, 0, 1, 2, 3, by thresholds of their own" in said
