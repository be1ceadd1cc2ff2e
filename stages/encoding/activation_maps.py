"""Class-activation maps: what each place of an image adds to the score of the predicted label.

Zhou et al. 2016 (CVPR) read them off the last feature map where channels are averaged; where, as
here, each channel's maximum is taken (Oquab et al. 2015, CVPR), all that a channel adds comes from
the one place where it is strongest. The sum of a map is the score before it is scaled.
"""

import numpy as np

from stages.encoding.layers import BATCH
from stages.networks.backend import keras


def locate(features: np.ndarray, weights: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what each place adds to the score of an image's label: float32 (n, h, w).

    Args:
        features: (n, h, w, channels), of which the network takes the maximum over places
        weights: of the dense layer without bias that follows, (channels, 5)
        labels: whole numbers (n,)
    """
    n, h, w, channels = features.shape
    by_place = features.reshape(n, h * w, channels)
    maps = np.zeros((n, h * w), np.float32)
    strongest = by_place.argmax(axis=1)
    np.add.at(maps, (np.arange(n)[:, None], strongest), by_place.max(axis=1) * weights.T[labels])
    return maps.reshape(n, h, w)


def map_images(network: keras.Model, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return maps of the predicted labels, float32 (n, h, w), and probabilities (n, 5)."""
    pooled = network.get_layer("encoding").input
    weights = network.get_layer("scores").get_weights()[0]
    part = keras.Model(network.inputs, [pooled, *network.outputs])
    maps, probabilities = [], []
    for start in range(0, len(images), BATCH):
        of_batch = part.predict(images[start : start + BATCH], batch_size=BATCH, verbose=0)
        features, scores = (np.asarray(output, np.float32) for output in of_batch)
        maps.append(locate(features, weights, scores.argmax(axis=1)))
        probabilities.append(scores)
    return np.concatenate(maps), np.concatenate(probabilities)
