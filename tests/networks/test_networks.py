"""Both networks, layer by layer, and what each is trained with."""

import numpy as np
import pytest

from stages.networks import train_default, train_improved
from tests.helpers import synthetic


def test_the_default_network_is_the_assignments():
    layers = train_default.default_network().layers
    described = [
        (type(layer).__name__, getattr(getattr(layer, "activation", None), "__name__", None))
        for layer in layers
    ]
    assert described == [
        ("Rescaling", None),
        ("Conv2D", "relu"),
        ("MaxPooling2D", None),
        ("Conv2D", "relu"),
        ("Flatten", None),
        ("Dense", "relu"),
        ("Dense", "softmax"),
    ]
    for convolution in (layers[1], layers[3]):
        assert (convolution.filters, convolution.kernel_size) == (32, (3, 3))
        assert (convolution.padding, convolution.strides) == ("same", (1, 1))
    assert layers[2].pool_size == (2, 2)
    assert [layer.units for layer in layers[5:]] == [512, 5]


@pytest.mark.parametrize("width", [8, 32])
def test_the_improved_network_encodes_an_image_as_four_times_its_width(width):
    network = train_improved.improved_network(width)
    assert network.get_layer("encoding").output.shape == (None, 4 * width)
    assert network.get_layer("stage_1a_conv").filters == width


def test_the_improved_network_has_no_normalisation_and_no_skips_where_it_shall_not():
    network = train_improved.improved_network(8, batch_norm=False, skip=False)
    kinds = {type(layer).__name__ for layer in network.layers}
    assert "BatchNormalization" not in kinds
    assert all(layer.use_bias for layer in network.layers if layer.name.endswith("_conv"))
    assert not isinstance(network.get_layer("stage_1_add").input, list)
    whole = train_improved.improved_network(8)
    assert len(whole.get_layer("stage_1_add").input) == 2
    assert [layer.name for layer in network.layers] == [
        layer.name for layer in whole.layers if not layer.name.endswith("_norm")
    ]


def test_an_image_is_shifted_and_erased_no_further_than_asked():
    images = np.zeros((200, 28, 28, 1), np.uint8)
    images[:, 10:18, 10:18] = 255
    rng = np.random.default_rng(1)
    changed = train_improved.augment(images, np.zeros(200, bool), 3, 4, rng)
    rows, columns = (np.flatnonzero(changed.any(axis=axes)) for axes in ((0, 2, 3), (0, 1, 3)))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (7, 20, 7, 20)
    lit = (changed > 0).sum(axis=(1, 2, 3))
    assert (lit.min(), lit.max()) == (64 - 16, 64)


def test_the_images_asked_for_are_mirrored_and_no_others():
    images, _ = synthetic(40)
    mirrored = np.arange(40) % 3 == 0
    changed = train_improved.augment(images, mirrored, 0, 0, np.random.default_rng(1))
    np.testing.assert_array_equal(changed[mirrored], images[mirrored][:, :, ::-1])
    np.testing.assert_array_equal(changed[~mirrored], images[~mirrored])
