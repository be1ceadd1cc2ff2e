"""Find out whether the labels are ordered: bins of one property, known or not.

Reads   training and validation images and labels, clusters of visually similar training images,
        encodings and properties of the validation images (.npy)
Does    asks each validation image's most similar training images for their labels: in bins of a
        property, similar images have the same label or the next one, in nearly every visual class;
        classes meet other labels only where they run into each other
Writes  what was found (JSON); thresholds of a statistic in each cluster (CSV); validation images of
        five visual classes from one end of the order to the other (PNG)

order           the labels, so that neighbours in it meet most; as they are numbered with fewer
                than three labels or too few images
ordered         whether the labels are: `linked` is 1 at least, and `mixed` is `verdict.MIXED`, or
                less by `verdict.CREDIT` for each 1 that `linked` is above 1
mixed           fraction of the training images in clusters whose second label has `SECOND` of
                the images more than the rarest
linked          how often the neighbours in the order that meet least meet, over how often any two
                others do; per image of the rarer label
random_labels   fraction of the labels that may be wrong at random: what meets everywhere
direction       rank correlation of a label's place in the order with one direction of the
                encoding, found by ridge regression on other images
property        that follows the order of labels best, if they are ordered and its rank
                `correlation` is at least `BOUND`; `family`: properties that hardly differ from it
by_class        the image statistic whose thresholds decide in each visual class, if they do so
                exactly (`exactness`, see class_thresholds.py)

The bounds were chosen on labels that were made up, see docs/log-meaning.md.
"""

from itertools import pairwise, permutations
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, POINTS, load_array, save_json, save_table
from stages.common.pictures import draw_image, save_figure
from stages.encoding.clustering import find_clusters, tabulate
from stages.meaning.class_thresholds import find_thresholds
from stages.meaning.properties import PROPERTIES, family_of, rank_correlations
from stages.meaning.statistics import measure, readable
from stages.meaning.verdict import exact_margin, order_margin

COMPONENTS = 40  # principal ones of the pixels, in which images are similar
NEIGHBORS = 15
SECOND = 0.1
BOUND = 0.7
CLASSES_SHOWN = 5
IN_A_ROW = 12


