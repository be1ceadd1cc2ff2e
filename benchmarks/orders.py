"""Ask of labels made up by seed whether they are ordered, and by thresholds of each class; count.

    python -m benchmarks.orders 7000 7200

Reads   Fashion-MNIST, as the stage fetch finds it
Does    makes up labels for each seed from the first on, of a kind a seed in turn; asks label_order
        and class_thresholds, on 54,000 training and 6,000 other images, without any network
Writes  metrics/orders.json: of each kind of labels how many sets were asked about, how many were
        found ordered (and in the order they were made in) and how many exact in each class

Kinds: merge, alone, five   classes, given labels at random; one has a label alone; five share one
       threshold, mixed     as in calibration.py, on the twelve image statistics
       outside              bins of a property that no list has: a soft window's brightness, the
                            strength of stripes at random angles, a principal component, the
                            brightness on one side of a line, likeness to an image
       by_class             bins of a statistic that is moved for each class
       wrong_2, wrong_10    any of these, with 2 or 10% of the labels wrong; counted with its kind
       drawn                labels at random
"""

import sys

import numpy as np
import pandas as pd
from scipy.ndimage import convolve
from sklearn.decomposition import PCA

from benchmarks.calibration import SMALLEST, cut, drawn, merge, merged, mixed, threshold
from benchmarks.stage_runs import ROOT
from stages.common.files import save_json
from stages.data.fashion_mnist import find_fashion_mnist
from stages.meaning.class_thresholds import find_thresholds, is_exact
from stages.meaning.label_flips import find_similar
from stages.meaning.label_order import find_similar_images, weigh
from stages.meaning.statistics import measure

N_TRAIN = 54_000
MOVED = 0.6  # standard deviations by which a statistic is moved for a class
FIGURES = ROOT / "metrics/orders.json"


def alone(rng: np.random.Generator, classes: np.ndarray, images: np.ndarray) -> np.ndarray:
    labels = merged(rng, np.arange(9), 4)
    return rng.permutation(5)[rng.permutation([4, *labels])[classes]]


def five(rng: np.random.Generator, classes: np.ndarray, images: np.ndarray) -> np.ndarray:
    labels = [0] * 5 + [1, 2, 3, 4, int(rng.integers(1, 5))]
    return rng.permutation(5)[rng.permutation(labels)[classes]]


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


PURE = (merge, alone, five, threshold, outside, by_class, mixed)
KINDS = (*(kind.__name__ for kind in PURE), "wrong_2", "wrong_10", "drawn")
OF_IMAGES = (alone, five, outside)  # the others are told statistics


def make_labels(
    seed: int, classes: np.ndarray, images: np.ndarray, statistics: pd.DataFrame
) -> tuple[str, np.ndarray]:
    """Return the kind of a seed's labels, and the labels (n,), none of which is too rare."""
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


def main(first: str, end: str) -> None:
    arrays = find_fashion_mnist()
    images, classes = arrays["x_train"].reshape(-1, 28, 28, 1), arrays["y_train"]
    statistics = measure(images)
    clusters = find_similar(images[:N_TRAIN], 1)
    neighbors = find_similar_images(images[:N_TRAIN], images[N_TRAIN:])
    found = []
    for seed in range(int(first), int(end)):
        kind, labels = make_labels(seed, classes, images[..., 0], statistics)
        known = labels[:N_TRAIN]
        order, evidence = weigh(known, labels[N_TRAIN:], known[neighbors], clusters)
        _, exactness, _ = find_thresholds(statistics[:N_TRAIN], known, clusters, order)
        ordered = evidence["ordered"]
        found.append(
            {
                "kind": kind,
                "asked": 1,
                "ordered": ordered,
                "in_their_order": ordered and order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]),
                "exact": is_exact(exactness, evidence["random_labels"]),
            }
        )
        print(f"orders: {seed}, {found[-1]}", flush=True)
    counts = pd.DataFrame(found).groupby("kind").sum().astype(int)
    save_json(FIGURES, {"seeds": f"{first} to {int(end) - 1}"} | counts.to_dict("index"))


if __name__ == "__main__":
    main(*sys.argv[1:])
