"""The order of labels that are bins of a property, and thresholds of each visual class."""

import numpy as np
import pandas as pd
import pytest

from stages.meaning import class_thresholds, label_order, properties, verdict
from tests.helpers import captions_of, synthetic


def neighbors_of(labels, places, n=15, seed=0):
    """Labels of the images with the next places, some of them at random."""
    order = np.argsort(places)
    at = np.argsort(order)[:, None] + np.random.default_rng(seed).integers(-200, 200, (1, n))
    return labels[order[np.clip(at, 0, len(labels) - 1)]]


@pytest.mark.parametrize("names", [[0, 1, 2, 3, 4], [3, 0, 4, 1, 2]])
def test_bins_are_put_into_their_order_whatever_their_names(names):
    places = np.random.default_rng(0).random(5_000)
    labels = np.array(names)[np.digitize(places, [0.2, 0.4, 0.6, 0.8])]
    met, at_random = label_order.count_meetings(labels, neighbors_of(labels, places), 5)
    order, linked = label_order.best_order(met)
    assert order in (names, names[::-1])
    assert linked > 3
    assert at_random == 0


def test_labels_wrong_at_random_do_not_hide_the_order_and_are_counted():
    rng = np.random.default_rng(0)
    places = rng.random(3_000)
    labels = np.digitize(places, [0.2, 0.4, 0.6, 0.8])
    wrong = rng.random(len(labels)) < 0.1
    labels[wrong] = (labels[wrong] + rng.integers(1, 5, wrong.sum())) % 5
    met, at_random = label_order.count_meetings(labels, neighbors_of(labels, places), 5)
    order, linked = label_order.best_order(met)
    assert order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0])
    assert linked > 1
    assert at_random == pytest.approx(0.1, abs=0.03)


def test_classes_that_meet_in_no_order_are_not_linked():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 5_000)
    near = np.where(rng.random((5_000, 15)) < 0.2, 0, labels[:, None])  # all meet label 0 alone
    _, linked = label_order.best_order(label_order.count_meetings(labels, near, 5)[0])
    assert linked < 1


def test_clusters_hold_several_labels_only_beyond_what_is_random():
    labels = np.array([0] * 60 + [1] * 30 + [2] * 5 + [1] * 90 + [0] * 5 + [2] * 5)
    clusters = np.repeat([0, 1], [95, 100])
    assert label_order.mixed_fraction(labels, clusters) == pytest.approx(95 / 195)


def test_labels_too_few_to_be_ordered_have_no_order():
    labels = np.array([0, 1] * 50)
    order, evidence = label_order.weigh(labels, labels, labels[:, None], np.arange(100) % 3)
    assert order == [0, 1]
    assert not evidence["ordered"]
    three = np.arange(99) % 3
    _, evidence = label_order.weigh(three, three, three[:, None], np.zeros(99, int))
    assert not evidence["ordered"]  # without clusters


def test_thresholds_of_each_class_are_found_where_each_class_has_its_own():
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 6_000)
    statistics = pd.DataFrame({"width": rng.random(6_000), "height": rng.random(6_000)})
    labels = np.digitize(statistics["height"] + 0.1 * classes, [0.3, 0.6, 0.9])
    found = class_thresholds.find_thresholds(statistics, labels, classes, [0, 1, 2, 3])
    name, exactness, table = found
    assert name == "height"
    assert exactness > 0.98
    for cluster, labels_of_pair, at in table[["cluster", "labels", "threshold"]].to_numpy():
        border = [0.3, 0.6, 0.9][int(labels_of_pair[0])] - 0.1 * cluster
        assert at == pytest.approx(border, abs=0.01)
    assert len(table) == 9


def test_a_statistic_that_is_only_correlated_decides_nowhere_exactly():
    rng = np.random.default_rng(0)
    hidden = rng.random(6_000)
    statistics = pd.DataFrame({"width": hidden + rng.normal(0, 0.1, 6_000)})
    labels = np.digitize(hidden, [0.25, 0.5, 0.75])
    clusters = rng.integers(0, 3, 6_000)
    name, exactness, _ = class_thresholds.find_thresholds(
        statistics, labels, clusters, [0, 1, 2, 3]
    )
    assert name == "width"
    assert exactness < verdict.EXACT


def test_without_a_mixed_cluster_there_are_no_thresholds():
    labels = np.repeat([0, 1], 50)
    statistics = pd.DataFrame({"width": np.arange(100)})
    name, exactness, table = class_thresholds.find_thresholds(statistics, labels, labels, [0, 1])
    assert (name, exactness, len(table)) == (None, 0, 0)


def test_images_are_drawn_from_one_end_of_the_order_to_the_other_with_borders():
    images, labels = synthetic(40)
    rows = [np.arange(20), np.arange(20, 40)]
    figure = label_order.draw("by width", images, labels, labels.astype(float), rows)
    captions = captions_of(figure)
    assert captions == sorted(captions[:12]) + sorted(captions[12:])
    assert [len(ax.lines) for ax in figure.axes] == [4, 4]


def box():
    image = np.zeros((1, 28, 28, 1), np.uint8)
    image[0, 4:10, 2:14] = 255
    image[0, 6:8, 5:8] = 0
    return image


def test_properties_of_a_box_with_a_hole_are_those_counted_by_hand():
    found = properties.measure_properties(box()).iloc[0]
    assert found["extent"] == pytest.approx(66 / 72)
    assert found["solidity"] == pytest.approx(66 / 72)
    assert (found["hole_area"], found["euler_number"]) == (6, 0)
    assert abs(found["tilt"]) == pytest.approx(90)
    assert found["elongation"] > 0.8
    assert (found["top_fraction"], found["left_fraction"]) == (1, 1)
    assert found["bright_area"] == pytest.approx(66 / 784)
    assert (found["ink_darkest"], found["ink_median"], found["ink_brightest"]) == (1, 1, 1)
    assert found["half_turn_symmetry"] == pytest.approx(0)
    assert found["local_contrast"] > 0
    assert found["bottom_width"] == 0


def test_properties_of_an_empty_image_are_numbers_and_those_of_chunks_are_the_same(monkeypatch):
    images = np.concatenate([synthetic(15)[0], np.zeros((1, 28, 28, 1), np.uint8), box()])
    whole = properties.measure_properties(images)
    assert list(whole) == list(properties.PROPERTIES)
    assert np.isfinite(whole.to_numpy()).all()
    monkeypatch.setattr(properties, "CHUNK", 4)
    pd.testing.assert_frame_equal(properties.measure_properties(images), whole)


def test_a_family_is_what_hardly_differs_and_a_constant_property_is_in_none():
    rng = np.random.default_rng(0)
    width = rng.random(500)
    table = pd.DataFrame(
        {"width": width, "spread_x": -(width**3), "tilt": rng.random(500), "extent": 1.0}
    )
    assert properties.family_of("width", table) == ["spread_x"]
    assert (properties.rank_correlations(table, np.zeros(500)) == 0).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_with_hardly_any_validation_images_there_is_still_a_direction(n):
    encodings = np.random.default_rng(0).random((n, 4))
    assert np.isfinite(label_order.along_encoding(encodings, np.arange(n))).all()
