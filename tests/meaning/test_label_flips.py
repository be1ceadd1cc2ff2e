"""Thresholds at which the label flips, and trees of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from stages.meaning import image_statistics, label_flips, reasons
from tests.helpers import pairs_of, synthetic


def test_a_tree_finds_thresholds_on_one_statistic():
    rng = np.random.default_rng(0)
    statistics = pd.DataFrame(rng.random((3_000, 3)), columns=["width", "height", "texture"])
    labels = np.digitize(statistics["height"], [0.2, 0.4, 0.6, 0.8])
    tree = image_statistics.fit_tree(statistics, labels, seed=1)
    assert tree.score(statistics, labels) > 0.98
    text = image_statistics.tree_text(tree)
    assert "height" in text
    assert "width" not in text
    assert text.count("label") == tree.get_n_leaves() <= image_statistics.LEAVES


def along(n=4_000, seed=0):
    return np.sort(np.random.default_rng(seed).normal(size=n))


def test_a_flip_at_a_threshold_is_a_jump_of_1():
    values = along()
    jump, threshold = label_flips.sharpest_jump(values, values > 0.3, seed=1)
    assert jump == 1
    assert threshold == pytest.approx(0.3, abs=0.01)


def test_a_flip_between_whole_numbers_is_a_jump_of_1():
    values = np.round(5 * along())
    jump, threshold = label_flips.sharpest_jump(values, values > 2, seed=1)
    assert (jump, threshold) == (1, 2.5)


@pytest.mark.parametrize("width", [0.015, 0.3, 1.0])
def test_a_share_that_changes_little_by_little_is_no_flip(width):
    values = along()
    chance = 1 / (1 + np.exp(-values / width))
    second = np.random.default_rng(1).random(len(values)) < chance
    jump, _ = label_flips.sharpest_jump(values, second, seed=1)
    assert jump < label_flips.FLIP


def test_a_threshold_lies_between_two_values():
    values = np.round(2 * along())
    second = np.random.default_rng(1).random(len(values)) < 0.5
    _, threshold = label_flips.sharpest_jump(values, second, seed=1)
    assert threshold % 1 == 0.5


def test_two_kinds_with_nothing_between_them_are_no_flip():
    values = np.concatenate([along(2_000), 12 + along(2_000)])
    jump, _ = label_flips.sharpest_jump(values, values > 6, seed=1)
    assert jump < label_flips.FLIP


@pytest.mark.parametrize("values", [np.zeros(500), np.arange(30.0)])
def test_without_thresholds_or_enough_images_there_is_no_jump(values):
    assert label_flips.sharpest_jump(values, values > values.mean(), seed=1)[0] == 0


def test_a_flip_inside_one_cluster_is_found():
    rng = np.random.default_rng(0)
    statistics = pd.DataFrame(rng.random((4_000, 2)), columns=["width", "texture"])
    clusters = np.arange(4_000) // 1_000
    second = rng.random(4_000) < 0.5  # at random, but for the last cluster
    second[3_000:] = statistics["texture"][3_000:] > 0.5
    found = label_flips.sharpest_of_pair(statistics, second, clusters, seed=1)
    assert found["flips"]
    assert found["statistic"] == "texture"
    assert found["threshold"] == pytest.approx(0.5, abs=0.01)
    for rows, of_rows in ((4_000, np.zeros(4_000)), (3_000, clusters[:3_000])):
        diluted = label_flips.sharpest_of_pair(statistics[:rows], second[:rows], of_rows, seed=1)
        assert not diluted["flips"]


def test_a_cluster_with_few_images_of_a_label_is_not_looked_at():
    statistics = pd.DataFrame({"width": np.arange(1_000.0)})
    second = np.arange(1_000) >= 900
    found = label_flips.sharpest_of_pair(statistics, second, np.zeros(1_000), seed=1)
    assert found == {"jump": None, "statistic": None, "threshold": None, "flips": False}
    pairs = [{"pair": "0-1"} | found]
    assert "too few visually similar images" in label_flips.say(pairs)
    said = reasons.say("visual_groups", {}, pairs, 100, None, {})
    assert "too few visually similar images" in said


def test_visually_similar_images_are_in_one_cluster(monkeypatch):
    monkeypatch.setattr(label_flips, "SIMILAR", 20)
    images, labels = synthetic(100)
    clusters = label_flips.find_similar(images, seed=1)
    assert adjusted_rand_score(labels, clusters) > 0.9


@pytest.mark.parametrize("flips", [(), ("0-1", "2-4")])
def test_the_table_of_jumps_has_every_pair_and_says_which_flip(flips):
    figure = label_flips.draw(pairs_of(*flips))
    assert len(figure.axes[0].texts) == 10
    said = label_flips.say(pairs_of(*flips))
    assert all(pair.replace("-", " and ") in said for pair in flips)
    start = "Between visually similar images the" if flips else "Of the 10 pairs of labels 10 have"
    assert said.startswith(start)
