"""What may be wrong with images and labels although each file can be read: told, not refused."""

from collections.abc import Callable
from itertools import product

import numpy as np
import pandas as pd

# The mean of Fashion-MNIST's 60,000 training images (Xiao and others 2017, arXiv:1708.07747) over
# blocks of 4x4 pixels: what a set of such images usually looks like.
USUAL = np.array(
    [
        [0, 13, 64, 94, 75, 20, 2],
        [3, 47, 95, 110, 113, 68, 14],
        [8, 61, 103, 128, 138, 99, 33],
        [13, 70, 125, 145, 151, 112, 47],
        [26, 86, 140, 148, 149, 105, 47],
        [20, 75, 125, 128, 121, 78, 29],
        [6, 42, 78, 84, 76, 43, 10],
    ]
)
ALIKE = 0.9  # correlation of mean images from which on they show the same kind of thing


def number_images(images: np.ndarray) -> np.ndarray:
    """Number images (n, ...) so that the same pixels have the same number: (n,), from 0 on."""
    numbers: dict[bytes, int] = {}
    return np.array([numbers.setdefault(image.tobytes(), len(numbers)) for image in images])


def are_in(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Tell of each image (n, ...) whether one of the others (m, ...) equals it: bool, (n,)."""
    known = {other.tobytes() for other in others}
    return np.array([image.tobytes() in known for image in images])


def audit(
    x: np.ndarray, y: np.ndarray, x_test: np.ndarray, y_test: np.ndarray, numbers: np.ndarray
) -> dict:
    """Count what is odd in training and test images (n, 28, 28, 1) with labels (n,).

    Args:
        numbers: of all images, those to train on first, as `number_images` gives them

    Returns:
        train_copies, test_copies: images that an earlier one of the same file equals
        test_in_train: test images that a training image equals
        contradictions: images that an image with another label equals, in all files
        constant: images of one grey
        looks: how the mean image differs from the usual one, `inverted`, `transposed`, `mirrored`
            (left to right) and `upside down`, or nothing
    """
    images, labels = np.concatenate([x, x_test]), np.concatenate([y, y_test])
    table = pd.DataFrame({"image": numbers, "label": labels})
    train, test = table["image"][: len(x)], table["image"][len(x) :]
    pixels = images.reshape(len(images), -1)
    return {
        "train_copies": int(train.duplicated().sum()),
        "test_copies": int(test.duplicated().sum()),
        "test_in_train": int(test.isin(train).sum()),
        "contradictions": int((table.groupby("image")["label"].transform("nunique") > 1).sum()),
        "constant": int((pixels.min(axis=1) == pixels.max(axis=1)).sum()),
        "looks": how_images_look(x),
    }


def how_images_look(images: np.ndarray) -> list[str]:
    """Name the changes that make the mean of images (n, 28, 28, 1) most like the usual mean image.

    Nothing is named where even then they are not alike.
    """
    mean = images.mean(axis=0).reshape(7, 4, 7, 4).mean(axis=(1, 3))
    if mean.std() == 0:
        return []
    changes: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "inverted": lambda image: 255 - image,
        "transposed": lambda image: image.T,
        "mirrored": lambda image: image[:, ::-1],
        "upside down": lambda image: image[::-1],
    }
    best: float = ALIKE
    found: list[str] = []
    for chosen in product((False, True), repeat=len(changes)):
        image = mean
        names: list[str] = []
        for (name, change), is_made in zip(changes.items(), chosen, strict=True):
            if is_made:
                image = change(image)
                names.append(name)
        correlation = np.corrcoef(image.ravel(), USUAL.ravel())[0, 1]
        if correlation > best:
            best, found = correlation, names
    return found


def in_words(found: dict) -> list[str]:
    """Tell in at most two lines what an audit found."""
    counts = [
        (found["train_copies"], "training images are copies of other training images"),
        (found["test_copies"], "test images are copies of other test images"),
        (found["test_in_train"], "test images are training images"),
        (found["contradictions"], "images have a copy with another label"),
        (found["constant"], "images are of one grey"),
    ]
    told = [f"{n} {what}" for n, what in counts if n]
    lines = ["; ".join(told) or "no image has a copy, and none is of one grey"]
    if found["looks"]:
        lines.append(f"the images look {' and '.join(found['looks'])} beside Fashion-MNIST's")
    return lines
