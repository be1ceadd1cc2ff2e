"""Encodings: the output of a layer that has a name."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from stages.common.command import InputError
from stages.common.files import save_array
from stages.encoding import extract_encoding
from stages.encoding.layers import COMPONENTS, LAYERS, encode, layers_of
from stages.networks.train_default import default_network
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


def test_every_layer_to_be_compared_is_encoded_and_its_components_lie_beside_the_others():
    images, _ = synthetic(40)
    networks = {"default": default_network(), "improved": improved_network(4)}
    components, table = layers_of(networks, images, seed=1)
    expected = [(name, layer) for name, layers in LAYERS.items() for layer in layers]
    assert list(zip(table["network"], table["layer"], strict=True)) == expected
    assert (components.dtype, components.shape) == (np.float32, (40, table["components"].sum()))
    assert table["components"].max() == 40 // 8 < COMPONENTS
    assert table["dimensions"].iloc[[2, -1]].tolist() == [512, 5]


def test_a_network_that_encodes_all_images_alike_is_one_clear_line(workspace):
    network = improved_network(8)
    network.set_weights([np.zeros_like(weights) for weights in network.get_weights()])
    save_network(network, workspace / "dead.keras")
    save_array(workspace / "x.npy", synthetic(20)[0])
    paths = ("x.npy", "x.npy", "dead.keras", "dead.keras", "encoding")
    with pytest.raises(InputError, match=r"dead.keras: layer encoding: expected encodings that di"):
        extract_encoding.main(*(workspace / path for path in paths))
    assert not (workspace / "encoding").exists()


def test_an_encoding_of_many_dimensions_is_shortened_and_keeps_its_neighbours():
    rng = np.random.default_rng(1)
    points = (rng.normal(size=(500, 12)) @ rng.normal(size=(12, 1_100))).astype(np.float32)
    valid, test = extract_encoding.shorten(points[:400], points[400:])
    assert valid.shape == (400, extract_encoding.KEPT)
    assert test.shape == (100, extract_encoding.KEPT)
    assert valid.dtype == test.dtype == np.float32
    before, after = cdist(points[400:], points[:400]), cdist(test, valid)
    np.testing.assert_allclose(after, before, rtol=1e-3)
    again, _ = extract_encoding.shorten(points[:400], points[400:])
    np.testing.assert_array_equal(again, valid)


def test_an_encoding_of_few_dimensions_is_left_as_it_is():
    points = np.ones((30, extract_encoding.MOST), np.float32)
    valid, test = extract_encoding.shorten(points[:20], points[20:])
    assert valid.shape[1] == extract_encoding.MOST
    np.testing.assert_array_equal(np.concatenate([valid, test]), points)


def test_few_images_are_projected_to_as_many_components_as_there_are():
    points = np.random.default_rng(1).normal(size=(50, 1_100)).astype(np.float32)
    valid, test = extract_encoding.shorten(points[:30], points[30:])
    assert (valid.shape, test.shape) == ((30, 30), (20, 30))
