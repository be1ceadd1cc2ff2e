"""Which layer encodes best."""

import numpy as np
import pandas as pd

from stages.common.files import save_array
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


def test_each_layer_is_judged_by_its_own_components(workspace):
    images, labels = synthetic(60)
    told = np.eye(5, dtype=np.float32)[labels] + np.float32(1e-3) * images[:, 0, :5, 0]
    noise = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    save_array(workspace / "x.npy", images)
    save_array(workspace / "y.npy", labels)
    save_array(workspace / "rows.npy", np.arange(60))
    save_array(workspace / "compared.npy", np.hstack([noise, told]))
    layers = {"network": ["default", "improved"], "layer": ["dense", "encoding"]}
    layers |= {"dimensions": [3, 5], "components": [3, 5]}
    pd.DataFrame(layers).to_csv(workspace / "compared.csv", index=False)
    paths = ("x.npy", "y.npy", "rows.npy", "compared.npy", "compared.csv", "out.csv", "out.png")
    compare_layers.main(*(workspace / path for path in paths))
    found = pd.read_csv(workspace / "out.csv").set_index("layer")["adjusted_rand_index"]
    assert found["encoding"] > 0.99
    assert found["dense"] < 0.5
