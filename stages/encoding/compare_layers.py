"""Compare the inner layers of both networks as encodings, on the validation images.

Reads   validation images and labels (.npy), both networks (.keras)
Does    encodes random ones of the images by each layer and keeps the first principal components;
        k-means on these with as many clusters as labels; predicts the pixels from them
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
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array, save_table
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.encoding.clustering import agreement, find_clusters, silhouette
from stages.encoding.layers import OUTPUT, encode
from stages.networks.backend import load_network

COMPARED = 2_000  # images, at most
N_INIT = 3  # starts of k-means
COMPONENTS = 50  # of an encoding, at most: the same for every layer, and quick
LAYERS = {  # from first to last
    "default": ("pool", "conv_2", "dense", OUTPUT),
    "improved": ("stage_1_add", "stage_2_add", "stage_3_add", "encoding", OUTPUT),
}
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


def assess(encodings: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int) -> dict:
    """Return the figures of one layer; the glossary is at the top of this file."""
    n_components = max(1, min(COMPONENTS, encodings.shape[1], len(encodings) // 8))
    pca = PCA(n_components, svd_solver="randomized", random_state=seed)
    components = pca.fit_transform(encodings).astype(np.float64)
    clusters = find_clusters(components, len(np.unique(labels)), N_INIT, seed)
    return (
        {"dimensions": encodings.shape[1]}
        | agreement(clusters, labels)
        | {
            "silhouette": silhouette(components, clusters),
            "detail": detail(components, images, labels, seed),
        }
    )


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
    x_valid: Path, y_valid: Path, default: Path, improved: Path, table: Path, picture: Path
) -> None:
    params = read_params()
    seed = params["compare_layers"]["seed"]
    all_images = load_array(x_valid, IMAGES)
    sample = np.random.default_rng(seed).permutation(len(all_images))[:COMPARED]
    images, labels = all_images[sample], load_array(y_valid, LABELS, len(all_images))[sample]
    rows = []
    for name, path in (("default", default), ("improved", improved)):
        encoded = encode(load_network(path), LAYERS[name], images)
        for layer, encodings in zip(LAYERS[name], encoded, strict=True):
            print(f"compare_layers: {layer} of the {name} network", flush=True)
            figures = assess(encodings, images, labels, seed)
            rows.append({"network": name, "layer": layer} | figures)
    scores = pd.DataFrame(rows)
    save_table(table, scores)
    save_figure(draw(scores), picture)


if __name__ == "__main__":
    run(main)
