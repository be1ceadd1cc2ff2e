"""How good predictions of the five labels are, and whether one predictor is better than another.

accuracy            fraction of images given their label; ci_low and ci_high are its 95% interval
                    (Wilson 1927)
loss                mean categorical cross-entropy, in nats
ari                 adjusted Rand index of predictions and labels (Hubert and Arabie 1985): what
                    clusters can be compared with
precision           fraction of the images predicted as a label that have it
recall              fraction of a label's images that are predicted as it
f1                  harmonic mean of precision and recall; macro_f1 is its mean over the labels.
                    Of a label without test images these three are empty
mcnemar_p           how often two equally good predictors would disagree as unequally as this, or
                    more so (exact McNemar test, McNemar 1947)
verdict             whether the predictor is better or worse than the one before it, its rival:
                    unclear where mcnemar_p is `CHANCE` and more
"""

import numpy as np
import pandas as pd
from scipy.stats import binomtest
from sklearn.metrics import (
    adjusted_rand_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
)

from stages.common.files import N_LABELS

CHANCE = 0.05


def score(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    """Score probabilities (n, 5) against labels (n,); the glossary is at the top of this file."""
    predicted = probabilities.argmax(axis=1)
    hits = int((predicted == labels).sum())
    interval = binomtest(hits, len(labels)).proportion_ci(0.95, method="wilson")
    return {
        "accuracy": hits / len(labels),
        "ci_low": interval.low,
        "ci_high": interval.high,
        "loss": log_loss(labels, probabilities, labels=list(range(N_LABELS))),
        "macro_f1": float(score_labels(predicted, labels)["f1"].mean()),
        "ari": float(adjusted_rand_score(labels, predicted)),
    }


def score_labels(predicted: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Score predicted labels (n,), a row a label: label, precision, recall, f1."""
    every_label = list(range(N_LABELS))
    scores = precision_recall_fscore_support(labels, predicted, labels=every_label, zero_division=0)
    table = pd.DataFrame(dict(zip(("precision", "recall", "f1"), scores, strict=False)))
    table[~np.isin(every_label, labels)] = np.nan
    table.insert(0, "label", every_label)
    return table


def score_unseen(
    predicted: dict[str, np.ndarray], labels: np.ndarray, unseen: np.ndarray
) -> pd.DataFrame:
    """Score predictors on the images (n,) that are not in training: predictor, accuracy, images.

    Args:
        predicted: labels (n,) by predictor
        unseen: whether an image is not in training, bool, (n,); accuracy is empty where none is
    """
    rows = [(name, (of_one == labels)[unseen]) for name, of_one in predicted.items()]
    return pd.DataFrame(
        [
            {"predictor": name, "accuracy": hits.mean() if len(hits) else None, "images": len(hits)}
            for name, hits in rows
        ]
    )


def compare(predicted: np.ndarray, rival: np.ndarray, labels: np.ndarray) -> dict:
    """Compare two predictors' labels (n,) image by image: who alone is right, and by chance?"""
    only_this = int(((predicted == labels) & (rival != labels)).sum())
    only_rival = int(((predicted != labels) & (rival == labels)).sum())
    disagreements = only_this + only_rival
    return {
        "accuracy_gain": (only_this - only_rival) / len(labels),
        "only_this_right": only_this,
        "only_rival_right": only_rival,
        "mcnemar_p": binomtest(only_this, disagreements).pvalue if disagreements else 1.0,
    }


def verdict(difference: dict) -> str:
    """Say in a word what a difference of `compare` says of the predictor."""
    if difference["mcnemar_p"] >= CHANCE:
        return "unclear"
    return "better" if difference["only_this_right"] > difference["only_rival_right"] else "worse"


def count_confusion(labels: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Tabulate how many images of each actual label got each predicted one: 25 rows."""
    counts = confusion_matrix(labels, predicted, labels=range(N_LABELS))
    actual, other = np.indices(counts.shape)
    return pd.DataFrame(
        {"actual": actual.ravel(), "predicted": other.ravel(), "count": counts.ravel()}
    )
