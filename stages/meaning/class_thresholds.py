"""Thresholds of one image statistic that differ from one visual class to another.

In a cluster of visually similar images such a rule is exact: a tree on the statistic alone is right
for nearly all images. A statistic that is only correlated with the labels is right for fewer.
"""

import itertools

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score
from sklearn.tree import DecisionTreeClassifier

UNMIXED = 0.8  # fraction of a cluster that its most frequent label has at most, to be looked at
ON_A_SIDE = 20  # images on each side of a threshold
PARTED = 0.95  # accuracy of a threshold between two labels, to be told
QUANTILE = 0.9  # of the clusters' accuracies: clusters that hold two classes are never exact


def fit_small(values: np.ndarray, labels: np.ndarray) -> DecisionTreeClassifier:
    """Fit a tree of at most six leaves to values (n, k) and labels (n,)."""
    tree = DecisionTreeClassifier(max_leaf_nodes=6, min_samples_leaf=ON_A_SIDE, random_state=0)
    return tree.fit(values, labels)


def mixed_clusters(labels: np.ndarray, clusters: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each cluster (n,) of which no label (n,) has more than `UNMIXED`."""
    parts = [np.flatnonzero(clusters == cluster) for cluster in np.unique(clusters)]
    return [rows for rows in parts if np.bincount(labels[rows]).max() <= UNMIXED * len(rows)]


def deciding_statistic(
    statistics: pd.DataFrame, labels: np.ndarray, parts: list[np.ndarray]
) -> str | None:
    """Return the statistic that parts labels first in most images' clusters; None without any."""
    votes: dict[str, int] = {}
    for rows in parts:
        first = fit_small(statistics.iloc[rows].to_numpy(), labels[rows]).tree_.feature[0]
        if first >= 0:  # or there is nothing to part
            votes[statistics.columns[first]] = votes.get(statistics.columns[first], 0) + len(rows)
    return max(votes, key=votes.__getitem__, default=None)


def accuracy_of_half(values: np.ndarray, labels: np.ndarray) -> float:
    """Return the accuracy of trees on values (n,), fitted to every other image, on the others."""
    even = np.arange(len(labels)) % 2 == 0
    hits = [
        (fit_small(values[fitted, None], labels[fitted]).predict(values[~fitted, None]))
        == labels[~fitted]
        for fitted in (even, ~even)
    ]
    return float(np.concatenate(hits).mean())


def find_thresholds(
    statistics: pd.DataFrame, labels: np.ndarray, clusters: np.ndarray, order: list[int]
) -> tuple[str | None, float, pd.DataFrame]:
    """Look for thresholds of one statistic in every cluster of visually similar images.

    Args:
        statistics: of images, (n, k)
        labels: (n,)
        clusters: (n,)
        order: the labels, as they follow each other along a property

    Returns:
        the statistic that decides in most clusters, and how exactly: the accuracy that a tenth of
        the clusters reach
        cluster, images, labels, threshold and accuracy, a row for any two labels that are next to
        each other in a cluster and that a threshold parts exactly; accuracy is the mean of both
        labels' recall, the clusters most exactly decided come first
    """
    parts = mixed_clusters(labels, clusters)
    name = deciding_statistic(statistics, labels, parts)
    columns = ["cluster", "images", "labels", "threshold", "accuracy"]
    if name is None:
        return None, 0.0, pd.DataFrame(columns=columns)
    values = statistics[name].to_numpy()
    found = [(accuracy_of_half(values[rows], labels[rows]), rows) for rows in parts]
    found.sort(key=lambda one: -one[0])
    table = []
    for _, rows in found:
        for pair in itertools.pairwise(order):
            both = rows[np.isin(labels[rows], pair)]
            second = labels[both] == pair[1]
            if min(second.sum(), (~second).sum()) >= ON_A_SIDE:
                stump = DecisionTreeClassifier(max_depth=1, class_weight="balanced").fit(
                    values[both, None], second
                )
                accuracy = balanced_accuracy_score(second, stump.predict(values[both, None]))
                if accuracy >= PARTED:
                    name_of_pair, at = f"{pair[0]}-{pair[1]}", float(stump.tree_.threshold[0])
                    table.append((clusters[rows[0]], len(rows), name_of_pair, at, accuracy))
    sharpness = float(np.quantile([accuracy for accuracy, _ in found], QUANTILE))
    return name, sharpness, pd.DataFrame(table, columns=columns)
