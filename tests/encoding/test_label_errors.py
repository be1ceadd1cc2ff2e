"""Labels in doubt, and how many planted errors are found."""

import numpy as np
import pytest

from stages.encoding import label_errors
from tests.helpers import captions_of, clumps, synthetic


def test_planted_errors_are_found_where_neighbours_share_their_label():
    known, known_labels = clumps(5, 100, seed=0)
    points, labels = clumps(5, 100, seed=0)
    rows, cosines = label_errors.find_neighbors(known, points + 0.1, 20)
    assert rows.shape == cosines.shape == (500, 20)
    assert (label_errors.suspicion(labels, known_labels[rows], cosines) == 0).all()
    changed, planted = label_errors.plant(labels, seed=1)
    assert planted.sum() == 5
    assert ((changed != labels) == planted).all()
    suspicions = label_errors.suspicion(changed, known_labels[rows], cosines)
    trial = label_errors.try_out(suspicions, planted)
    assert trial == {"planted": 5, "found": 1.0, "by_chance": 0.05, "auc": 1.0}


def test_suspicions_at_random_find_planted_errors_no_more_often_than_chance():
    rng = np.random.default_rng(0)
    trial = label_errors.try_out(rng.random(10_000), rng.random(10_000) < 0.2)
    assert trial["found"] == pytest.approx(trial["by_chance"], abs=0.01)
    assert trial["auc"] == pytest.approx(0.5, abs=0.02)


def test_a_near_neighbour_counts_more_than_a_far_one():
    labels = np.array([0, 0])
    neighbors = np.array([[1, 0], [0, 1]])
    cosines = np.array([[0.9, 0.1], [0.9, 0.1]])
    np.testing.assert_allclose(label_errors.suspicion(labels, neighbors, cosines), [0.9, 0.1])


def test_each_suspect_is_drawn_before_its_neighbours():
    images, labels = synthetic(30)
    near = np.arange(14).reshape(2, 7)
    figure = label_errors.draw(images[:2], ["first", "second"], images[near], labels[near])
    captions = captions_of(figure)
    assert captions[0] == "first"
    assert captions[8] == "second"
    assert captions[1:8] == [f"label {label}\nvalidation" for label in labels[:7]]
