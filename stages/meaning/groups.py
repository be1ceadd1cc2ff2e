"""Find the groups inside each label that look different, by their encodings of an earlier layer.

Reads   validation and test encodings and labels, test images (.npy)
Does    inside each label, k-means on the validation images with as many
        clusters as are all parted by valleys of density; puts each test image into the group of
        its label whose centre is nearest
Writes  the groups of the test images, uint8 (n,), numbered from 0 inside each label, largest first
        (.npy); test images in each group, and the depth of the shallowest valley between any two
        clusters, 0-1, by number of clusters (CSV); a picture of each label's groups (PNG)

The layer and the depth of valleys were chosen on labels that were made up, not on the default ones:
see docs/log-meaning.md.
"""

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, POINTS, load_array, save_array, save_table
from stages.common.params import read_params
from stages.common.pictures import COLUMNS, draw_images, grid_height, save_figure
from stages.encoding.clustering import find_clusters

COMPONENTS = 16  # principal ones of a label's encodings, in which groups are sought
MOST = 6  # groups of a label
DEPTH = 0.5  # of the valley between two groups, at least
SMALLEST = 0.04  # fraction of its label that a group has at least
FEWEST = 20  # images for each group sought: with less there are valleys everywhere
N_INIT = 10  # starts of k-means
BINS = np.linspace(-0.5, 1.5, 41)  # of the line from one cluster's centre, 0, to the other's, 1
BLUR = np.exp(-0.5 * (np.arange(-4, 5) / 2) ** 2)  # over neighbouring bins
TYPICAL = 4  # images shown of a group; the rest of the row are borderline ones
IN_WORDS = (
    "no group",
    "one group",
    "two groups",
    "three groups",
    "four groups",
    "five groups",
    "six groups",
)


def find_groups(points: np.ndarray, seed: int) -> tuple[np.ndarray, dict[int, float]]:
    """Divide a label's points (n, d) into groups that are all parted by valleys.

    The groups are those of the largest number of clusters whose every pair has a valley of
    `DEPTH` and more between them, or else one group.

    Returns:
        the group of each point, uint8 (n,), 0 for the largest one
        the depth of the shallowest valley between the clusters, for each number of clusters
    """
    groups, valleys = np.zeros(len(points), int), {}
    for n in range(2, min(MOST, len(np.unique(points, axis=0)) // FEWEST) + 1):
        clusters = find_clusters(points, n, N_INIT, seed)
        parts = [points[clusters == cluster] for cluster in range(n)]
        valleys[n] = min(valley(*pair) for pair in combinations(parts, 2))
        if valleys[n] >= DEPTH and min(map(len, parts)) >= SMALLEST * len(points):
            groups = clusters
    order = np.argsort(-np.bincount(groups), kind="stable")
    return np.argsort(order)[groups].astype(np.uint8), valleys


def valley(first: np.ndarray, second: np.ndarray) -> float:
    """Return how deep the valley of density between two clusters is, (n, d) and (m, d): 0-1.

    The points are projected to the line through both centres, as dip-means does (Kalogeratos and
    Likas 2012). 0: the density never falls on the way from the lower peak to the higher one, as
    in one cloud that was cut in two; 1: there is nothing between them.
    """
    start, end = first.mean(axis=0), second.mean(axis=0)
    line = end - start
    places = (np.concatenate([first, second]) - start) @ line / (line @ line)
    density = np.convolve(np.histogram(places, BINS)[0], BLUR, mode="same")
    between = np.flatnonzero((BINS[:-1] >= 0) & (BINS[1:] <= 1))
    lowest = between[density[between].argmin()]
    lower_peak = min(density[: lowest + 1].max(), density[lowest:].max())
    return float(1 - density[lowest] / lower_peak)


def choose_rows(away: np.ndarray, group: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the most typical rows of a group, nearest to its centre, and the borderline ones.

    These are nearly as near to another centre, or, where there is one group, at its rim.

    Args:
        away: distances of the label's images from the groups' centres, (n, k)
    """
    inside = np.flatnonzero(away.argmin(axis=1) == group)
    own = away[inside, group]
    others = np.delete(away[inside], group, axis=1)
    margin = others.min(axis=1) - own if others.shape[1] else -own
    typical, border = (inside[np.argsort(key, kind="stable")] for key in (own, margin))
    return typical[:TYPICAL], border[: COLUMNS - 1 - TYPICAL]


def draw(label: int, images: np.ndarray, rows: np.ndarray, away: np.ndarray) -> Figure:
    """Draw a row for each group of a label: its mean, typical and borderline images.

    Args:
        images: of the whole test set, (m, 28, 28, 1)
        rows: the label's test rows, (n,)
        away: their distances from the groups' centres, (n, k)
    """
    groups, n = away.argmin(axis=1), away.shape[1]
    shown, captions = [], []
    for group in np.unique(groups):
        inside = rows[groups == group]
        typical, border = (rows[chosen] for chosen in choose_rows(away, group))
        row = [images[inside].mean(axis=0), *images[typical], *images[border]]
        shown += row + [np.zeros_like(images[0])] * (COLUMNS - len(row))
        captions += [f"group {group}\nmean of {len(inside):,}"]
        captions += [f"typical\nrow {number}" for number in typical]
        captions += [f"borderline\nrow {number}" for number in border]
        captions += [""] * (COLUMNS - len(row))
    fractions = ", ".join(f"{(groups == group).mean():.0%}" for group in range(n))
    figure = Figure(figsize=(6.3, grid_height(COLUMNS * n)), layout="constrained")
    figure.suptitle(f"Label {label} = {IN_WORDS[n]}: {fractions} of its test images", fontsize=10)
    draw_images(figure, np.stack(shown), captions)
    return figure


def main(
    valid_path: Path,
    y_valid: Path,
    test_path: Path,
    y_test: Path,
    x_test: Path,
    groups_path: Path,
    images_table: Path,
    valleys_table: Path,
    pictures: Path,
) -> None:
    params = read_params()
    seed = params["groups"]["seed"]
    valid, test = load_array(valid_path, POINTS), load_array(test_path, POINTS)
    labels, valid_labels = (
        load_array(y_test, LABELS, len(test)),
        load_array(y_valid, LABELS, len(valid)),
    )
    images = load_array(x_test, IMAGES, len(test))
    groups, sizes, depths = np.zeros(len(labels), np.uint8), [], []
    for label in np.unique(valid_labels):
        of_label = valid[valid_labels == label]
        pca = PCA(min(COMPONENTS, *of_label.shape), svd_solver="full")
        with threadpool_limits(1, "blas"):  # threads mostly wait for each other
            points = pca.fit_transform(of_label)
        found, valleys = find_groups(points, seed)
        n, rows = found.max() + 1, np.flatnonzero(labels == label)
        print(f"groups: {IN_WORDS[n]} in label {label}", flush=True)
        if len(rows):
            centres = [points[found == group].mean(axis=0) for group in range(n)]
            away = cdist(pca.transform(test[rows]), centres)
            groups[rows] = away.argmin(axis=1)
            save_figure(draw(label, images, rows, away), pictures / f"label_{label}.png")
        counts = np.bincount(groups[rows], minlength=n)
        sizes += [(label, group, count) for group, count in enumerate(counts)]
        depths += [(label, number, depth) for number, depth in valleys.items()]
    save_array(groups_path, groups)
    save_table(images_table, pd.DataFrame(sizes, columns=["label", "group", "count"]))
    save_table(valleys_table, pd.DataFrame(depths, columns=["label", "clusters", "depth"]))


if __name__ == "__main__":
    run(main)
