"""Cluster the test encodings by density: how many clusters are there, and what lies between them?

Reads   validation and test encodings, test labels, the network's predicted labels (.npy)
Does    HDBSCAN (Campello, Moulavi and Sander 2013) on the first principal components, which finds
        the number of clusters itself and leaves images between them out; components and parameter
        are those of the validation encodings
Writes  the cluster of each test image, int16 (n,), -1: none (.npy), scores (JSON), clusters against
        labels (CSV, and a picture with a sentence on it)

fraction    the least fraction of the images that makes a cluster: see `choose_fraction`
clusters    how many there are
outside     fraction of the images in none of them; the other scores, explained in clustering.py,
            count these images as one more cluster
purity      fraction of the images in clusters that have their cluster's most frequent label
by_fraction how many clusters each fraction makes of the validation encodings, as rows for
            `dvc plots`
with_predictions_*  against the network's predictions in place of the labels
"""

from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.cluster import HDBSCAN
from sklearn.decomposition import PCA

from stages.common.command import run
from stages.common.files import LABELS, POINTS, load_array, save_array, save_json, save_table
from stages.common.pictures import draw_counts, save_figure
from stages.encoding.clustering import agreement, as_rows, in_words, prefixed, tabulate

FRACTIONS = (0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06)  # of the images, to choose from
NEIGHBORS = 0.001  # fraction of the images that must be near for a place to be dense
COMPONENTS = 16  # principal ones of the encodings, since neighbours in many dimensions take long
OUTSIDE = -1  # HDBSCAN's number for images in no cluster


def find_dense(points: np.ndarray, fraction: float) -> np.ndarray:
    """Cluster points (n, d) by density; return the cluster of each, (n,), or `OUTSIDE`.

    Args:
        fraction: the least fraction of the points that makes a cluster, 0-1
    """
    least, neighbors = (max(2, round(part * len(points))) for part in (fraction, NEIGHBORS))
    return HDBSCAN(min_cluster_size=least, min_samples=neighbors, copy=True).fit_predict(points)


def count(clusters: np.ndarray) -> int:
    """Count the clusters, without what is outside them."""
    return len(np.unique(clusters[clusters != OUTSIDE]))


def choose_fraction(counts: dict[float, int]) -> float:
    """Choose the least fraction of a cluster by the number of clusters that each fraction makes.

    The number on which most neighbouring fractions agree depends least on the choice. Among equally
    long runs the one with more clusters is taken, and of a run the middle fraction; none at all is
    only taken if no fraction makes any.

    Args:
        counts: number of clusters by fraction, fractions in ascending order
    """
    runs = [
        (n, [fraction for fraction, _ in run])
        for n, run in groupby(counts.items(), key=lambda item: item[1])
    ]
    _, fractions = max(runs, key=lambda run: (run[0] > 0, len(run[1]), run[0]))
    return fractions[(len(fractions) - 1) // 2]


def purity(labels: np.ndarray, clusters: np.ndarray) -> float | None:
    """Return the fraction of images in clusters, (n,), with their cluster's most frequent label."""
    inside = clusters != OUTSIDE
    if not inside.any():
        return None
    return float(tabulate(labels[inside], clusters[inside]).max().sum() / inside.sum())


def say(scores: dict, of_predictions: float) -> str:
    """Say in a sentence what the scores show, given the predictions' adjusted Rand index."""
    if scores["clusters"] == 0:
        return "By density no two clusters stand apart: the encoding is one cloud."
    words = in_words(scores["adjusted_rand_index"], of_predictions)
    return (
        f"By density {scores['clusters']} clusters stand apart, {scores['purity']:.1%} of whose"
        f" images have the most frequent label of their cluster; {scores['outside']:.0%} of all"
        f" images lie between them. With these as one more cluster they {words}."
    )


def main(
    valid_path: Path,
    test_path: Path,
    labels_path: Path,
    predicted_path: Path,
    clusters_path: Path,
    metrics: Path,
    table: Path,
    picture: Path,
) -> None:
    valid, test = load_array(valid_path, POINTS), load_array(test_path, POINTS)
    labels, predicted = (
        load_array(path, LABELS, len(test)) for path in (labels_path, predicted_path)
    )
    pca = PCA(min(COMPONENTS, *valid.shape), svd_solver="full").fit(valid)
    valid, test = pca.transform(valid), pca.transform(test)
    counts = {}
    for fraction in FRACTIONS:
        counts[fraction] = count(find_dense(valid, fraction))
        print(f"density: {counts[fraction]} clusters of {fraction:.2%} and more", flush=True)
    fraction = choose_fraction(counts)
    clusters = find_dense(test, fraction)
    scores: dict = {
        "fraction": fraction,
        "clusters": count(clusters),
        "outside": float((clusters == OUTSIDE).mean()),
        "purity": purity(labels, clusters),
        "by_fraction": [{"fraction": one, "clusters": n} for one, n in counts.items()],
    }
    scores |= agreement(clusters, labels)
    scores |= prefixed("with_predictions_", agreement(clusters, predicted))
    of_predictions = agreement(predicted, labels)["adjusted_rand_index"]
    names = pd.Categorical(
        np.where(clusters == OUTSIDE, "none", clusters.astype(str)),
        [*map(str, range(scores["clusters"])), "none"],
    )
    counts_of_labels = tabulate(labels, names)
    save_array(clusters_path, clusters.astype(np.int16))
    save_json(metrics, scores)
    save_table(table, as_rows(counts_of_labels))
    title = "Test images of each label in the density clusters of the encoding"
    save_figure(draw_counts(title, counts_of_labels, say(scores, of_predictions)), picture)


if __name__ == "__main__":
    run(main)
