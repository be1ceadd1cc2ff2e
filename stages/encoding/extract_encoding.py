"""Encode images: the output of an inner layer of the improved network.

Reads   test and validation images (.npy), the improved network (.keras)
Does    one pass through the network, no training
Writes  test.npy and valid.npy: float32 encodings (n, d); test_predicted.npy: the network's
        labels for the test images, uint8 (n,)
"""

from pathlib import Path

import numpy as np

from stages.common.command import InputError, run
from stages.common.files import IMAGES, load_array, save_array
from stages.common.params import read_params
from stages.encoding.layers import OUTPUT, encode
from stages.networks.backend import load_network


def main(x_valid: Path, x_test: Path, improved: Path, encoding: Path) -> None:
    params = read_params()
    layer = params["extract_encoding"]["layer"]
    network = load_network(improved)
    (valid,) = encode(network, [layer], load_array(x_valid, IMAGES))
    test, probabilities = encode(network, [layer, OUTPUT], load_array(x_test, IMAGES))
    if (test == test[0]).all():
        raise InputError(
            f"{improved}: layer {layer}: expected encodings that differ, found that of every test"
            " image to be the same: the network has learned nothing, lower train.lr in params.yaml"
        )
    save_array(encoding / "valid.npy", valid)
    save_array(encoding / "test.npy", test)
    predicted = probabilities.argmax(axis=1)
    save_array(encoding / "test_predicted.npy", predicted.astype(np.uint8))


if __name__ == "__main__":
    run(main)
