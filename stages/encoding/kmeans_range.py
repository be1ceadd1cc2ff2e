"""Cluster the encodings into 2 to 12 clusters: how many does the encoding itself suggest?

Reads   validation and test encodings, test labels, the network's predicted labels (.npy)
Does    k-means with each number of clusters; the best has the highest silhouette of the
        validation encodings
Writes  scores by number of clusters (CSV), a picture of them with a sentence on it (PNG)

valid_silhouette  silhouette of the validation encodings; for the other scores, of the test
                  encodings, see clustering.py
"""

import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.common.command import run
from stages.common.files import LABELS, POINTS, load_array, save_table
from stages.common.params import read_params
from stages.common.pictures import NOTE, save_figure
from stages.encoding.clustering import (
    agreement,
    best_number,
    find_clusters,
    in_words,
    silhouette,
)

N_CLUSTERS = range(2, 13)  # of clusters
LINES: tuple[tuple[str, str, dict], ...] = (  # key, name and style of what the picture shows
    ("adjusted_rand_index", "agreement with the labels", {"color": "#0072b2", "marker": "o"}),
    ("silhouette", "silhouette", {"color": "#d55e00", "marker": "s"}),
    ("valid_silhouette", "silhouette, validation images", {"color": "#d55e00", "ls": ":"}),
)


def assess(valid: np.ndarray, test: np.ndarray, labels: np.ndarray, n: int, options: tuple) -> dict:
    """Return the scores of `n` clusters; the glossary is at the top of this file.

    Args:
        valid, test: encodings (m, d)
        labels: of the test images
        options: starts and seed of k-means
    """
    clusters = find_clusters(test, n, *options)
    return agreement(clusters, labels) | {
        "silhouette": silhouette(test, clusters),
        "valid_silhouette": silhouette(valid, find_clusters(valid, n, *options)),
    }


def say(scores: pd.DataFrame, n_labels: int, of_predictions: float) -> str:
    """Say in a sentence what the range shows, given the predictions' adjusted Rand index."""
    best = best_number(scores)
    relation = (
        "as many as" if best == n_labels else "fewer than" if best < n_labels else "more than"
    )
    index = scores.set_index("n_clusters").loc[best, "adjusted_rand_index"]
    return (
        f"The validation encodings suggest {best} clusters, {relation} there are labels. On the"
        f" test images these {in_words(index, of_predictions)}."
    )


def draw(scores: pd.DataFrame, sentence: str) -> Figure:
    """Draw the scores by number of clusters, and a sentence below."""
    figure = Figure(figsize=(6.3, 3.4), layout="constrained")
    ax = figure.subplots()
    for key, name, style in LINES:
        ax.plot(scores["n_clusters"], scores[key], ms=4, lw=1.2, label=name, **style)
    ax.axvline(best_number(scores), color="0.8", zorder=0)
    ax.set(ylim=(0, 1), xticks=scores["n_clusters"])
    ax.set_xlabel("number of clusters\n\n" + textwrap.fill(sentence, NOTE), fontsize=9)
    ax.set_title("k-means clusters of the encoding, by their number", fontsize=10)
    ax.grid(axis="y", color="0.9")
    ax.legend(fontsize=9)
    return figure


def main(
    valid_path: Path,
    test_path: Path,
    labels_path: Path,
    predicted_path: Path,
    table: Path,
    picture: Path,
) -> None:
    params = read_params()
    options = (params["kmeans_range"]["n_init"], params["kmeans_range"]["seed"])
    valid, test = load_array(valid_path, POINTS), load_array(test_path, POINTS)
    labels, predicted = (
        load_array(path, LABELS, len(test)) for path in (labels_path, predicted_path)
    )
    rows = []
    for n in N_CLUSTERS:
        print(f"kmeans_range: {n} clusters", flush=True)
        rows.append({"n_clusters": n} | assess(valid, test, labels, n, options))
    scores = pd.DataFrame(rows).astype(float).astype({"n_clusters": int})
    of_predictions = agreement(predicted, labels)["adjusted_rand_index"]
    save_table(table, scores)
    save_figure(draw(scores, say(scores, len(np.unique(labels)), of_predictions)), picture)


if __name__ == "__main__":
    run(main)
