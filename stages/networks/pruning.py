"""Leaving easy images out of an epoch without bias, after InfoBatch (Qin and others 2024,
arXiv:2303.04947).

Images of low loss teach little. Most of them are left out of an epoch, at random, and the others of
them count more, so that gradients stay what they are on average. Unlike there, all epochs are
equally long: easy are so many images of the lowest losses, not those below the mean, and the first
epoch has a random part of all.
"""

from typing import Any

import numpy as np

from stages.networks.backend import keras, tensorflow

EASY = 0.75  # fraction of the images, those of the lowest losses, that may be left out


def draw_epoch(
    losses: np.ndarray, pruned: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of an epoch in random order, and the weight of each, float32.

    Args:
        losses: of all images at their last turn, (n,), infinite where there was none
        pruned: fraction of the images that is left out, 0 to below `EASY`
    """
    n = len(losses)
    n_left_out = round(pruned * n)
    if np.isinf(losses).all():
        return rng.permutation(n)[n_left_out:], np.ones(n - n_left_out, np.float32)
    easy = np.argsort(losses, kind="stable")[: round(EASY * n)]
    weights = np.ones(n, np.float32)
    weights[easy] = len(easy) / (len(easy) - n_left_out)
    weights[rng.choice(easy, n_left_out, replace=False)] = 0
    rows = rng.permutation(np.flatnonzero(weights))
    return rows, weights[rows]


class Trainer(keras.Model):
    """Trains a network on images with their rows, and keeps the last loss of each row.

    The network itself has no optimizer, so that it is saved without this and Muon's code.
    """

    def __init__(self, network: keras.Model, loss: keras.losses.Loss, n: int):
        """Take a network, a loss without reduction, and the number of training images."""
        super().__init__(name=network.name)
        self.network, self.image_loss = network, loss
        with tensorflow.device("CPU"):  # a GPU would write to it in no fixed order
            self.last_losses = tensorflow.Variable(np.full(n, np.inf, np.float32), trainable=False)

    def call(self, inputs: Any, training: bool = False) -> keras.KerasTensor:
        """Return probabilities (b, 5) for images (b, 28, 28, 1), perhaps with rows (b,)."""
        images = inputs[0] if isinstance(inputs, tuple) else inputs
        return self.network(images, training=training)

    def compute_loss(
        self,
        x: Any,
        y: keras.KerasTensor,
        y_pred: keras.KerasTensor,
        sample_weight: keras.KerasTensor | None = None,
        training: bool = True,
    ) -> keras.KerasTensor:
        """Return the weighted mean of the images' losses, after keeping these."""
        losses = self.image_loss(y, y_pred)
        if not training:
            return keras.ops.mean(losses)
        _, rows = x
        self.last_losses.scatter_update(tensorflow.IndexedSlices(losses, rows))
        return keras.ops.mean(losses * sample_weight)
