"""Encode images: the output of an inner layer of the improved network.

Reads   test and validation images (.npy), the improved network (.keras)
Does    one pass through the network, no training
Writes  test.npy and valid.npy: float32 encodings (n, d); test_predicted.npy: the network's
        labels for the test images, uint8 (n,)
"""

from pathlib import Path

import numpy as np

from common.backend import keras
from common.command import run
from common.encoding import encode
from common.files import save_array
from common.params import read_params


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
