"""Compare the inner layers of both networks as encodings, on the validation images.

Reads   validation images and labels (.npy), both networks (.keras)
Does    encodes the images by each layer; k-means with as many clusters as labels; predicts the
        pixels from the encodings
Writes  a row of figures for each layer (JSON), a picture of them (PNG)

size                    values that encode an image
adjusted_rand_index     and the other scores of the clusters: see stages/encoding/clustering.py
detail                  what is left of an image beyond its label: see `detail`

`best` is the layer of each network whose clusters agree best with the labels. The networks'
outputs are there for comparison and cannot be best: an encoding is an inner layer.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array, save_json
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.encoding.clustering import agreement, find_clusters, silhouette
from stages.encoding.layers import encode
from stages.networks.backend import load_network

N_INIT = 3  # starts of k-means
COMPONENTS = 50  # of the encoding, from which pixels are predicted: the same for every layer
OUTPUT = "probabilities"
LAYERS = {  # from first to last
    "default": ("pool", "conv_2", "dense", OUTPUT),
    "improved": ("stage_1_add", "stage_2_add", "stage_3_add", "encoding", OUTPUT),
}
STYLES = {  # marker, colour, and where the captions go
    "default": ("s", "#d55e00", (7, 4, "left")),
    "improved": ("o", "#0072b2", (-7, -9, "right")),
}


def detail(encodings: np.ndarray, images: np.ndarray, labels: np.ndarray, seed: int) -> float:
    """Return the share of the pixels' variance within labels that the encodings tell.

    At most 1, and below 0 where they mislead, as with too few images. A linear regression predicts
    the pixels of one half of the images from the first principal components of their encodings;
    both are fitted to the other half. Of encodings and pixels alike the mean of the label is taken
    away before, so that knowing the label alone scores 0.

    Args:
        encodings: (n, d)
        images: (n, 28, 28, 1)
        labels: (n,)
        seed: of the halves
    """
    order = np.random.default_rng(seed).permutation(len(labels))
    fitted, scored = order[::2], order[1::2]
    pixels = without_label_means(images.reshape(len(images), -1) / 255, labels)
    inputs = without_label_means(encodings.astype(np.float64), labels)
    n_components = max(1, min(COMPONENTS, inputs.shape[1], len(fitted) // 4))
    pca = PCA(n_components, svd_solver="randomized", random_state=seed).fit(inputs[fitted])
    regression = LinearRegression().fit(pca.transform(inputs[fitted]), pixels[fitted])
    predicted = regression.predict(pca.transform(inputs[scored]))
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
    clusters = find_clusters(encodings, len(np.unique(labels)), N_INIT, seed)
    return (
        {"size": encodings.shape[1]}
        | agreement(clusters, labels)
        | {
            "silhouette": silhouette(encodings, clusters),
            "detail": detail(encodings, images, labels, seed),
        }
    )


def best_layer(scores: dict[str, dict]) -> str:
    """Return the inner layer whose clusters agree best with the labels."""
    return max(
        (layer for layer in scores if layer != OUTPUT),
        key=lambda layer: scores[layer]["adjusted_rand_index"],
    )


def draw(scores: dict[str, dict[str, dict]]) -> Figure:
    """Draw each layer by what its clusters know of the labels and what detail it keeps."""
    figure = Figure(figsize=(6.3, 5), layout="constrained")
    ax = figure.subplots()
    for name, of_layers in scores.items():
        draw_network(ax, name, of_layers)
    ax.set_xlabel("agreement of five k-means clusters with the labels (adjusted Rand index)")
    ax.set_ylabel("detail within labels (share of variance)")
    ax.set_title("What the layers of both networks keep, on validation images", fontsize=10)
    ax.set_xlim(-0.1, 1.2)
    lowest = min(row["detail"] for of_layers in scores.values() for row in of_layers.values())
    ax.set_ylim(min(0, lowest) - 0.08, 0.95)
    ax.grid(color="0.9")
    ax.legend(title="layer (values)", title_fontsize=9, loc="lower left", fontsize=9)
    return figure


def draw_network(ax: Axes, name: str, scores: dict[str, dict]) -> None:
    """Draw one network's layers as a line from first to last."""
    marker, color, (right, up, side) = STYLES[name]
    x = [figures["adjusted_rand_index"] for figures in scores.values()]
    y = [figures["detail"] for figures in scores.values()]
    ax.plot(x, y, color=color, marker=marker, lw=1, label=f"{name} network")
    for layer, place in zip(scores, zip(x, y, strict=True), strict=True):
        ax.annotate(
            f"{layer} ({scores[layer]['size']:,})",
            place,
            (right, up),
            textcoords="offset points",
            ha=side,
            fontsize=8,
            color=color,
        )


def main(
    x_valid: Path, y_valid: Path, default: Path, improved: Path, metrics: Path, picture: Path
) -> None:
    params = read_params()
    seed = params["compare_layers"]["seed"]
    images = load_array(x_valid, IMAGES)
    labels = load_array(y_valid, LABELS, len(images))
    scores: dict[str, dict] = {}
    for name, path in (("default", default), ("improved", improved)):
        network = load_network(path)
        scores[name] = {}
        for layer in LAYERS[name]:
            print(f"compare_layers: {layer} of the {name} network", flush=True)
            encodings, _ = encode(network, layer, images)
            scores[name][layer] = assess(encodings, images, labels, seed)
    best = {"best": {name: best_layer(of_layers) for name, of_layers in scores.items()}}
    save_json(metrics, scores | best)
    save_figure(draw(scores), picture)


if __name__ == "__main__":
    run(main)
