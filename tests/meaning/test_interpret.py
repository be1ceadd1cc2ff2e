"""The verdict: on stated evidence, and on labels made by known rules."""

import json

import numpy as np
import pandas as pd
import pytest

from stages.meaning import image_statistics, interpret, label_flips
from stages.meaning.statistics import measure
from tests.helpers import pairs_of, read_json


@pytest.mark.parametrize(
    ("p", "flips", "tree", "verdict"),
    [
        (0.5, False, 0.3, "no_structure"),
        (0.5, True, 0.3, "no_structure"),
        (1e-9, False, 0.99, "visual_groups"),
        (1e-9, True, 0.99, "image_statistic"),
        (1e-9, True, 0.9, "mixed"),
        (1e-9, None, 0.99, "image_statistic"),
        (1e-9, None, 0.9, "visual_groups"),
    ],
)
def test_the_verdict_follows_the_stated_rules(p, flips, tree, verdict):
    assert interpret.decide(p, flips, tree) == verdict


def kinds_of_picture(n=15_000):
    """Images of twelve kinds, boxes in twelve places, that vary in brightness and size alike."""
    rng = np.random.default_rng(0)
    kinds, images = rng.integers(0, 12, n), np.zeros((n, 28, 28, 1), np.uint8)
    for row, (kind, (wide, high)) in enumerate(zip(kinds, rng.integers(3, 7, (n, 2)), strict=True)):
        top, left = 9 * (kind // 4), 7 * (kind % 4)
        images[row, top : top + high, left : left + wide] = 1
    bright = rng.uniform(80, 250, (n, 1, 1, 1))
    return (images * bright).astype(np.uint8), kinds


@pytest.fixture(scope="module")
def pictures():
    return kinds_of_picture()


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (lambda kinds, bright: kinds % 5, "visual_groups"),
        (lambda kinds, bright: np.digitize(bright, [0.4, 0.55, 0.7, 0.85]), "image_statistic"),
        (lambda kinds, bright: np.where(bright > 0.65, 4, (kinds + kinds // 4 * 2) % 4), "mixed"),
    ],
)
def test_labels_made_by_a_known_rule_get_the_right_verdict(
    pictures, workspace, monkeypatch, rule, verdict
):
    monkeypatch.setattr(label_flips, "CLUSTERS", 10)  # enough for pictures so different
    images, kinds = pictures
    labels = rule(kinds, measure(images)["ink_brightness"].to_numpy()).astype(np.uint8)
    assert verdict_on(images, labels, workspace) == verdict


def test_with_few_images_no_similar_images_are_sought_and_the_tree_decides(pictures, workspace):
    images = pictures[0]
    labels = np.digitize(measure(images)["ink_brightness"], [0.4, 0.55, 0.7, 0.85])
    assert verdict_on(images, labels.astype(np.uint8), workspace) == "image_statistic"
    flips = read_json(workspace / "flips.json")
    assert flips["similar_accuracy"] is None
    assert all(found["jump"] is None for found in flips["pairs"])


def verdict_on(images, labels, workspace):
    """The verdict of the stages, without a network, on images and labels of every split."""
    x, y = workspace / "x.npy", workspace / "y.npy"
    np.save(x, images)
    np.save(y, labels)
    (workspace / "network.json").write_text(json.dumps({"accuracy": 0.95}))
    groups = pd.DataFrame({"label": [0, 1, 2, 3, 4, 4], "group": [0, 0, 0, 0, 0, 1], "count": 1})
    groups.to_csv(workspace / "groups.csv", index=False)
    statistics, flips = workspace / "statistics.csv", workspace / "flips.json"
    image_statistics.main(x, y, x, y, x, y, statistics, workspace / "statistics.png")
    label_flips.main(x, y, flips, workspace / "flips.png")
    paths = [workspace / "network.json", statistics, workspace / "groups.csv", flips]
    outputs = ("verdict.json", "interpret.json", "interpret.png")
    interpret.main(y, *paths, *(workspace / name for name in outputs))
    said = read_json(workspace / "interpret.json")
    assert said["groups"] == {"0": 1, "1": 1, "2": 1, "3": 1, "4": 2}
    assert read_json(workspace / "verdict.json") == {"verdict": said["verdict"]}
    return said["verdict"]


@pytest.mark.parametrize("verdict", ["no_structure", "visual_groups", "image_statistic", "mixed"])
def test_every_verdict_has_its_reasons_and_its_picture(verdict):
    accuracies = {"majority": 0.3, "tree": 0.6, "similar": 0.7, "network": 0.9}
    flips = verdict in ("image_statistic", "mixed")
    pairs = pairs_of("0-1") if flips else pairs_of()
    because = interpret.say(verdict, {"0": 2, "1": 1}, pairs, 1_000)
    assert ("flips at width 12.5 (labels 0 and 1)" in because) == flips
    figure = interpret.draw(verdict, because, accuracies)
    assert verdict.replace("_", " ") in figure.axes[0].get_title()
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["0.300", "0.600", "0.700", "0.900"]
