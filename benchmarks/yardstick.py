"""What this machine can do: the figures that the benchmarks are measured in.

The same work may take twice as long from one minute to the next, so run times are given in
*default epochs*, measured right before and after what they scale.
"""

import time

import numpy as np

from stages.networks.backend import keras, tensorflow
from stages.networks.train_default import default_network
from stages.networks.training import Clock, fastest, one_hot

MEASURED = 18_000  # images of a measurement beside something that takes long
EPOCH_IMAGES = 54_000  # training images of Fashion-MNIST with a tenth kept for validation


def default_epoch(x: np.ndarray, y: np.ndarray) -> float:
    """Return the seconds of one default epoch (DE), scaled to 54,000 images.

    That is one float32 epoch of the default network in batches of 128, by Keras' `fit` alone,
    without validation: 1.7 TFLOP. Its clock stops before Keras waits for its input pipeline (see
    `Batches`).

    Args:
        x, y: uint8 images (n, 28, 28, 1) and labels (n,)
    """
    network = default_network()
    network.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy", metrics=["accuracy"])
    labels = one_hot(y)
    network.fit(x[:1_280], labels[:1_280], batch_size=128, verbose=0)  # builds the graph
    clock = Clock()
    network.fit(x, labels, batch_size=128, callbacks=[clock], verbose=0)
    return clock.seconds[0] / len(x) * EPOCH_IMAGES


def predict_rate(network: keras.Model, images: np.ndarray, batch_size: int) -> float:
    """Return the images (n, 28, 28, 1) a second that a network predicts in batches."""
    network.predict(images[: 2 * batch_size], batch_size=batch_size, verbose=0)
    start = time.perf_counter()
    network.predict(images, batch_size=batch_size, verbose=0)
    return len(images) / (time.perf_counter() - start)


def product_rate(dtype: str, size: int = 2_048) -> float:
    """Return the FLOP a second of a product of two square matrices, the best of five."""
    matrix = tensorflow.ones((size, size), dtype)
    (seconds,) = fastest(lambda: tensorflow.linalg.matmul(matrix, matrix).numpy())
    return 2 * size**3 / seconds
