"""Encodings: what an inner layer of a network makes of images."""

from collections.abc import Sequence

import numpy as np

from stages.common.command import InputError
from stages.networks.backend import keras

BATCH = 1_000  # images at once
OUTPUT = "probabilities"  # a network's last layer


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
