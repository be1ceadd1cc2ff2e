"""Which layer encodes best."""

import numpy as np

from stages.encoding import compare_layers
from stages.networks.train_default import default_network
from stages.networks.train_improved import improved_network
from tests.helpers import synthetic


def test_the_pixels_themselves_keep_all_detail_and_the_label_alone_none():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 5
    hidden = rng.normal(size=(400, 6))
    images = 100 + 10 * (hidden @ rng.normal(size=(6, 784)) + 5 * labels[:, None])
    images = images.reshape(-1, 28, 28, 1)
    detail = compare_layers.detail
    assert detail(hidden, images, labels, seed=1) > 0.99
    assert detail(images.reshape(400, -1), images, labels, seed=1) > 0.99
    only_labels = np.eye(5)[labels] + rng.normal(0, 1e-3, (400, 5))
    assert abs(detail(only_labels, images, labels, seed=1)) < 0.05
    assert detail(rng.normal(size=(400, 6)), images, labels, seed=1) < 0.05
    assert 0.3 < detail(hidden[:, :3], images, labels, seed=1) < 0.7


def test_the_best_layer_is_an_inner_one():
    scores = {"dense": 0.5, "encoding": 0.8, "probabilities": 0.9}
    figures = {layer: {"adjusted_rand_index": index} for layer, index in scores.items()}
    assert compare_layers.best_layer(figures) == "encoding"


def test_every_layer_compared_is_one_of_the_networks():
    for network in (default_network(), improved_network(4)):
        assert set(compare_layers.LAYERS[network.name]) <= {layer.name for layer in network.layers}


def test_each_layer_has_its_figures_and_its_place_in_the_picture():
    images, labels = synthetic(60)
    encodings = images.reshape(60, -1)[:, :300]
    scores = compare_layers.assess(encodings, images, labels, seed=1)
    assert scores["size"] == 300
    assert set(scores) > {"adjusted_rand_index", "silhouette", "detail"}
    figure = compare_layers.draw({"default": {"dense": scores}, "improved": {"encoding": scores}})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["dense (300)", "encoding (300)"]
