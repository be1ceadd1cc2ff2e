"""Reveal which classes each label holds, where the images are Fashion-MNIST's: to verify alone.

Reads   test images and labels, the groups inside each label (.npy)
Does    finds every image in Fashion-MNIST, byte for byte, and so its class; no other stage
        learns of it but the one that judges a person's guess
Writes  the class of each test image, uint8 (n,), a number in `CLASSES` or `UNKNOWN` (.npy), classes
        of each label, and how well the groups found agree with them (JSON), a table of both (PNG)

matched               fraction of the test images that are in Fashion-MNIST
counts                images of each class, by label
classes              those that are at least `SMALLEST` of the label's images
n_classes, n_groups  how many they are; how many groups were found in it without knowing them
adjusted_mutual_info  agreement of both inside the label, 0: chance, 1: the same (Vinh, Epps and
                      Bailey 2010); null where one class is all
skipped               why there is nothing to reveal, or null
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.metrics import adjusted_mutual_info_score

from stages.common.command import InputError, run
from stages.common.files import IMAGES, LABELS, load_array, save_array, save_json
from stages.common.pictures import draw_counts, save_figure
from stages.data.fashion_mnist import CLASSES, find_fashion_mnist

SMALLEST = 0.02
ENOUGH = 0.5  # fraction of the images that must be Fashion-MNIST's
WAIT = 2  # seconds that a server may keep us waiting; `fetch` waits longer
UNKNOWN = len(CLASSES)  # the class of an image that is not


def match(images: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    """Return the class of each image, uint8 (n,): its number in `CLASSES`, or `UNKNOWN`.

    Args:
        images: uint8 (n, 28, 28, 1)
        known: Fashion-MNIST's arrays, as `find_fashion_mnist` returns them
    """
    classes = {
        image.tobytes(): one
        for split in ("test", "train")
        for image, one in zip(known[f"x_{split}"], known[f"y_{split}"], strict=True)
    }
    return np.array([classes.get(image.tobytes(), UNKNOWN) for image in images], np.uint8)


def score(classes: np.ndarray, labels: np.ndarray, groups: np.ndarray) -> dict:
    """Return the figures explained at the top of this file, for images of known class (n,)."""
    scores: dict[str, dict] = {
        key: {} for key in ("counts", "classes", "n_classes", "n_groups", "adjusted_mutual_info")
    }
    for label in np.unique(labels):
        inside = labels == label
        counts = np.bincount(classes[inside], minlength=len(CLASSES))
        many = [CLASSES[n] for n in np.flatnonzero(counts >= SMALLEST * counts.sum())]
        agreement = adjusted_mutual_info_score(classes[inside], groups[inside])
        scores["counts"][str(label)] = {CLASSES[n]: int(counts[n]) for n in np.flatnonzero(counts)}
        scores["classes"][str(label)] = many
        scores["n_classes"][str(label)] = len(many)
        scores["n_groups"][str(label)] = len(np.unique(groups[inside]))
        scores["adjusted_mutual_info"][str(label)] = float(agreement) if len(many) > 1 else None
    return scores


def say(scores: dict) -> str:
    """Say in a line for each label how many groups were found and how many classes there are."""
    lines = []
    for label, agreement in scores["adjusted_mutual_info"].items():
        n_groups, n_classes = scores["n_groups"][label], scores["n_classes"][label]
        line = f"Label {label}: {n_groups} found of {n_classes}"
        if agreement is not None:
            line += f", adjusted mutual information {agreement:z.2f}"
        lines.append(line)
    return "Groups inside labels, and classes:\n" + "\n".join(lines)


def draw_skipped(why: str) -> Figure:
    """Draw the reason in place of the table."""
    figure = Figure(figsize=(6.3, 0.8))
    figure.text(0.5, 0.5, f"Nothing to reveal: {why}", ha="center", va="center", fontsize=9)
    return figure


def main(
    images_path: Path,
    labels_path: Path,
    groups_path: Path,
    classes_path: Path,
    metrics: Path,
    picture: Path,
) -> None:
    images = load_array(images_path, IMAGES)
    labels, groups = (load_array(path, LABELS, len(images)) for path in (labels_path, groups_path))
    skipped: str | None
    try:
        classes = match(images, find_fashion_mnist(WAIT))
    except InputError as error:
        print(f"reveal: {error}")
        classes = np.full(len(images), UNKNOWN, np.uint8)
        skipped = "Fashion-MNIST is not at hand; `dvc repro --force reveal` tries again"
    else:
        skipped = "the images are not Fashion-MNIST's"
    known = classes != UNKNOWN
    scores = score(classes[known], labels[known], groups[known])
    if known.mean() >= ENOUGH:
        skipped = None
        names = pd.Categorical.from_codes(classes[known], CLASSES)
        counts = pd.crosstab(labels[known], names, rownames=["label"], colnames=["class"])
        title = "Test images of each class in each label, as Fashion-MNIST has them"
        figure = draw_counts(title, counts, say(scores))
    else:
        scores = {key: dict.fromkeys(map(str, np.unique(labels))) for key in scores}
        print(f"reveal: skipped, {skipped}")
        figure = draw_skipped(skipped)
    save_array(classes_path, classes)
    save_json(metrics, {"skipped": skipped, "matched": float(known.mean())} | scores)
    save_figure(figure, picture)


if __name__ == "__main__":
    run(main)
