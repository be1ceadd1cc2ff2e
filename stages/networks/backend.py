"""Keras and its backend, TensorFlow: set up before they are imported; loading a network.

The environment is read once, when TensorFlow is imported. Precision and threads are set by
`training.set_up`, networks are saved by `training.save_network`.
"""

import gc
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow has oneDNN off where there is no AVX-512, though float32 training is faster with it
# there, too (docs/log-networks.md).
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

gc.disable()  # it would look at millions of objects again and again, a fifth of the time
import keras  # noqa: E402
import tensorflow  # noqa: E402

gc.enable()

from stages.common.command import InputError  # noqa: E402

# Whatever a user's keras.json says.
keras.config.set_floatx("float32")
keras.config.set_epsilon(1e-7)
keras.config.set_image_data_format("channels_last")

REASON = 200  # characters of a reason that are told
__all__ = ["keras", "load_network", "tensorflow"]


def load_network(path: Path) -> keras.Model:
    """Load a network from .keras; code that it may hold is not run.

    Raises:
        FileNotFoundError: there is no such file.
        InputError: the file is no network from pixels (n, 28, 28, 1) to probabilities (n, 5).
    """
    expected = f"{path}: expected a network from 28 x 28 pixels to five probabilities"
    path.open("rb").close()
    try:
        network = keras.models.load_model(path, safe_mode=True)
        shapes = network.input_shape, network.output_shape
    except Exception as error:  # whatever Keras, HDF5 and zip throw at what they cannot read
        reason = " ".join(str(error).split())[:REASON]
        raise InputError(f"{expected}, found something else: {reason}") from error
    if shapes != ((None, 28, 28, 1), (None, 5)):
        raise InputError(f"{expected}, found one from {shapes[0]} to {shapes[1]}")
    return network
