"""Labels for Fashion-MNIST's images that are made up by seed, in ten kinds, a kind a seed in turn.

merge, alone, five   classes, given labels at random; one has a label alone; five share one
threshold            bins of an image statistic, or of one and on each side of another
outside              bins of a property that no list has: a soft window's brightness, the strength
                     of stripes at random angles, a principal component, the brightness on one side
                     of a line, likeness to an image
by_class             bins of a statistic that is moved for each class
mixed                a statistic parts some classes, all of them once, or one alone; the others go
                     by class
wrong_2, wrong_10    any of these, with 2 or 10% of the labels wrong
drawn                labels at random
"""

import numpy as np
import pandas as pd
from scipy.ndimage import convolve
from sklearn.decomposition import PCA

SMALLEST = 0.05  # fraction of the images that the rarest label has at least
MOVED = 0.6  # standard deviations by which a statistic is moved for a class


def merge(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """Give each of the ten classes a label."""
    return merged(rng, classes, 5)


def alone(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    labels = merged(rng, np.arange(9), 4)
    return rng.permutation(5)[rng.permutation([4, *labels])[classes]]


def five(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    labels = [0] * 5 + [1, 2, 3, 4, int(rng.integers(1, 5))]
    return rng.permutation(5)[rng.permutation(labels)[classes]]


def threshold(
    rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame
) -> np.ndarray:
    """Cut by one statistic, or by one and on each side by another."""
    first, second = rng.choice(statistics.columns, 2, replace=False)
    if rng.random() < 0.6:
        return cut(rng, statistics[first], 5)
    labels = cut(rng, statistics[first], 2)
    low = labels == 0
    labels[low] = cut(rng, statistics[second][low], 2)
    labels[~low] = 2 + cut(rng, statistics[second][~low], 3)
    return labels


def outside(rng: np.random.Generator, classes: np.ndarray, images: np.ndarray) -> np.ndarray:
    return cut(rng, pd.Series(measure_unlisted(rng, images / np.float32(255))), 5)


def measure_unlisted(rng: np.random.Generator, images: np.ndarray) -> np.ndarray:
    """Return a property of images (n, 28, 28), values 0-1, that no list has, (n,)."""
    pixels, (y, x) = images.reshape(len(images), -1), np.mgrid[:28, :28]
    form, angle = rng.integers(5), rng.uniform(0, 2 * np.pi)
    if form == 0:
        top, left, width = rng.uniform(7, 20), rng.uniform(7, 20), rng.uniform(2, 5)
        window = np.exp(-((y - top) ** 2 + (x - left) ** 2) / (2 * width**2))
        return pixels @ window.ravel()
    if form == 1:
        v, u = np.mgrid[-4:5, -4:5]
        waves = np.cos(2 * np.pi * rng.uniform(0.1, 0.3) * (u * np.cos(angle) + v * np.sin(angle)))
        kernel = np.exp(-(u**2 + v**2) / 8) * waves
        kernel -= kernel.mean()
        return np.abs(convolve(images, kernel[None].astype(np.float32))).mean(axis=(1, 2))
    if form == 2:
        return PCA(9, svd_solver="covariance_eigh").fit_transform(pixels)[:, rng.integers(1, 9)]
    if form == 3:
        side = ((x - 13.5) * np.cos(angle) + (y - 13.5) * np.sin(angle) > 0).ravel()
        return pixels[:, side].sum(axis=1) / (pixels.sum(axis=1) + 1e-3)
    centred = pixels - pixels.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1) + 1e-3
    return centred @ centred[rng.integers(len(images))] / lengths


def by_class(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    values = statistics[rng.choice(statistics.columns)]
    return cut(rng, values + rng.normal(0, MOVED * values.std(), 10)[classes], 5)


def mixed(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """Cut some classes, all classes once, or one class alone; the rest goes by class."""
    values = statistics[rng.choice(statistics.columns)]
    form = rng.integers(3)
    if form == 0:
        n_merged = int(rng.integers(1, 4))
        whole = rng.permutation(10)[classes] < rng.integers(3, 7)
        labels = np.empty(len(classes), int)
        labels[whole] = merged(rng, classes[whole], n_merged)
        labels[~whole] = n_merged + cut(rng, values[~whole], 5 - n_merged)
    elif form == 1:
        labels = merged(rng, classes, 4)
        labels[cut(rng, values, 2) == 1] = 4
    else:
        labels = merged(rng, classes, 5)
        parted = classes == rng.integers(10)
        other = (labels[parted][0] + rng.integers(1, 5)) % 5
        labels[parted] = np.where(cut(rng, values[parted], 2) == 1, other, labels[parted])
    return labels


def drawn(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """Draw each image's label at random, some labels more often than others."""
    return rng.choice(5, len(classes), p=rng.dirichlet(np.full(5, 5.0)))


def merged(rng: np.random.Generator, classes: np.ndarray, n: int) -> np.ndarray:
    """Give each class one of n labels at random, every label to one kind at least."""
    kinds, numbers = np.unique(classes, return_inverse=True)
    return rng.permutation([*range(n), *rng.integers(0, n, len(kinds) - n)])[numbers]


def cut(rng: np.random.Generator, values: pd.Series, n: int) -> np.ndarray:
    """Cut into n parts of about the same size, if there is anything to cut."""
    if values.empty:
        return np.zeros(0, int)
    fractions = (np.arange(1, n) + rng.uniform(-0.25, 0.25, n - 1)) / n
    return np.searchsorted(np.quantile(values, fractions), values, side="left")


PURE = (merge, alone, five, threshold, outside, by_class, mixed)
KINDS = (*(kind.__name__ for kind in PURE), "wrong_2", "wrong_10", "drawn")
OF_IMAGES = (outside,)  # the others are told statistics


def make_labels(
    seed: int, classes: np.ndarray, images: np.ndarray, statistics: pd.DataFrame
) -> tuple[str, np.ndarray]:
    """Make up a seed's labels, none of which is too rare.

    Args:
        classes: of the images, (n,)
        images: (n, 28, 28)
        statistics: of the images, (n, k)

    Returns:
        their kind, or the one that they were of before some went wrong; the labels, (n,)
    """
    rng, name = np.random.default_rng(seed), KINDS[seed % len(KINDS)]
    wrong = {"wrong_2": 0.02, "wrong_10": 0.1}.get(name, 0)
    kinds = {kind.__name__: kind for kind in (*PURE, drawn)}
    while True:
        kind = PURE[rng.integers(len(PURE))] if wrong else kinds[name]
        labels = kind(rng, classes, images if kind in OF_IMAGES else statistics)
        if np.bincount(labels, minlength=5).min() >= SMALLEST * len(labels):
            break
    changed = rng.random(len(labels)) < wrong
    other = (labels + rng.integers(1, 5, len(labels))) % 5
    return kind.__name__, np.where(changed, other, labels)
