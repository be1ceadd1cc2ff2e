"""Class-activation maps: what they add up to."""

import numpy as np
import pytest

from stages.encoding import activation_maps
from stages.networks.backend import keras
from stages.networks.train_improved import improved_network
from tests.helpers import synthetic


@pytest.mark.parametrize("skip", [True, False])
def test_a_map_adds_up_to_the_score_of_the_predicted_label(skip):
    keras.utils.set_random_seed(1)
    network = improved_network(4, skip=skip)
    images, _ = synthetic(30)
    maps, probabilities = activation_maps.map_images(network, images)
    part = keras.Model(network.inputs, [network.get_layer("scores").output, *network.outputs])
    scores, predicted = (np.asarray(output) for output in part.predict(images, verbose=0))
    assert (maps.shape, maps.dtype) == ((30, 4, 4), np.float32)
    np.testing.assert_allclose(maps.sum(axis=(1, 2)), scores.max(axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(probabilities, predicted, rtol=1e-4)


def test_a_channel_adds_at_its_strongest_place_alone():
    features = np.zeros((2, 2, 3, 2), np.float32)
    features[0, 1, 2, 0], features[0, 0, 1, 0] = 4, 3
    features[0, 1, 2, 1] = 2
    features[1, 0, 0] = 1, 5
    weights = np.array([[1, 10], [-1, 20]])
    maps = activation_maps.locate(features, weights, np.array([0, 1]))
    np.testing.assert_array_equal(maps[0], [[0, 0, 0], [0, 0, 4 - 2]])
    np.testing.assert_array_equal(maps[1], [[10 + 100, 0, 0], [0, 0, 0]])
