"""Clustering by k-means, and scores of a clustering.

adjusted_rand_index     agreement of two groupings over pairs of images; 0: chance, 1: the same
                        (Hubert and Arabie 1985)
normalized_mutual_info  shared information over the mean of both groupings' own; 0-1
homogeneity             1: every cluster holds images of one label
completeness            1: every label lies in one cluster
silhouette              mean over images, `SAMPLE` random ones at most, of how much nearer the own
                        cluster is than the next, -1 to 1 (Rousseeuw 1987)
"""

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
    normalized_mutual_info_score,
    silhouette_score,
)
from threadpoolctl import threadpool_limits

from stages.common.command import InputError

SAMPLE = 3_000  # images, since the silhouette takes the square of their number
NO_AGREEMENT = 0.05  # adjusted Rand index below which clusters hardly agree with labels


def find_clusters(points: np.ndarray, n_clusters: int, n_init: int, seed: int) -> np.ndarray:
    """Cluster points (n, d) by k-means; return the cluster of each, (n,).

    Raises:
        InputError: there are fewer points than clusters.
    """
    if n_clusters > len(points):
        raise InputError(
            f"k-means: expected at least {n_clusters} images, one a cluster, found {len(points)}:"
            " lower kmeans.n_clusters or raise prepare.limit in params.yaml"
        )
    kmeans = KMeans(n_clusters, init="k-means++", n_init=n_init, random_state=seed)
    with threadpool_limits(1):  # threads add up in an order of their own, and wait for each other
        return kmeans.fit_predict(points)


def agreement(clusters: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Compare two groupings (n,) of the same images; the glossary is at the top of this file."""
    return {
        "adjusted_rand_index": float(adjusted_rand_score(labels, clusters)),
        "normalized_mutual_info": float(normalized_mutual_info_score(labels, clusters)),
        "homogeneity": float(homogeneity_score(labels, clusters)),
        "completeness": float(completeness_score(labels, clusters)),
    }


def silhouette(points: np.ndarray, clusters: np.ndarray) -> float | None:
    """Mean silhouette of clustered points (n, d), or None where it is not defined."""
    rows = np.random.default_rng(0).permutation(len(points))[:SAMPLE]  # the same for every number
    if not 2 <= len(np.unique(clusters[rows])) < len(rows):
        return None
    with threadpool_limits(1, "blas"):  # threads mostly wait for each other
        return float(silhouette_score(points[rows], clusters[rows]))


def best_number(scores: pd.DataFrame) -> int:
    """Return the number of clusters with the highest silhouette on the validation encodings.

    Args:
        scores: n_clusters and valid_silhouette, a row a number of clusters
    """
    return int(scores.loc[scores["valid_silhouette"].fillna(-1).idxmax(), "n_clusters"])


def tabulate(labels: np.ndarray, clusters: np.ndarray) -> pd.DataFrame:
    """Count the images (n,) of each label (rows) in each cluster (columns)."""
    return pd.crosstab(labels, clusters, rownames=["label"], colnames=["cluster"])


def as_rows(counts: pd.DataFrame) -> pd.DataFrame:
    """Turn a table of `tabulate` into rows of label, cluster and count, as plots want them."""
    return counts.stack().rename("count").reset_index()


def prefixed(prefix: str, scores: dict) -> dict:
    """Put `prefix` before every key."""
    return {prefix + key: value for key, value in scores.items()}


def in_words(index: float, of_predictions: float) -> str:
    """Say how a clustering agrees with the labels, by its adjusted Rand index.

    Args:
        index: of the clusters against the labels
        of_predictions: of the network's own predictions against the labels, the measure
    """
    if index < NO_AGREEMENT:
        manner = "hardly at all, where the network's own predictions reach"
    elif index > 1.03 * of_predictions:
        manner = "better than the network's own predictions do,"
    elif index >= 0.97 * of_predictions:
        manner = "as well as the network's own predictions do,"
    elif index >= 0.8 * of_predictions:
        manner = "nearly as well as the network's own predictions do,"
    else:
        manner = "less well than the network's own predictions do,"
    measure = f"(adjusted Rand index {index:z.2f})"
    return f"agree with the labels {measure} {manner} {of_predictions:z.2f}"
