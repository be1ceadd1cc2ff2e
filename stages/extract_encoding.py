"""Encode images: the output of an inner layer of the improved network.

Reads   test and validation images (.npy), the improved network (.keras)
Does    one pass through the network, no training
Writes  test.npy and valid.npy: float32 encodings (n, d); test_predicted.npy: the network's
        labels for the test images, uint8 (n,)
"""

from pathlib import Path

import numpy as np

from common.backend import keras
from common.command import InputError, run
from common.files import save_array
from common.params import read_params

BATCH = 1_000  # images at once


def encode(network: keras.Model, layer: str, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the output of `layer`, flattened, float32 (n, d), and predicted labels, uint8 (n,).

    Raises:
        InputError: the network has no such layer.
    """
    names = [layer.name for layer in network.layers]
    if layer not in names:
        raise InputError(
            f"params.yaml: extract_encoding.layer: expected one of {', '.join(names)},"
            f" found {layer}"
        )
    both = keras.Model(network.inputs, [network.get_layer(layer).output, network.outputs[0]])
    encodings, probabilities = both.predict(images, batch_size=BATCH, verbose=0)
    encodings = np.asarray(encodings, np.float32).reshape(len(images), -1)
    return encodings, probabilities.argmax(axis=1).astype(np.uint8)


def main(x_valid: Path, x_test: Path, improved: Path, encoding: Path) -> None:
    params = read_params()
    layer = params["extract_encoding"]["layer"]
    network = keras.models.load_model(improved)
    valid, _ = encode(network, layer, np.load(x_valid))
    test, predicted = encode(network, layer, np.load(x_test))
    save_array(encoding / "valid.npy", valid)
    save_array(encoding / "test.npy", test)
    save_array(encoding / "test_predicted.npy", predicted)


if __name__ == "__main__":
    run(main)
