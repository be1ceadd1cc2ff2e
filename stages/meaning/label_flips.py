"""Look for thresholds of image statistics at which labels flip between similar images.

Reads   training images and labels (.npy)
Does    divides the images into clusters of visually similar images, whatever their labels;
        follows each statistic through the images of any two labels in a cluster
Writes  the clusters, uint8 (n,), all 0 where there are too few images to find any (.npy); the
        sharpest jump between any two labels (JSON), a table of them (PNG)

Classes differ in statistics, too, but little by little, or with hardly any image in between. A
label that was given by a statistic flips at a threshold where images lie as dense as elsewhere: a
regression discontinuity (Thistlethwaite and Campbell 1960). The constants below were chosen on
labels that were made up, see docs/log-meaning.md.

similar_accuracy
                fraction of the images that have the most frequent label of their cluster: what an
                image's look alone tells of its label; null where there are too few images
pairs           a row for any two labels, `pair` "0-1":
    jump        how sharply one label turns into the other, 0: not at all, 1: at once; see
                `sharpest_jump`; null where no cluster has enough images of both
    statistic   along which, and `threshold` where; null where there is no jump
    flips       whether the jump is at least `FLIP`
"""

import textwrap
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array, save_array, save_json
from stages.common.params import read_params
from stages.common.pictures import NOTE, save_figure
from stages.encoding.clustering import find_clusters, tabulate
from stages.meaning.statistics import (
    FLIP,
    TOO_FEW_SIMILAR,
    flips_in_words,
    measure,
    readable,
)

SIMILAR = 1_000  # images in a cluster, on average
CLUSTERS = 27  # at least: the images of fewer are not similar
COMPONENTS = 30  # principal ones of the pixels, in which images are similar
WINDOW = 40  # images on each side of a threshold that are looked at
FEWEST = 5 * WINDOW  # images of each label in a cluster
DENSE = 0.25  # of the usual density of images, where a jump counts


