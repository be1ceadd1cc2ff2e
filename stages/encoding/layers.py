"""Encodings: what an inner layer of a network makes of images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from stages.common.command import InputError
from stages.networks.backend import keras

BATCH = 1_000  # images at once, since the feature maps of all take much memory
OUTPUT = "probabilities"  # a network's last layer
LAYERS = {  # to be compared, from first to last
    "default": ("pool", "conv_2", "dense", OUTPUT),
    "improved": ("stage_1_add", "stage_2_add", "stage_3_add", "encoding", OUTPUT),
}
COMPONENTS = 50  # of a layer to be compared, at most: the same for every layer, and quick


def encode(network: keras.Model, layers: Sequence[str], images: np.ndarray) -> list[np.ndarray]:
    """Return the output of each of `layers`, flattened, float32 (n, d), in one pass.

    Raises:
        InputError: the network has no such layer.
    """
    names = [layer.name for layer in network.layers]
    for layer in layers:
        if layer not in names:
            known = ", ".join(names)
            raise InputError(f"params.yaml: layer: expected one of {known}, found {layer}")
    part = keras.Model(network.inputs, [network.get_layer(layer).output for layer in layers])
    outputs = keras.tree.flatten(part.predict(images, batch_size=BATCH, verbose=0))
    return [np.asarray(output, np.float32).reshape(len(images), -1) for output in outputs]


def layers_of(
    networks: dict[str, keras.Model], images: np.ndarray, seed: int
) -> tuple[np.ndarray, pd.DataFrame]:
    """Encode images (n, 28, 28, 1) by each layer of `LAYERS`; keep the first components of each.

    Args:
        seed: of the principal components, which are approximate

    Returns:
        components of all layers side by side, float32 (n, k)
        network, layer, its dimensions and how many of the components are its own, a row a layer

    Raises:
        InputError: as `encode` does.
    """
    parts, rows = [], []
    for name, network in networks.items():
        for layer, encodings in zip(
            LAYERS[name], encode(network, LAYERS[name], images), strict=True
        ):
            n, dimensions = encodings.shape
            n_components = max(1, min(COMPONENTS, dimensions, n // 8))
            pca = PCA(n_components, svd_solver="randomized", random_state=seed)
            with threadpool_limits(1, "blas"):  # more threads mostly wait for each other
                parts.append(pca.fit_transform(encodings))
            rows.append((name, layer, dimensions, n_components))
    table = pd.DataFrame(rows, columns=["network", "layer", "dimensions", "components"])
    return np.concatenate(parts, axis=1), table
