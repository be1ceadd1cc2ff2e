"""Encodings: the output of a layer that has a name."""

import numpy as np
import pytest

from stages.common.command import InputError
from stages.common.files import save_array
from stages.encoding import extract_encoding
from stages.encoding.layers import encode
from stages.networks.train_improved import improved_network
from stages.networks.training import save_network
from tests.helpers import synthetic


def test_an_encoding_is_the_output_of_the_named_layer(network):
    images, _ = synthetic(10)
    encodings, probabilities = encode(network, ["encoding", "probabilities"], images)
    expected = images
    for layer in network.layers[:3]:
        expected = layer(expected)
    np.testing.assert_allclose(encodings, expected, rtol=1e-5)
    assert encodings.dtype == np.float32
    np.testing.assert_allclose(probabilities, network.predict(images, verbose=0), rtol=1e-5)


def test_a_layer_with_places_is_flattened(network):
    images, _ = synthetic(4)
    (encodings,) = encode(network, ["features"], images)
    assert encodings.shape == (4, 26 * 26 * 3)


def test_an_unknown_layer_is_one_line_with_the_known_ones(network):
    with pytest.raises(InputError, match=r"expected one of rescale, .*encoding.*, found wrong"):
        encode(network, ["encoding", "wrong"], synthetic(1)[0])


def test_a_network_that_encodes_all_images_alike_is_one_clear_line(workspace):
    network = improved_network(8)
    network.set_weights([np.zeros_like(weights) for weights in network.get_weights()])
    save_network(network, workspace / "dead.keras")
    save_array(workspace / "x.npy", synthetic(20)[0])
    paths = ("x.npy", "x.npy", "dead.keras", "encoding")
    with pytest.raises(InputError, match=r"dead.keras: layer encoding: expected encodings that di"):
        extract_encoding.main(*(workspace / path for path in paths))
    assert not (workspace / "encoding").exists()
