"""Cluster the test encodings by k-means and compare the clusters with the labels.

Reads   test encodings, labels, the network's predicted labels and the images (.npy)
Does    k-means on the encodings and, as a baseline, on the pixels
Writes  the clusters of the encodings, uint8 (n,) (.npy), scores (JSON), clusters against labels
        (CSV)

adjusted_rand_index     agreement of two groupings over pairs of images; 0: chance, 1: the same
                        (Hubert and Arabie 1985)
normalized_mutual_info  shared information over the mean of both groupings' own; 0-1
homogeneity             1: every cluster holds images of one label
completeness            1: every label lies in one cluster
silhouette              mean over the images of how much nearer the own cluster is than the next,
                        -1 to 1 (Rousseeuw 1987)
with_predictions_*      against the network's predictions in place of the labels
prediction_*            the predictions themselves against the labels: what is to be reached
pixels_*                the same for k-means on the pixels
"""

from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import (
    adjusted_rand_score,
    completeness_score,
    homogeneity_score,
    normalized_mutual_info_score,
    silhouette_score,
)
from sklearn.metrics.cluster import contingency_matrix
from threadpoolctl import threadpool_limits

from common.command import InputError, run
from common.files import save_array, save_json, save_table
from common.params import read_params


def cluster(points: np.ndarray, n_clusters: int, n_init: int, seed: int) -> np.ndarray:
    """Cluster points (n, d) by k-means; return the cluster of each, (n,).

    Raises:
        InputError: there are fewer points than clusters.
    """
    if n_clusters > len(points):
        raise InputError(
            f"params.yaml: kmeans.n_clusters: expected at most the {len(points)} test images,"
            f" found {n_clusters}"
        )
    kmeans = KMeans(n_clusters, init="k-means++", n_init=n_init, random_state=seed)
    with threadpool_limits(1, "openmp"):  # threads add up the centres in an order of their own
        return kmeans.fit_predict(points)


def renumber(clusters: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Number the clusters like the labels that they share most images with; uint8 (n,).

    The numbers of clusters mean nothing; this choice makes tables and colours easy to compare
    and changes no index. Clusters that no label is left for come last.
    """
    shared = contingency_matrix(labels, clusters)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    number = np.full(shared.shape[1], -1)
    number[columns] = np.unique(labels)[rows]
    free = (n for n in count() if n not in number)
    for column in np.flatnonzero(number < 0):
        number[column] = next(free)
    return number[np.unique(clusters, return_inverse=True)[1]].astype(np.uint8)


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
    if not 2 <= len(np.unique(clusters)) < len(points):
        return None
    return float(silhouette_score(points, clusters))


def prefixed(prefix: str, scores: dict) -> dict:
    """Put `prefix` before every key."""
    return {prefix + key: value for key, value in scores.items()}


def main(
    encodings_path: Path,
    labels_path: Path,
    predicted_path: Path,
    images_path: Path,
    clusters_path: Path,
    metrics: Path,
    table: Path,
) -> None:
    params = read_params()
    options = (params["kmeans"]["n_clusters"], params["kmeans"]["n_init"], params["kmeans"]["seed"])
    encodings, images = np.load(encodings_path), np.load(images_path)
    labels, predicted = np.load(labels_path), np.load(predicted_path)
    print("kmeans: clustering the encodings", flush=True)
    clusters = renumber(cluster(encodings, *options), labels)
    print("kmeans: clustering the pixels", flush=True)
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixel_clusters = cluster(pixels, *options)
    print("kmeans: computing silhouettes", flush=True)
    pixel_scores = (
        agreement(pixel_clusters, labels)
        | prefixed("with_predictions_", agreement(pixel_clusters, predicted))
        | {"silhouette": silhouette(pixels, pixel_clusters)}
    )
    scores = (
        agreement(clusters, labels)
        | {"silhouette": silhouette(encodings, clusters)}
        | prefixed("with_predictions_", agreement(clusters, predicted))
        | prefixed("prediction_", agreement(predicted, labels))
        | prefixed("pixels_", pixel_scores)
    )
    counts = pd.crosstab(labels, clusters, rownames=["label"], colnames=["cluster"])
    save_array(clusters_path, clusters)
    save_json(metrics, scores)
    save_table(table, counts.stack().rename("count").reset_index())


if __name__ == "__main__":
    run(main)
