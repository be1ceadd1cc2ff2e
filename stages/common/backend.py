"""Keras and its backend, TensorFlow, whose start-up notices are kept from the user's log."""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read once, when TensorFlow is imported

import keras
import tensorflow

from common.command import InputError

REASON = 200  # characters of a reason that are told
__all__ = ["keras", "load_network", "tensorflow"]


def load_network(path: Path) -> keras.Model:
    """Load a network from .keras; code that it may hold is not run.

    Raises:
        InputError: the file is no network from pixels (n, 28, 28, 1) to probabilities (n, 5).
    """
    expected = f"{path}: expected a network from 28 x 28 pixels to five probabilities"
    try:
        network = keras.models.load_model(path, safe_mode=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # whatever Keras, HDF5 and zip throw at what they cannot read
        reason = " ".join(str(error).split())[:REASON]
        raise InputError(f"{expected}, found something else: {reason}") from error
    shapes = network.input_shape, network.output_shape
    if shapes != ((None, 28, 28, 1), (None, 5)):
        raise InputError(f"{expected}, found one from {shapes[0]} to {shapes[1]}")
    return network
