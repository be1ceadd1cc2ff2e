"""Encode images by inner layers of the networks, and map where the improved one looks.

All that later stages need of the networks, so that they need not load them, nor TensorFlow.

Reads   validation and test images (.npy), both networks (.keras)
Does    passes through the network, no training; of layers with many dimensions, keeps the first
        principal components, so that what follows takes no longer than by default
Writes  test.npy and valid.npy: float32 encodings (n, d); detailed_test.npy and
        detailed_valid.npy: those of an earlier layer; of the test images test_probabilities.npy,
        float32 (n, 5); test_predicted.npy: the most probable labels, uint8 (n,); test_maps.npy:
        where the network looks to tell these (activation_maps.py), float32 (n, h, w); of random
        validation images their rows, compared_rows.npy, int64 (n,), and their encodings by the
        layers of both networks that are to be compared, compared.npy and compared.csv (layers.py)
"""

from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from stages.common.command import InputError, run
from stages.common.files import IMAGES, load_array, save_array, save_table
from stages.common.params import read_params
from stages.encoding.activation_maps import map_images
from stages.encoding.layers import encode, layers_of
from stages.networks.backend import load_network

MOST = 1_024  # dimensions of an encoding that is kept as it is
KEPT = 256  # principal components of one that has more
COMPARED = 2_000  # validation images by which layers are compared, at most


def shorten(valid: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return encodings (n, d) and (m, d) as they are, or projected to principal components.

    The components are those of the validation encodings; float32, at most `KEPT` columns.
    """
    if valid.shape[1] <= MOST:
        return valid, test
    pca = PCA(min(KEPT, len(valid)), svd_solver="randomized", random_state=0).fit(valid)
    return pca.transform(valid).astype(np.float32), pca.transform(test).astype(np.float32)


def main(x_valid: Path, x_test: Path, default: Path, improved: Path, encoding: Path) -> None:
    params = read_params()
    layer = params["extract_encoding"]["layer"]
    layers = [layer, params["extract_encoding"]["detailed_layer"]]
    images = [load_array(path, IMAGES) for path in (x_valid, x_test)]
    networks = {"default": load_network(default), "improved": load_network(improved)}
    both = encode(networks["improved"], layers, np.concatenate(images))
    (valid, test), details = (np.split(one, [len(images[0])]) for one in both)
    if (test == test[0]).all():
        raise InputError(
            f"{improved}: layer {layer}: expected encodings that differ, found that of every test"
            " image to be the same: the network has learned nothing, lower train.lr in params.yaml"
        )
    for prefix, pair in (("", (valid, test)), ("detailed_", details)):
        for name, array in zip(("valid", "test"), shorten(*pair), strict=True):
            save_array(encoding / f"{prefix}{name}.npy", array)
    maps, probabilities = map_images(networks["improved"], images[1])
    save_array(encoding / "test_maps.npy", maps)
    save_array(encoding / "test_probabilities.npy", probabilities)
    save_array(encoding / "test_predicted.npy", probabilities.argmax(axis=1).astype(np.uint8))
    seed = params["compare_layers"]["seed"]
    rows = np.random.default_rng(seed).permutation(len(images[0]))[:COMPARED]
    components, table = layers_of(networks, images[0][rows], seed)
    save_array(encoding / "compared_rows.npy", rows)
    save_array(encoding / "compared.npy", components)
    save_table(encoding / "compared.csv", table)


if __name__ == "__main__":
    run(main)
