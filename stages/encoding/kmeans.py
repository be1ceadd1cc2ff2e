"""Cluster the test encodings by k-means and compare the clusters with the labels.

Reads   test encodings, labels, the network's predicted labels and the images (.npy)
Does    k-means on the encodings and, as a baseline, on the pixels
Writes  the clusters of the encodings, uint8 (n,) (.npy), their agreement with the labels, and all
        scores (JSON), clusters against labels (CSV, and a picture with a sentence on it)

The scores are explained in clustering.py; beside those against the labels:

with_predictions_*      against the network's predictions in place of the labels
prediction_*            the predictions themselves against the labels: what is to be reached
pixels_*                the same for k-means on the pixels
agreement               the adjusted Rand indices with the labels, as rows for `dvc plots`
"""

from itertools import count
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics.cluster import contingency_matrix

from stages.common.command import run
from stages.common.files import (
    IMAGES,
    LABELS,
    POINTS,
    load_array,
    save_array,
    save_json,
    save_table,
)
from stages.common.params import read_params
from stages.common.pictures import draw_counts, save_figure
from stages.encoding.clustering import (
    agreement,
    as_rows,
    find_clusters,
    in_words,
    prefixed,
    silhouette,
    tabulate,
)


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


def say(scores: dict) -> str:
    """Say in a sentence what the scores of `main` show."""
    words = in_words(scores["adjusted_rand_index"], scores["prediction_adjusted_rand_index"])
    return (
        f"Clusters that k-means finds in the encoding without being told labels {words}; clusters"
        f" of the pixels reach {scores['pixels_adjusted_rand_index']:z.2f}."
    )


def agreement_rows(scores: dict) -> list[dict]:
    """Return rows of what is compared with the labels, and its adjusted Rand index."""
    names = {"": "clusters of the encoding", "prediction_": "predictions", "pixels_": "pixels"}
    return [
        {"of": name, "adjusted_rand_index": scores[f"{prefix}adjusted_rand_index"]}
        for prefix, name in names.items()
    ]


def main(
    encodings_path: Path,
    labels_path: Path,
    predicted_path: Path,
    images_path: Path,
    clusters_path: Path,
    metrics: Path,
    all_scores: Path,
    table: Path,
    picture: Path,
) -> None:
    params = read_params()
    options = (params["kmeans"]["n_clusters"], params["kmeans"]["n_init"], params["kmeans"]["seed"])
    encodings = load_array(encodings_path, POINTS)
    images = load_array(images_path, IMAGES, len(encodings))
    labels, predicted = (
        load_array(path, LABELS, len(encodings)) for path in (labels_path, predicted_path)
    )
    print("kmeans: clustering the encodings", flush=True)
    clusters = renumber(find_clusters(encodings, *options), labels)
    print("kmeans: clustering the pixels", flush=True)
    pixels = images.reshape(len(images), -1).astype(np.float32)
    pixel_clusters = find_clusters(pixels, *options)
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
    counts = tabulate(labels, clusters)
    save_array(clusters_path, clusters)
    save_json(metrics, {"ari": scores["adjusted_rand_index"]})
    save_json(all_scores, scores | {"agreement": agreement_rows(scores)})
    save_table(table, as_rows(counts))
    title = "Test images of each label in the k-means clusters of the encoding"
    save_figure(draw_counts(title, counts, say(scores)), picture)


if __name__ == "__main__":
    run(main)
