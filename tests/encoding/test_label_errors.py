"""Labels in doubt, and how many planted errors are found."""

import numpy as np
import pytest

from stages.encoding import label_errors
from tests.helpers import captions_of, synthetic


def confident(labels):
    """Probabilities of a network that is right, and finds the next label likelier than others."""
    probabilities = np.full((len(labels), 5), 0.02)
    probabilities[np.arange(len(labels)), (labels + 1) % 5] = 0.1
    probabilities[np.arange(len(labels)), labels] = 0.84
    return probabilities


@pytest.mark.parametrize("likeliest", [False, True])
def test_planted_errors_are_found_by_a_network_that_is_right(likeliest):
    labels = np.arange(500) % 5
    probabilities = confident(labels)
    assert label_errors.count_suspects(labels, probabilities) == 0
    changed, planted = label_errors.plant(labels, probabilities if likeliest else None, seed=1)
    assert planted.sum() == 5
    assert ((changed != labels) == planted).all()
    if likeliest:
        assert (changed[planted] == (labels[planted] + 1) % 5).all()
    trial = label_errors.try_out(label_errors.doubt(changed, probabilities), planted)
    assert trial == {"planted": 5, "found": 1.0, "by_chance": 0.01, "auc": 1.0}
    assert label_errors.count_suspects(changed, probabilities) == 0.01


def test_doubts_at_random_find_planted_errors_no_more_often_than_chance():
    rng = np.random.default_rng(0)
    trial = label_errors.try_out(rng.random(10_000), rng.random(10_000) < 0.2)
    assert trial["found"] == pytest.approx(trial["by_chance"], abs=0.01)
    assert trial["auc"] == pytest.approx(0.5, abs=0.02)


def test_a_label_without_images_is_never_suspected_of_being_the_true_one():
    labels = np.array([0, 0, 1, 1])
    probabilities = np.zeros((4, 5))
    probabilities[:, 4], probabilities[np.arange(4), labels] = 0.6, 0.4
    assert label_errors.count_suspects(labels, probabilities) == 0


def test_neighbours_are_those_nearest_by_angle():
    known = np.eye(3, dtype=np.float32)
    points = np.array([[9, 1, 0], [0, 1, 5]], np.float32)
    np.testing.assert_array_equal(label_errors.find_neighbors(known, points, 2), [[0, 1], [2, 1]])


def test_each_suspect_is_drawn_before_its_neighbours():
    images, labels = synthetic(30)
    near = np.arange(14).reshape(2, 7)
    figure = label_errors.draw(images[:2], ["first", "second"], images[near], labels[near])
    captions = captions_of(figure)
    assert captions[0] == "first"
    assert captions[8] == "second"
    assert captions[1:8] == [f"label {label}\nvalidation" for label in labels[:7]]
