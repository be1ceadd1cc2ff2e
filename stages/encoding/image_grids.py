"""Show what the labels and the clusters hold: random images of each, and their mean.

Reads   test images, labels and clusters (.npy)
Does    draws a seeded random selection from each group
Writes  label_0.png ... and cluster_0.png ...
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array
from stages.common.params import read_params
from stages.common.pictures import draw_image, draw_images, grid_height, save_figure


def draw_group(
    title: str, images: np.ndarray, labels: np.ndarray, rows: np.ndarray, n: int, seed: int
) -> Figure:
    """Draw the mean of the group's images and at most `n` of them at random.

    Args:
        title: what the group is called
        images, labels: of the whole test set, (m, 28, 28, 1) and (m,)
        rows: the group's test rows
    """
    chosen = np.sort(np.random.default_rng(seed).choice(rows, min(n, len(rows)), replace=False))
    figure = Figure(figsize=(6.3, grid_height(len(chosen))), layout="constrained")
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1, 5))[0]
    draw_image(ax := left.subplots(), images[rows].mean(axis=0))
    ax.set_title(f"mean of {len(rows):,}", fontsize=8)
    figure.suptitle(title, fontsize=10)
    draw_images(
        right,
        images[chosen],
        [f"label {labels[row]}\nrow {row}" for row in chosen],
    )
    return figure


def main(images_path: Path, labels_path: Path, clusters_path: Path, grids: Path) -> None:
    params = read_params()
    n, seed = params["image_grids"]["images"], params["image_grids"]["seed"]
    images = load_array(images_path, IMAGES)
    labels = load_array(labels_path, LABELS, len(images))
    for kind, groups in (
        ("label", labels),
        ("cluster", load_array(clusters_path, LABELS, len(images))),
    ):
        for group in np.unique(groups):
            rows = np.flatnonzero(groups == group)
            title = f"Test images of {kind} {group}: {len(rows):,} in all"
            figure = draw_group(title, images, labels, rows, n, seed)
            save_figure(figure, grids / f"{kind}_{group}.png")


if __name__ == "__main__":
    run(main)
