"""Encodings: what an inner layer of a network makes of images."""

import numpy as np

from stages.common.command import InputError
from stages.networks.backend import keras

BATCH = 1_000  # images at once


def encode(network: keras.Model, layer: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the output of `layer`, flattened, float32 (n, d), and predicted labels, uint8 (n,).

    Raises:
        InputError: the network has no such layer.
    """
    names = [layer.name for layer in network.layers]
    if layer not in names:
        raise InputError(f"params.yaml: layer: expected one of {', '.join(names)}, found {layer}")
    both = keras.Model(network.inputs, [network.get_layer(layer).output, network.outputs[0]])
    encodings, probabilities = both.predict(images, batch_size=BATCH, verbose=0)
    encodings = np.asarray(encodings, np.float32).reshape(len(images), -1)
    return encodings, probabilities.argmax(axis=1).astype(np.uint8)
