"""Compare both networks with each other and with two baselines, on the test set.

Reads   all images and labels (.npy), both networks (.keras)
Does    predicts the test images with the networks, the majority label and logistic regression
Writes  each network's probabilities, float32 (n, 5), of the improved one the mean over its views
        (.npy); scores of each predictor (JSON); prediction times, scores by label, differences,
        accuracy on the images that are not in training, and the confusion of each network (CSV); a
        picture of each network's most confident mistakes (PNG)

The figures are explained in scoring.py.
"""

import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from stages.common.command import run
from stages.common.files import (
    IMAGES,
    LABELS,
    N_LABELS,
    load_array,
    save_array,
    save_json,
    save_table,
)
from stages.common.params import read_params
from stages.common.pictures import draw_images, grid_height, save_figure
from stages.data.audit import are_in
from stages.networks.augmentation import hflip, shift
from stages.networks.backend import keras, load_network
from stages.networks.scoring import (
    compare,
    count_confusion,
    score,
    score_labels,
    score_unseen,
    verdict,
)

BATCH = 1_000  # images predicted at once
TTA_VIEWS = [(flipped, (by, by)) for by in (0, 1, -1) for flipped in (False, True)]


def predict(network: keras.Model, images: np.ndarray, tta_views: int) -> tuple[np.ndarray, float]:
    """Return probabilities (n, 5), the mean over views, and the seconds that predicting took.

    Args:
        tta_views: 1, the image as it is; 2, also flipped; up to 6, also both shifted by a pixel
            along the diagonal, down and up (as in Jordan 2024, arXiv:2404.00498)
    """
    n = len(images)
    shown = [
        shift(hflip(images, np.full(n, flipped)), np.tile(offset, (n, 1)))
        for flipped, offset in TTA_VIEWS[:tta_views]
    ]
    network.predict(images[:BATCH], batch_size=BATCH, verbose=0)  # builds the graph, not timed
    start = time.perf_counter()
    probabilities = np.zeros((n, N_LABELS))
    for view in shown:
        probabilities += network.predict(view, batch_size=BATCH, verbose=0)
    seconds = time.perf_counter() - start
    return probabilities / probabilities.sum(axis=1, keepdims=True), seconds


def majority_probabilities(y_train: np.ndarray, n: int) -> np.ndarray:
    """Give each of `n` images the fractions of the labels in training: (n, 5)."""
    return np.tile(np.bincount(y_train, minlength=N_LABELS) / len(y_train), (n, 1))


def logistic_probabilities(x_train: np.ndarray, y_train: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Fit multinomial logistic regression on the pixels and return its probabilities (n, 5)."""
    model = LogisticRegression(C=1.0, solver="lbfgs", max_iter=1_000, tol=1e-2)
    with threadpool_limits(1, "blas"):  # more threads wait for each other, in matrices this narrow
        model.fit(_as_rows(x_train), y_train)
    return model.predict_proba(_as_rows(x))


def _as_rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / np.float32(255)  # three times as fast as float64


def draw_mistakes(
    title: str, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, n: int
) -> Figure:
    """Draw the at most `n` mistakes of which the network was most confident, that first."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    rows = wrong[np.argsort(-confidence[wrong], kind="stable")][:n]
    figure = Figure(figsize=(6.3, grid_height(len(rows))), layout="constrained")
    figure.suptitle(f"{title}: label → predicted label (confidence)", fontsize=10)
    draw_images(
        figure,
        images[rows],
        [f"{labels[r]} → {predicted[r]} ({confidence[r]:.1%})\nrow {r}" for r in rows],
    )
    return figure


def main(
    x_train: Path,
    y_train: Path,
    x_test: Path,
    y_test: Path,
    default: Path,
    improved: Path,
    predictions: Path,
    metrics: Path,
    runtime: Path,
    tables: Path,
    mistakes: Path,
) -> None:
    params = read_params()
    train_labels, images = load_array(y_train, LABELS), load_array(x_test, IMAGES)
    train_images = load_array(x_train, IMAGES, len(train_labels))
    labels = load_array(y_test, LABELS, len(images))
    print("evaluate: fitting logistic regression", flush=True)
    probabilities = {
        "majority": majority_probabilities(train_labels, len(labels)),
        "logistic": logistic_probabilities(train_images, train_labels, images),
    }
    seconds = {}  # from here on in this order: each is the rival of the one after it
    # The default network has never seen an image shifted or flipped.
    for name, path, n_views in (
        ("default", default, 1),
        ("improved", improved, params["evaluate"]["tta_views"]),
    ):
        print(f"evaluate: predicting with the {name} network", flush=True)
        probabilities[name], seconds[name] = predict(load_network(path), images, n_views)
    predicted = {name: of_all.argmax(axis=1) for name, of_all in probabilities.items()}

    scores = {name: score(of_all, labels) for name, of_all in probabilities.items()}
    differences = []
    for rival, name in pairwise(predicted):
        difference = compare(predicted[name], predicted[rival], labels)
        differences.append({"predictor": name, "rival": rival} | difference)
        scores[name]["verdict"] = verdict(difference)
    for name, of_predictor in scores.items():
        save_json(metrics / f"{name}.json", of_predictor)
    unseen = ~are_in(images, train_images)
    save_table(tables / "unseen.csv", score_unseen(predicted, labels, unseen))
    by_label = {name: score_labels(predicted[name], labels) for name in seconds}
    save_table(tables / "labels.csv", pd.concat(by_label, names=["network"]).reset_index("network"))
    save_table(tables / "differences.csv", pd.DataFrame(differences))
    for name in seconds:
        save_array(predictions / f"{name}.npy", probabilities[name].astype(np.float32))
        save_table(tables / f"confusion_{name}.csv", count_confusion(labels, predicted[name]))
        title = f"Most confident mistakes of the {name} network"
        n = params["evaluate"]["mistakes"]
        figure = draw_mistakes(title, images, labels, probabilities[name], n)
        save_figure(figure, mistakes / f"{name}.png")
    times = pd.DataFrame({"network": seconds.keys(), "seconds": seconds.values()})
    save_table(runtime, times.assign(images_per_second=len(labels) / times["seconds"]))


if __name__ == "__main__":
    run(main)
