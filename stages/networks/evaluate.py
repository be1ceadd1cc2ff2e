"""Compare both networks with each other and with two baselines, on the test set.

Reads   all images and labels (.npy), both networks (.keras)
Does    predicts the test images with the networks, the majority label and logistic regression
Writes  scores (JSON), prediction times (JSON), the confusion of each network (CSV), a picture
        of each network's most confident mistakes (PNG)

accuracy            share of images given their label, with its 95% interval (Wilson 1927)
loss                mean categorical cross-entropy, in nats
precision           share of the images predicted as a label that have it
recall              share of a label's images that are predicted as it
f1                  harmonic mean of precision and recall; macro_f1 is its mean over the labels.
                    Of a label without test images these three are null
mcnemar_p           how often two equally good networks would disagree as unequally as this, or
                    more so (exact McNemar test, McNemar 1947)
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, N_LABELS, load_array, save_json, save_table
from stages.common.params import read_params
from stages.common.pictures import draw_images, grid_height, save_figure
from stages.networks.augmentation import mirror, shift
from stages.networks.backend import keras, load_network

BATCH = 1_000  # images predicted at once
VIEWS = [(mirrored, (by, by)) for by in (0, 1, -1) for mirrored in (False, True)]


def predict(network: keras.Model, images: np.ndarray, views: int) -> tuple[np.ndarray, float]:
    """Return probabilities (n, 5), the mean over views, and the seconds that predicting took.

    Args:
        views: 1, the image as it is; 2, also mirrored; up to 6, also both shifted by a pixel
            along the diagonal, down and up (as in Jordan 2024, arXiv:2404.00498)
    """
    n = len(images)
    shown = [
        shift(mirror(images, np.full(n, mirrored)), np.tile(offset, (n, 1)))
        for mirrored, offset in VIEWS[:views]
    ]
    network.predict(images[:BATCH], batch_size=BATCH, verbose=0)  # builds the graph, not timed
    start = time.perf_counter()
    probabilities = np.zeros((n, N_LABELS))
    for view in shown:
        probabilities += network.predict(view, batch_size=BATCH, verbose=0)
    seconds = time.perf_counter() - start
    return probabilities / probabilities.sum(axis=1, keepdims=True), seconds


def majority_probabilities(y_train: np.ndarray, n: int) -> np.ndarray:
    """Give each of `n` images the shares of the labels in training: (n, 5)."""
    return np.tile(np.bincount(y_train, minlength=N_LABELS) / len(y_train), (n, 1))


def logistic_probabilities(x_train: np.ndarray, y_train: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Fit multinomial logistic regression on the pixels and return its probabilities (n, 5)."""
    model = LogisticRegression(C=1.0, solver="lbfgs", max_iter=1_000, tol=1e-2)
    model.fit(_as_rows(x_train), y_train)
    return model.predict_proba(_as_rows(x))


def _as_rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 255


def score(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """Score probabilities (n, 5) against labels (n,); the glossary is at the top of this file."""
    predicted = probabilities.argmax(axis=1)
    hits = int((predicted == labels).sum())
    interval = binomtest(hits, len(labels)).proportion_ci(0.95, method="wilson")
    every_label = list(range(N_LABELS))
    there = np.isin(every_label, labels)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, predicted, labels=every_label, zero_division=0
    )
    return {
        "accuracy": hits / len(labels),
        "accuracy_low": interval.low,
        "accuracy_high": interval.high,
        "loss": log_loss(labels, probabilities, labels=every_label),
        "macro_f1": float(f1[there].mean()),
        "precision": by_label(precision, there),
        "recall": by_label(recall, there),
        "f1": by_label(f1, there),
    }


def by_label(values: np.ndarray, there: np.ndarray) -> dict[str, float | None]:
    """Name the values (5,) of labels that are there by the label: DVC shows dicts, not lists."""
    return {str(n): float(values[n]) if there[n] else None for n in range(N_LABELS)}


def compare(default: np.ndarray, improved: np.ndarray, labels: np.ndarray) -> dict:
    """Compare two networks' predicted labels (n,) image by image."""
    only_default = int(((default == labels) & (improved != labels)).sum())
    only_improved = int(((default != labels) & (improved == labels)).sum())
    disagreements = only_default + only_improved
    return {
        "accuracy_gain": (only_improved - only_default) / len(labels),
        "only_default_right": only_default,
        "only_improved_right": only_improved,
        "mcnemar_p": binomtest(only_improved, disagreements).pvalue if disagreements else 1.0,
    }


def count_confusion(labels: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Tabulate how many images of each actual label got each predicted one: 25 rows."""
    counts = confusion_matrix(labels, predicted, labels=range(N_LABELS))
    actual, other = np.indices(counts.shape)
    return pd.DataFrame(
        {"actual": actual.ravel(), "predicted": other.ravel(), "count": counts.ravel()}
    )


def draw_mistakes(
    title: str, images: np.ndarray, labels: np.ndarray, probabilities: np.ndarray, n: int
) -> Figure:
    """Draw the at most `n` mistakes of which the network was most sure, surest first."""
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
    scores: Path,
    runtime: Path,
    confusions: Path,
    mistakes: Path,
) -> None:
    params = read_params()
    train_labels, images = load_array(y_train, LABELS), load_array(x_test, IMAGES)
    labels = load_array(y_test, LABELS, len(images))
    print("evaluate: fitting logistic regression", flush=True)
    results = {
        "majority": score(majority_probabilities(train_labels, len(labels)), labels),
        "logistic_regression": score(
            logistic_probabilities(
                load_array(x_train, IMAGES, len(train_labels)), train_labels, images
            ),
            labels,
        ),
    }
    seconds, predicted = {}, {}
    # The default network has never seen an image shifted or mirrored.
    views = params["evaluate"]["views"]
    for name, path, n_views in (("default", default, 1), ("improved", improved, views)):
        print(f"evaluate: predicting with the {name} network", flush=True)
        network = load_network(path)
        probabilities, seconds[name] = predict(network, images, n_views)
        predicted[name] = probabilities.argmax(axis=1)
        results[name] = score(probabilities, labels)
        save_table(confusions / f"{name}.csv", count_confusion(labels, predicted[name]))
        figure = draw_mistakes(
            f"Most confident mistakes of the {name} network",
            images,
            labels,
            probabilities,
            params["evaluate"]["mistakes"],
        )
        save_figure(figure, mistakes / f"{name}.png")
    results["difference"] = compare(predicted["default"], predicted["improved"], labels)
    save_json(scores, results)
    save_json(
        runtime,
        {
            name: {"predict_seconds": taken, "images_per_second": len(labels) / taken}
            for name, taken in seconds.items()
        },
    )


if __name__ == "__main__":
    run(main)
