"""Find test images that are likely labelled wrongly, by their neighbours in the encoding.

Reads   validation and test encodings, labels and images (.npy)
Does    suspects an image the more, the more of its nearest validation images have another label
        (after Wilson 1972, who edits a training set so); tries itself out on planted errors
Writes  the suspicion of each test image, float32 (n,), 0-1 (.npy), how many planted errors it finds
        again (JSON), a picture of the most suspect images beside their neighbours (PNG)

suspect       fraction of the test images all of whose neighbours have another label
planted       images whose label was changed on purpose, for the trial alone, to any other label;
              real errors are between similar images and so harder to tell from honest doubt
found         fraction of the planted errors among the `LOOKED_AT` most suspect images
by_chance     the same for images drawn at random
auc           how often a planted error is more suspect than another image, 0-1; 0.5: chance
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
LOOKED_AT = 0.05  # fraction of the test images, the most suspect ones


def find_neighbors(known: np.ndarray, points: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of the n nearest `known` encodings for each point, and cosines, (m, n) each."""
    search = NearestNeighbors(n_neighbors=min(n, len(known)), metric="cosine", algorithm="brute")
    distances, rows = search.fit(known).kneighbors(points)
    return rows, 1 - distances


def suspicion(labels: np.ndarray, neighbor_labels: np.ndarray, cosines: np.ndarray) -> np.ndarray:
    """Return for labels (m,) the fraction, 0-1, of their neighbours (m, n) that contradict them.

    A neighbour counts by its cosine, so that nearer ones count more and few images tie.
    """
    weights = np.clip(cosines, 1e-6, None)
    return (weights * (neighbor_labels != labels[:, None])).sum(axis=1) / weights.sum(axis=1)


def plant(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Change a fraction of the labels (m,) at random; return all labels, and which changed (m,)."""
    rng = np.random.default_rng(seed)
    rows = rng.choice(len(labels), max(1, round(PLANTED * len(labels))), replace=False)
    planted = np.zeros(len(labels), bool)
    planted[rows] = True
    wrong = (labels + rng.integers(1, N_LABELS, len(labels))) % N_LABELS
    return np.where(planted, wrong, labels), planted


def try_out(suspicions: np.ndarray, planted: np.ndarray) -> dict:
    """Return how many planted errors the suspicions (m,) find; glossary at the top of this file."""
    looked_at = np.argsort(-suspicions, kind="stable")[: max(1, round(LOOKED_AT * len(planted)))]
    return {
        "planted": int(planted.sum()),
        "found": float(planted[looked_at].sum() / planted.sum()),
        "by_chance": len(looked_at) / len(planted),
        "auc": float(roc_auc_score(planted, suspicions)),
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
    valid_path: Path,
    x_valid_path: Path,
    y_valid_path: Path,
    test_path: Path,
    x_test_path: Path,
    y_test_path: Path,
    suspicion_path: Path,
    metrics: Path,
    picture: Path,
) -> None:
    params = read_params()
    x_valid, x_test = load_array(x_valid_path, IMAGES), load_array(x_test_path, IMAGES)
    y_valid = load_array(y_valid_path, LABELS, len(x_valid))
    y_test = load_array(y_test_path, LABELS, len(x_test))
    rows, cosines = find_neighbors(
        load_array(valid_path, POINTS, len(x_valid)),
        load_array(test_path, POINTS, len(x_test)),
        params["label_errors"]["neighbors"],
    )
    suspicions = suspicion(y_test, y_valid[rows], cosines)
    save_array(suspicion_path, suspicions.astype(np.float32))
    changed, planted = plant(y_test, params["label_errors"]["seed"])
    trial = try_out(suspicion(changed, y_valid[rows], cosines), planted)
    contradicted = (y_valid[rows] != y_test[:, None]).all(axis=1)
    save_json(metrics, {"suspect": float(contradicted.mean())} | trial)
    top = np.argsort(-suspicions, kind="stable")[: params["label_errors"]["images"]]
    beside = rows[top, : COLUMNS - 1]
    captions = [f"label {y_test[row]}\nrow {row}" for row in top]
    save_figure(draw(x_test[top], captions, x_valid[beside], y_valid[beside]), picture)


if __name__ == "__main__":
    run(main)