def find_similar_images(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return which rows of images are most similar to each of others, (m, `NEIGHBORS`).

    Args:
        images: uint8 (n, 28, 28, 1)
        others: uint8 (m, 28, 28, 1)
    """
    pixels, asked = (some.reshape(len(some), -1).astype(np.float32) for some in (images, others))
    pca = PCA(min(COMPONENTS, *pixels.shape), svd_solver="covariance_eigh")
    search = NearestNeighbors(n_neighbors=NEIGHBORS, algorithm="brute")
    with threadpool_limits(1, "blas"):  # threads mostly wait for each other
        search.fit(pca.fit_transform(pixels))
        return search.kneighbors(pca.transform(asked), return_distance=False)


def count_meetings(labels: np.ndarray, neighbors: np.ndarray, k: int) -> tuple[np.ndarray, float]:
    """Return how often any two of k labels meet, (k, k), and the fraction of random labels.

    What would meet if labels were at random is taken away, as far as all pairs meet.

    Args:
        labels: 0 to k - 1, (m,)
        neighbors: labels of similar images, (m, n)
    """
    counts = np.zeros((k, k))
    np.add.at(counts, (labels[:, None], neighbors), 1 / neighbors.size)
    fractions = np.bincount(neighbors.ravel(), minlength=k) / neighbors.size
    by_chance = np.outer(fractions, fractions)
    apart = ~np.eye(k, dtype=bool)
    met = (counts + counts.T) / 2
    everywhere = float((met / by_chance)[apart].min(initial=1))
    least = np.minimum.outer(fractions, fractions)
    met = np.where(apart, np.maximum(met - everywhere * by_chance, 0) / least, 0)
    return met, min(1.0, everywhere * (k - 1) / (2 * k))


def best_order(met: np.ndarray) -> tuple[list[int], float]:
    """Return the order of labels in which neighbours meet most (k, k), and its `linked`."""
    orders = [order for order in permutations(range(len(met))) if order[0] < order[-1]]
    order = max(orders, key=lambda one: sum(met[a, b] for a, b in pairwise(one)))
    places = [(i, j) for i in range(len(order)) for j in range(i + 1, len(order))]
    near, far = (
        [met[order[i], order[j]] for i, j in places if (j == i + 1) == is_near]
        for is_near in (True, False)
    )
    return list(order), min(near) / (max(far) + 0.01)


def mixed_fraction(labels: np.ndarray, clusters: np.ndarray) -> float:
    """Return the fraction of labels (n,) in clusters (n,) that hold several: `mixed` above."""
    counts = tabulate(labels, clusters).to_numpy()
    fractions = np.sort(counts / counts.sum(axis=0), axis=0)
    several = fractions[-2] - fractions[0] > SECOND
    return float(counts.sum(axis=0)[several].sum() / counts.sum())


def weigh(
    labels: np.ndarray, valid_labels: np.ndarray, met: np.ndarray, clusters: np.ndarray
) -> tuple[list[int], dict]:
    """Return the order of k labels, and the evidence for it; glossary at the top of this file.

    Args:
        labels: 0 to k - 1, of training images, (n,)
        valid_labels: of validation images, (m,)
        met: of the training images most similar to these, (m, `NEIGHBORS`)
        clusters: of the training images, (n,)
    """
    meetings, random_labels = count_meetings(valid_labels, met, int(labels.max()) + 1)
    several = len(meetings) >= 3 and clusters.any()  # or there is nothing to order, or to see it by
    order, linked = best_order(meetings) if several else (list(range(len(meetings))), 0.0)
    mixed = mixed_fraction(labels, clusters) if several else 0.0
    return order, {
        "ordered": order_margin(linked, mixed) >= 0,
        "mixed": mixed,
        "linked": linked,
        "random_labels": random_labels,
    }


def along_encoding(encodings: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Return where encodings (n, d) lie along the direction that follows ranks (n,) best.

    Each by a ridge regression on four fifths of the other images.
    """
    if len(ranks) < 5:
        return np.zeros(len(ranks))
    return cross_val_predict(RidgeCV(np.logspace(-2, 4, 7)), encodings, ranks, cv=5)


def choose_classes(images: np.ndarray, labels: np.ndarray, clusters: np.ndarray) -> list:
    """Return clusters (n,) to show: of each of some visual classes the one with most labels."""
    names = np.unique(clusters)
    means = np.stack([images[clusters == name].mean(axis=0).ravel() for name in names])
    kinds = find_clusters(means, min(CLASSES_SHOWN, len(names)), 10, 0)
    largest = tabulate(labels, clusters).max() / np.bincount(clusters)[names]
    return [min(names[kinds == kind], key=largest.loc.__getitem__) for kind in np.unique(kinds)]


def draw(
    title: str, images: np.ndarray, labels: np.ndarray, places: np.ndarray, rows: list[np.ndarray]
) -> Figure:
    """Draw a line of images for each class, by their places, with the borders of labels.

    Args:
        images: (n, 28, 28, 1)
        places: of the images, from one end of the order to the other, (n,)
        rows: of each class
    """
    figure = Figure(figsize=(6.3, 0.35 + 0.72 * len(rows)), layout="constrained")
    for ax, inside in zip(np.atleast_1d(figure.subplots(len(rows))), rows, strict=True):
        ordered = inside[np.argsort(places[inside], kind="stable")]
        shown = ordered[np.linspace(0, len(ordered) - 1, min(IN_A_ROW, len(ordered))).astype(int)]
        sheet = np.zeros((28, 32 * IN_A_ROW))
        for place, row in enumerate(shown):
            sheet[:, 32 * place : 32 * place + 28] = images[row, ..., 0]
            left = 32 * place
            ax.text(left + 14, 30, f"label {labels[row]}", fontsize=7, ha="center", va="top")
            if place and labels[row] != labels[shown[place - 1]]:
                ax.axvline(left - 2.5, color="#d55e00", lw=1.2)
        draw_image(ax, sheet)
    figure.suptitle(title, fontsize=10)
    return figure


def main(
    x_train: Path,
    y_train: Path,
    x_valid: Path,
    y_valid: Path,
    similar: Path,
    encodings_path: Path,
    properties_path: Path,
    metrics: Path,
    table_path: Path,
    picture: Path,
) -> None:
    images, valid_images = load_array(x_train, IMAGES), load_array(x_valid, IMAGES)
    names, labels = np.unique(load_array(y_train, LABELS, len(images)), return_inverse=True)
    valid_labels = np.searchsorted(names, load_array(y_valid, LABELS, len(valid_images)))
    clusters = load_array(similar, LABELS, len(images))
    encodings = load_array(encodings_path, POINTS, len(valid_images))
    measured = load_array(properties_path, POINTS, len(valid_images))
    properties = pd.DataFrame(measured, columns=list(PROPERTIES))

    neighbors = find_similar_images(images, valid_images)
    order, evidence = weigh(labels, valid_labels, labels[neighbors], clusters)
    ranks = np.argsort(order)[valid_labels]
    along = along_encoding(encodings, ranks)
    correlations = rank_correlations(properties, ranks)
    best = str(correlations.abs().idxmax())
    if correlations[best] < 0:
        order, ranks, along = order[::-1], len(order) - 1 - ranks, -along
    known = evidence["ordered"] and abs(correlations[best]) >= BOUND
    deciding, exactness, table = find_thresholds(measure(images), labels, clusters, order)
    exact = exact_margin(exactness, evidence["random_labels"]) >= 0
    found = evidence | {
        "order": [int(names[label]) for label in order],
        "direction": float(rank_correlations(pd.DataFrame({"along": along}), ranks)["along"]),
        "property": best if known else None,
        "correlation": float(abs(correlations[best])),
        "family": family_of(best, properties) if known else [],
        "exactness": exactness,
        "by_class": deciding if exact else None,
    }
    save_json(metrics, found)
    save_table(table_path, table if exact else table[:0])
    nearest = clusters[neighbors[:, 0]]
    shown = choose_classes(images, labels, clusters)
    rows = [inside for name in shown if len(inside := np.flatnonzero(nearest == name))]
    places = np.argsort(np.lexsort([properties[best] if known else along, ranks]))
    by = readable(best) if known else "a direction of the encoding"
    is_ordered = "Labels are" if found["ordered"] else "Labels are not"
    title = f"{is_ordered} ordered. A visual class in each row, by label and {by}"
    save_figure(draw(title, valid_images, names[valid_labels], places, rows), picture)


if __name__ == "__main__":
    run(main)
