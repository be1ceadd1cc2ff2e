"""Compare the inner layers of both networks as encodings, on the validation images.

Reads   validation images and labels, rows of some of these, the first principal components of their
        encodings by all layers side by side (.npy), and which layer has how many (CSV)
Does    for each layer, k-means on its components with as many clusters as labels; predicts the
        pixels from them
Writes  a row of figures for each layer (CSV), a picture of them (PNG)

dimensions              of the encoding of an image
adjusted_rand_index     and the other scores of the clusters: see clustering.py
detail                  what is left of an image beyond its label: see `detail`

The networks' outputs are there for comparison: an encoding is an inner layer.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, POINTS, load_array, save_table
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.encoding.clustering import agreement, find_clusters, silhouette

ROWS = (np.int64, ())  # kind of array
N_INIT = 3  # starts of k-means
STYLES = {  # marker, colour, and where the captions go
    "default": ("s", "#d55e00", (7, 4, "left")),
    "improved": ("o", "#0072b2", (-7, -9, "right")),
}


def detail(encodings: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Return the fraction of the pixels' variance within labels that the encodings tell.

    At most 1, and below 0 where they mislead, as with too few images. A linear regression that is
    fitted to one half of the images predicts the pixels of the other half. Of encodings and pixels
    alike the mean of the label is taken away before, so that knowing the label alone scores 0.

    Args:
        encodings: (n, d)
        images: (n, 28, 28, 1)
        labels: (n,)
        seed: of the halves
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    fitted, scored = order[::2], order[1::2]
    pixels = without_label_means(images.reshape(len(images), -1) / 255, labels)
    inputs = without_label_means(encodings, labels)
    regression = LinearRegression().fit(inputs[fitted], pixels[fitted])
    predicted = regression.predict(inputs[scored])
    return float(r2_score(pixels[scored], predicted, multioutput="variance_weighted"))


def without_label_means(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Subtract from each row of values (n, d) the mean row of its label (n,)."""
    centred = np.empty_like(values)
    for label in np.unique(labels):
        rows = labels == label
        centred[rows] = values[rows] - values[rows].mean(axis=0)
    return centred


def assess(components: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int) -> dict:
    """Return the figures of a layer's components (n, d); glossary at the top of this file."""
    clusters = find_clusters(components, len(np.unique(labels)), N_INIT, seed)
    return agreement(clusters, labels) | {
        "silhouette": silhouette(components, clusters),
        "detail": detail(components, images, labels, seed),
    }


def draw(scores: pd.DataFrame) -> Figure:
    """Draw each layer by what its clusters know of the labels and what detail it keeps.

    Args:
        scores: network, layer and the figures of `assess`, a row a layer
    """
    figure = Figure(figsize=(6.3, 5), layout="constrained")
    ax = figure.subplots()
    for name, rows in scores.groupby("network"):
        draw_network(ax, name, rows)
    ax.set_xlabel("agreement of five k-means clusters with the labels (adjusted Rand index)")
    ax.set_ylabel("detail within labels (fraction of variance)")
    ax.set_title("What the layers of both networks keep, on validation images", fontsize=10)
    ax.set_xlim(-0.1, 1.2)
    ax.set_ylim(min(0, scores["detail"].min()) - 0.08, 0.95)
    ax.grid(color="0.9")
    ax.legend(title="layer (dimensions)", title_fontsize=9, loc="lower left", fontsize=9)
    return figure


def draw_network(ax: Axes, name: str, rows: pd.DataFrame) -> None:
    """Draw one network's layers as a line from first to last."""
    marker, color, (right, up, side) = STYLES[name]
    x, y = rows["adjusted_rand_index"], rows["detail"]
    ax.plot(x, y, color=color, marker=marker, lw=1, label=f"{name} network")
    for row in rows.itertuples():
        ax.annotate(
            f"{row.layer} ({row.dimensions:,})",
            (row.adjusted_rand_index, row.detail),
            (right, up),
            textcoords="offset points",
            ha=side,
            fontsize=8,
            color=color,
        )


def main(
    x_valid: Path,
    y_valid: Path,
    rows_path: Path,
    components_path: Path,
    layers_path: Path,
    table: Path,
    picture: Path,
) -> None:
    params = read_params()
    seed = params["compare_layers"]["seed"]
    rows, layers = load_array(rows_path, ROWS), pd.read_csv(layers_path)
    images = load_array(x_valid, IMAGES)
    labels = load_array(y_valid, LABELS, len(images))[rows]
    components = load_array(components_path, POINTS, len(rows)).astype(np.float64)
    parts = np.split(components, layers.pop("components").cumsum()[:-1], axis=1)
    figures = [assess(part, images[rows], labels, seed) for part in parts]
    scores = pd.concat([layers, pd.DataFrame(figures)], axis=1)
    save_table(table, scores)
    save_figure(draw(scores), picture)


if __name__ == "__main__":
    run(main)