def find_similar(images: np.ndarray, seed: int) -> np.ndarray:
    """Divide images (n, 28, 28, 1) into clusters of similar images; return the clusters, (n,)."""
    pixels = images.reshape(len(images), -1).astype(np.float32)
    with threadpool_limits(1, "blas"):  # threads mostly wait for each other
        points = PCA(COMPONENTS, svd_solver="covariance_eigh").fit_transform(pixels)
    return find_clusters(points, min(len(images) // SIMILAR, 256), 1, seed)


def sharpest_jump(values: np.ndarray, second: np.ndarray, seed: int) -> tuple[float, float | None]:
    """Find where the fraction of the second of two labels jumps most along a statistic.

    The jump is the change of that fraction from the window just below a threshold to the one just
    above, less the changes from these to the next windows outwards: 1 for a flip, 0 and less where
    the fraction changes evenly. Thresholds where images are sparse are left out, see `DENSE`.

    Args:
        values: the statistic of images of two labels, (n,)
        second: whether they have the second label, (n,)
        seed: of the order of equal values, which are spread evenly up to the next value

    Returns:
        the jump, 0-1, and its threshold; 0 and None where there is none
    """
    distinct, place = np.unique(values, return_inverse=True)
    if len(distinct) < 2 or len(values) < 4 * WINDOW:
        return 0.0, None
    gaps = np.diff(distinct, append=2 * distinct[-1] - distinct[-2])
    spread = values + np.random.default_rng(seed).random(len(values)) * gaps[place]
    order = np.argsort(spread)
    values, spread, n = values[order], spread[order], len(values)
    sums = np.concatenate([[0], np.cumsum(second[order])])
    at = np.arange(2 * WINDOW, n - 2 * WINDOW + 1)  # the first row above a threshold
    at = at[values[at - 1] < values[at]]
    widths = spread[2 * WINDOW - 1 :] - spread[: n - 2 * WINDOW + 1]  # of two windows in a row
    at = at[widths[at - WINDOW] * DENSE <= np.median(widths)]
    if len(at) == 0:
        return 0.0, None
    before, below, above, after = (
        (sums[at + (step + 1) * WINDOW] - sums[at + step * WINDOW]) / WINDOW
        for step in (-2, -1, 0, 1)
    )
    jumps = np.abs(above - below) - np.abs(below - before) - np.abs(after - above)
    best = jumps.argmax()
    return max(0.0, float(jumps[best])), float(values[at[best] - 1] + values[at[best]]) / 2


def sharpest_of_pair(
    statistics: pd.DataFrame, second: np.ndarray, clusters: np.ndarray, seed: int
) -> dict:
    """Find the sharpest jump between two labels in any cluster, along any statistic.

    Args:
        statistics: of images of the two labels, (n, k)
        second: whether they have the second label, (n,)
        clusters: of visually similar images, (n,)

    Returns:
        jump, statistic, threshold and flips, as explained at the top of this file
    """
    found = []
    for cluster in np.unique(clusters):
        rows = clusters == cluster
        if min(second[rows].sum(), (~second[rows]).sum()) < FEWEST:
            continue
        for name in statistics:
            jump, threshold = sharpest_jump(statistics[name].to_numpy()[rows], second[rows], seed)
            found.append({"jump": jump, "statistic": name, "threshold": threshold})
    nothing = {"jump": 0.0 if found else None, "statistic": None, "threshold": None}
    best = max([nothing, *found], key=lambda one: one["jump"] or 0.0)
    return best | {"flips": (best["jump"] or 0.0) >= FLIP}


def say(pairs: list[dict]) -> str:
    """Say in a sentence between which labels the label flips."""
    looked_at = sum(found["jump"] is not None for found in pairs)
    if flips := flips_in_words(pairs):
        return f"Between visually similar images the label flips at {', '.join(flips)}."
    if not looked_at:
        return f"{TOO_FEW_SIMILAR}."
    return (
        f"Of the {len(pairs)} pairs of labels {looked_at} have visually similar images; between"
        " none of them does the label flip at a threshold of an image statistic."
    )


def draw(pairs: list[dict]) -> Figure:
    """Draw the sharpest jump between any two labels as a table, above a sentence on them."""
    labels = sorted({label for found in pairs for label in found["pair"].split("-")})
    jumps = np.full((len(labels), len(labels)), np.nan)
    figure = Figure(figsize=(6.3, 3.8), layout="constrained")
    ax = figure.subplots()
    for found in pairs:
        column, row = (labels.index(label) for label in found["pair"].split("-"))
        place: dict = {"ha": "center", "va": "center", "fontsize": 8}
        if found["statistic"] is None:
            none = "none similar" if found["jump"] is None else "none"
            ax.text(column, row, none, **place)
            continue
        jumps[row, column] = found["jump"]
        at = f"{readable(found['statistic'])}\n{found['threshold']:.3g}"
        color = "white" if found["jump"] > 0.6 else "black"
        ax.text(column, row, f"{found['jump']:.2f}\n{at}", color=color, **place)
    ax.imshow(jumps, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xlim(-0.5, len(labels) - 1.5)
    ax.set_ylim(len(labels) - 0.5, 0.5)
    ax.set_xticks(range(len(labels) - 1), labels[:-1], fontsize=8)
    ax.set_yticks(range(1, len(labels)), labels[1:], fontsize=8)
    ax.set_ylabel("label", fontsize=9)
    ax.set_xlabel("\n".join(["label", "", *textwrap.wrap(say(pairs), NOTE)]), fontsize=8.5)
    ax.set_title("Sharpest jump between any two labels, and where it is", fontsize=10)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def main(
    images_path: Path, labels_path: Path, similar_path: Path, metrics: Path, picture: Path
) -> None:
    params = read_params()
    seed = params["label_flips"]["seed"]
    images = load_array(images_path, IMAGES)
    labels = load_array(labels_path, LABELS, len(images))
    enough = len(images) >= CLUSTERS * SIMILAR
    clusters = find_similar(images, seed) if enough else np.arange(len(images))  # all by itself
    similar = float(tabulate(labels, clusters).max().sum() / len(labels)) if enough else None
    statistics, pairs = measure(images), []
    for first, second in combinations(np.unique(labels), 2):
        rows = (labels == first) | (labels == second)
        found = sharpest_of_pair(statistics[rows], labels[rows] == second, clusters[rows], seed)
        jump = "none similar" if found["jump"] is None else f"{found['jump']:.2f}"
        print(f"label_flips: sharpest jump between {first} and {second}: {jump}", flush=True)
        pairs.append({"pair": f"{first}-{second}"} | found)
    save_array(similar_path, (clusters if enough else np.zeros(len(images))).astype(np.uint8))
    save_json(metrics, {"similar_accuracy": similar, "pairs": pairs})
    save_figure(draw(pairs), picture)


if __name__ == "__main__":
    run(main)
