"""Class-activation maps: where they lie, and which images show them."""

import numpy as np
import pytest

from stages.encoding import saliency
from tests.helpers import captions_of, synthetic


def test_a_place_is_enlarged_to_the_pixels_that_it_was_halved_from():
    for place in range(4):
        pixels = saliency.enlarge(np.eye(4)[place] * np.ones((1, 4, 1)), 28)[0, 0]
        own = np.arange(28) // 8 == place
        assert pixels[own].min() >= 0.5 > pixels[~own].max()
    np.testing.assert_allclose(saliency.enlarge(np.ones((1, 4, 4)), 28), 1)
    np.testing.assert_allclose(saliency.enlarge(np.ones((1, 1, 1)), 28), 1)


def test_how_much_of_a_map_lies_on_the_object_is_told_beside_what_chance_would_give():
    images = np.zeros((7, 28, 28, 1), np.uint8)
    images[:, :14] = 200
    images[2, :14], images[2, 14:] = saliency.INK, 200  # the other image of label 1
    labels = np.array([0, 1, 1, 3, 3, 4, 4])
    maps = np.zeros((7, 4, 4), np.float32)
    maps[0], maps[1, 0, 2], maps[2, 3, 3], maps[3:5, 3], maps[5:] = 1, 5, 5, 1, -1
    fractions = saliency.measure(maps, images, labels)
    assert fractions["ink"] == dict.fromkeys("0134", 0.5)
    assert fractions["on_object"] == {"0": pytest.approx(0.5), "1": 1, "3": 0, "4": None}
    assert fractions["other_ink"] == {"0": pytest.approx(0.5), "1": 0, "3": 0, "4": None}


def test_typical_images_come_by_probability_and_doubtful_ones_by_margin():
    labels = np.array([1, 1, 0, 1])
    probabilities = np.array(
        [[0.3, 0.5, 0.2, 0, 0], [0, 0.9, 0.1, 0, 0], [1, 0, 0, 0, 0], [0.45, 0.1, 0.45, 0, 0]]
    )
    typical, doubtful = saliency.choose(probabilities, labels, 1)
    assert typical.tolist() == [1, 0, 3]
    assert doubtful.tolist() == [3, 0, 1]


def test_each_label_that_is_there_has_a_row_and_a_map_of_zeros_leaves_the_image_as_it_is():
    images, labels = synthetic(30)
    images, labels = images[labels < 2], labels[labels < 2]
    probabilities = np.full((len(labels), 5), 0.2)
    probabilities[0] = 0.5, 0.3, 0.2, 0, 0
    maps = np.zeros((len(labels), 4, 4), np.float32)
    np.testing.assert_allclose(saliency.overlay(images, maps)[..., 1], 1 - images[..., 0] / 255)
    captions = captions_of(saliency.draw_maps(images, maps, labels, probabilities))
    assert [caption for caption in captions if "label" in caption] == ["label 0", "label 1"]
    assert "0: 50.0%" in captions
    assert "0 or 1: 20%" in captions
    assert len(captions) == 2 * (1 + 2 * saliency.SHOWN) + 2
