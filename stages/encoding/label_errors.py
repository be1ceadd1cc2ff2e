"""Find test images that are likely labelled wrongly, by what the improved network says of them.

Reads   the improved network's probabilities of the test images, validation and test encodings,
        labels and images (.npy)
Does    doubts a label the more, the less probable the network, which has not seen the image, thinks
        it: self-confidence (Northcutt and others 2021); tries itself out on planted errors
Writes  the doubt of each test image, 1 less that probability, float32 (n,) (.npy), how many planted
        errors it finds again (JSON), a picture of the most doubtful images beside their nearest
        neighbours in the encoding (PNG)

suspect       fraction of the test images that confident learning counts as wrong: another label is
              as probable as for images that have it, on average
random, similar
              trials, in which labels are changed on purpose: to any other label, or to the one that
              the network thinks most probable besides
planted       how many labels are changed
found         fraction of the planted errors among as many most doubtful images
by_chance     the same for images drawn at random
auc           how often a planted error is more doubtful than another image, 0-1; 0.5: chance
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, N_LABELS, POINTS, load_array, save_array, save_json
from stages.common.params import read_params
from stages.common.pictures import COLUMNS, draw_images, grid_height, save_figure

PLANTED = 0.01  # fraction of the test images


def find_neighbors(known: np.ndarray, points: np.ndarray, n: int) -> np.ndarray:
    """Return rows of the n `known` encodings nearest by cosine to each point, (m, n)."""
    search = NearestNeighbors(n_neighbors=min(n, len(known)), metric="cosine", algorithm="brute")
    return search.fit(known).kneighbors(points, return_distance=False)


def doubt(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return how little probable labels (m,) are by probabilities (m, 5): 0-1."""
    return 1 - probabilities[np.arange(len(labels)), labels]


def count_suspects(labels: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the fraction of labels (m,) that confident learning counts as wrong.

    Args:
        probabilities: (m, 5)
    """
    own = 1 - doubt(labels, probabilities)
    usual = [
        own[labels == label].mean() if (labels == label).any() else 2 for label in range(N_LABELS)
    ]
    confident = np.where(probabilities >= np.array(usual) - 1e-6, probabilities, 0)
    return float((confident.any(axis=1) & (confident.argmax(axis=1) != labels)).mean())


def plant(
    labels: np.ndarray, probabilities: np.ndarray | None, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Change a fraction of the labels (m,); return all labels, and which changed (m,).

    Args:
        probabilities: of labels, (m, 5): the most probable other one is taken; None: any other one
    """
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(labels), max(1, round(PLANTED * len(labels))), replace=False)
    planted = np.zeros(len(labels), bool)
    planted[rows] = True
    if probabilities is None:
        wrong = (labels + rng.integers(1, N_LABELS, len(labels))) % N_LABELS
    else:
        others = np.arange(N_LABELS) != labels[:, None]
        wrong = np.where(others, probabilities, -1).argmax(axis=1)
    return np.where(planted, wrong, labels), planted


def try_out(doubts: np.ndarray, planted: np.ndarray) -> dict:
    """Return how many planted errors the doubts (m,) find; glossary at the top of this file."""
    looked_at = np.argsort(-doubts, kind="stable")[: planted.sum()]
    return {
        "planted": int(planted.sum()),
        "found": float(planted[looked_at].mean()),
        "by_chance": float(planted.mean()),
        "auc": float(roc_auc_score(planted, doubts)),
    }


def draw(
    images: np.ndarray, captions: list[str], neighbors: np.ndarray, neighbor_labels: np.ndarray
) -> Figure:
    """Draw a row for each suspect image (n, 28, 28, 1): itself and its nearest neighbours.

    Args:
        neighbors: images (n, COLUMNS - 1, 28, 28, 1)
        neighbor_labels: (n, COLUMNS - 1)
    """
    rows = np.concatenate([images[:, None], neighbors], axis=1)
    texts = [
        [caption, *(f"label {label}\nvalidation" for label in labels)]
        for caption, labels in zip(captions, neighbor_labels, strict=True)
    ]
    shown = rows.reshape(-1, *images.shape[1:])
    figure = Figure(figsize=(6.3, grid_height(len(shown))), layout="constrained")
    figure.suptitle("Labels in doubt: test images (left) and their nearest neighbours", fontsize=10)
    draw_images(figure, shown, [text for row in texts for text in row])
    return figure


def main(
    probabilities_path: Path,
    valid_path: Path,
    x_valid_path: Path,
    y_valid_path: Path,
    test_path: Path,
    x_test_path: Path,
    y_test_path: Path,
    doubt_path: Path,
    metrics: Path,
    picture: Path,
) -> None:
    params = read_params()
    x_valid, x_test = load_array(x_valid_path, IMAGES), load_array(x_test_path, IMAGES)
    y_valid = load_array(y_valid_path, LABELS, len(x_valid))
    y_test = load_array(y_test_path, LABELS, len(x_test))
    probabilities = load_array(probabilities_path, POINTS, len(x_test))
    valid, test = load_array(valid_path, POINTS), load_array(test_path, POINTS, len(x_test))
    doubts, trials = doubt(y_test, probabilities), {}
    for name, given in (("random", None), ("similar", probabilities)):
        changed, planted = plant(y_test, given, params["label_errors"]["seed"])
        trials[name] = try_out(doubt(changed, probabilities), planted)
    save_array(doubt_path, doubts.astype(np.float32))
    save_json(metrics, {"suspect": count_suspects(y_test, probabilities)} | trials)
    top = np.argsort(-doubts, kind="stable")[: params["label_errors"]["images"]]
    beside = find_neighbors(valid, test[top], COLUMNS - 1)
    captions = [f"label {y_test[row]}\nrow {row}" for row in top]
    save_figure(draw(x_test[top], captions, x_valid[beside], y_valid[beside]), picture)


if __name__ == "__main__":
    run(main)
