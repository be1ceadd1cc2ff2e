"""Draw how both networks trade errors for each label, and how far their confidence can be taken.

Reads   labels of the test images, each network's probabilities of them (.npy)
Does    takes each label against the rest at every threshold of its probability; compares the
        probability of the predicted label with how often it is right
Writes  roc.csv, precision_recall.csv: points of the curves; areas.csv: areas under them;
        reliability.csv; calibration of each network (JSON)

roc                recall by false positives, the fraction of the images of other labels that are
                   taken for the label; `auc`: area below, 1 is perfect, 0.5 chance
precision_recall   precision by recall (see scoring.py); `average_precision`: area below, as a sum
                   of steps, 1 is perfect, the fraction of the label chance
reliability        accuracy by confidence, the probability of the predicted label, in `BINS` bins of
                   equal width; both are the same where a network is well calibrated
calibration_error  expected calibration error: mean difference of both, weighted by the bins' images
                   (Guo et al. 2017, arXiv:1706.04599)

Of a label that no test image has, or every one, these are empty.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logit
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from stages.common.command import run
from stages.common.files import LABELS, N_LABELS, POINTS, load_array, save_json, save_table

BINS = 15  # as many as Guo et al. have
MOST_POINTS = 100  # of a curve
NEAR = 1e-4  # to 0 or 1: nearer than that is drawn there


def thin(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `MOST_POINTS` of a curve's points (n,), evenly along it, with both ends.

    Along it on logistic axes, which spread what is near 0 or 1, as the plots do.
    """
    steps = [np.abs(np.diff(logit(values.clip(NEAR, 1 - NEAR)))) for values in (x, y)]
    along = np.append(0, np.cumsum(sum(steps)))
    wanted = np.linspace(0, along[-1], MOST_POINTS)[:-1]
    kept = np.unique(np.append(np.searchsorted(along, wanted), len(x) - 1))
    return x[kept], y[kept]


def trace_roc(is_label: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return false-positive rate and recall by thresholds of scores (n,); labels are bool (n,)."""
    return thin(*roc_curve(is_label, scores)[:2])


def trace_precision(is_label: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision by thresholds of scores (n,); labels are bool (n,)."""
    precision, recall, _ = precision_recall_curve(is_label, scores, drop_intermediate=True)
    return thin(recall[::-1], precision[::-1])


def measure_areas(is_label: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the areas under both curves, (1,) each."""
    auc, average = roc_auc_score(is_label, scores), average_precision_score(is_label, scores)
    return np.array([auc]), np.array([average])


TABLES = {
    "roc": (trace_roc, ("false_positive_rate", "recall")),
    "precision_recall": (trace_precision, ("recall", "precision")),
    "areas": (measure_areas, ("auc", "average_precision")),
}


def judge(name: str, networks: dict[str, np.ndarray], labels: np.ndarray) -> pd.DataFrame:
    """Return a table of `TABLES` for each network and label, with a row at least of each.

    Args:
        networks: probabilities (n, 5) by the network's name
        labels: (n,)
    """
    measure, columns = TABLES[name]
    tables = []
    for network, probabilities in networks.items():
        for label in range(N_LABELS):
            is_label = labels == label
            empty = is_label.all() or not is_label.any()
            values = [[None]] * 2 if empty else measure(is_label, probabilities[:, label])
            table = pd.DataFrame(dict(zip(columns, values, strict=True)), dtype=float)
            tables.append(table.assign(network=network, label=label))
    return pd.concat(tables)[["network", "label", *columns]]


def bin_confidence(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return confidence, accuracy and images of each bin that has any; probabilities are (n, 5)."""
    confidence = probabilities.max(axis=1)
    table = pd.DataFrame(
        {"confidence": confidence, "accuracy": probabilities.argmax(axis=1) == labels, "images": 1}
    )
    by_bin = table.groupby(np.ceil(confidence * BINS))  # a bin has its upper end
    return by_bin.agg({"confidence": "mean", "accuracy": "mean", "images": "sum"})


def calibrate(bins: pd.DataFrame) -> dict:
    """Return the error, mean confidence and accuracy of all images, from those of the bins."""
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    figures = {"calibration_error": gaps, "confidence": bins["confidence"]}
    figures["accuracy"] = bins["accuracy"]
    return {key: float(np.average(of, weights=bins["images"])) for key, of in figures.items()}


def main(y_test: Path, default: Path, improved: Path, metrics: Path, tables: Path) -> None:
    labels = load_array(y_test, LABELS)
    networks = {
        path.stem: load_array(path, POINTS, len(labels)).astype(float)
        for path in (default, improved)
    }
    for name in TABLES:
        save_table(tables / f"{name}.csv", judge(name, networks, labels))
    bins = {network: bin_confidence(of_one, labels) for network, of_one in networks.items()}
    save_table(
        tables / "reliability.csv", pd.concat(bins, names=["network"]).reset_index("network")
    )
    save_json(metrics, {network: calibrate(of_one) for network, of_one in bins.items()})


if __name__ == "__main__":
    run(main)
