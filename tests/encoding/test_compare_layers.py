"""Which layer encodes best."""

import numpy as np
import pandas as pd

from stages.encoding import compare_layers
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


def test_each_layer_has_its_figures_and_its_place_in_the_picture():
    images, labels = synthetic(60)
    encodings = images.reshape(60, -1)[:, :300]
    scores = compare_layers.assess(encodings, images, labels, seed=1)
    assert set(scores) > {"adjusted_rand_index", "silhouette", "detail"}
    rows = [("default", "dense", 300), ("improved", "encoding", 300)]
    table = pd.DataFrame(rows, columns=["network", "layer", "dimensions"]).assign(**scores)
    figure = compare_layers.draw(table)
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["dense (300)", "encoding (300)"]
