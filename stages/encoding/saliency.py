"""Show where the improved network looks: class-activation maps of the test images.

Reads   test images and labels, the maps of their predicted labels, which activation_maps.py
        explains, and the network's probabilities (.npy)
Does    compares the maps with the ink
Writes  how much of the maps lies on the object (JSON); images of each label with their maps (PNG):
        those for whose label the network has the highest probability, and those with the lowest
        margin

on_object  fraction of the positive part of the maps that lies on ink, pixels above `INK`, 0-1
ink        fraction of the pixels that are ink: `on_object` of a map that is the same everywhere
other_ink  fraction of the positive part that lies on the ink of another image of the label:
           `on_object` of a map that follows the label and not the image
margin     of an image: difference of its two highest probabilities
"""

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, N_LABELS, load_array, save_json
from stages.common.pictures import save_figure

MAPS = (np.float32, ("h", "w"))  # kinds of arrays
PROBABILITIES = (np.float32, (N_LABELS,))
INK = 32  # of 255; fainter pixels are noise
SHOWN = 6  # images of each label and kind
TILE = (39, 30)  # height and width of an image with its caption and some space, in image pixels
ADDS, TAKES = (np.array(color) / 255 for color in ((214, 94, 0), (0, 90, 178)))  # colours


def interpolation(n: int, side: int) -> np.ndarray:
    """Return what each pixel of a side takes from each of `n` places, (side, n), by distance.

    A place stands for as many pixels as halving the side again and again makes it, padded at the
    end: of four, the last has the last four of 28 pixels, and the others eight each.
    """
    reach = 1
    while n * reach < side:
        reach *= 2
    at = (np.arange(side) - (reach - 1) / 2) / reach
    return np.array([np.interp(at, np.arange(n), place) for place in np.eye(n)]).T


def enlarge(maps: np.ndarray, side: int) -> np.ndarray:
    """Return maps (n, h, w) as (n, side, side)."""
    down, across = (interpolation(size, side) for size in maps.shape[1:])
    return down @ maps @ across.T


def measure(maps: np.ndarray, images: np.ndarray, labels: np.ndarray) -> dict:
    """Return the fractions that are explained at the top of this file, by label."""
    ink = images[..., 0] > INK
    positive = enlarge(np.maximum(maps, 0), images.shape[1])
    fractions: dict[str, dict] = {"on_object": {}, "ink": {}, "other_ink": {}}
    for label in np.unique(labels):
        inside, shown = ink[labels == label], positive[labels == label]
        everything = float(shown.sum())
        for key, where in (("on_object", inside), ("other_ink", np.roll(inside, 1, axis=0))):
            on_ink = float((shown * where).sum())
            fractions[key][str(label)] = on_ink / everything if everything else None
        fractions["ink"][str(label)] = float(inside.mean())
    return fractions


def choose(probabilities: np.ndarray, labels: np.ndarray, label: int) -> list[np.ndarray]:
    """Return rows of at most `SHOWN` typical images of a label, and of as many doubtful ones."""
    rows = np.flatnonzero(labels == label)
    second, first = np.sort(probabilities[rows], axis=1)[:, -2:].T
    orders = (-probabilities[rows, label], first - second)
    return [rows[np.argsort(order, kind="stable")][:SHOWN] for order in orders]


def overlay(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return images (n, 28, 28, 1), dark on white, under their maps: RGB, 0-1, (n, 28, 28, 3)."""
    large = enlarge(maps, images.shape[1])
    highest = np.abs(large).max(axis=(1, 2), keepdims=True)
    opacity = (0.8 * np.abs(large) / np.where(highest > 0, highest, 1))[..., None]
    color = np.where(large[..., None] > 0, ADDS, TAKES)
    return (1 - opacity) * (1 - images / 255) + opacity * color


def draw_maps(
    images: np.ndarray, maps: np.ndarray, labels: np.ndarray, probabilities: np.ndarray
) -> Figure:
    """Draw typical and doubtful images with their maps, a row a label, all as one picture.

    Args:
        images, maps, labels, probabilities: of all test images
    """
    present = np.unique(labels)
    figure = Figure(figsize=(6.3, 0.6 * len(present) + 0.8), layout="constrained")
    ax = figure.subplots()
    starts = (0, int((SHOWN + 0.5) * TILE[1]))  # of the typical images, and of the doubtful ones
    sheet = np.ones((len(present) * TILE[0], starts[1] + SHOWN * TILE[1], 3))
    for row, label in enumerate(present):
        bottom = (row + 1) * TILE[0]
        ax.text(-6, bottom - 14, f"label {label}", fontsize=8, ha="right", va="center")
        for start, rows in zip(starts, choose(probabilities, labels, label), strict=True):
            for place, image in enumerate(overlay(images[rows], maps[rows])):
                left = start + place * TILE[1]
                sheet[bottom - 28 : bottom, left : left + 28] = image
                second, first = (of_one := probabilities[rows[place]]).argsort(kind="stable")[-2:]
                caption = f"{first}: {of_one[first]:.1%}"
                if start:
                    caption = f"{first} or {second}: {of_one[first] - of_one[second]:.0%}"
                ax.text(left + 14, bottom - 30, caption, fontsize=6, ha="center", va="bottom")
    ax.imshow(sheet.clip(0, 1))
    ax.axis("off")
    for start, words in zip(starts, ("highest probability", "lowest margin"), strict=True):
        middle = start + SHOWN / 2 * TILE[1]
        ax.text(middle, -4, words, fontsize=8, ha="center", va="bottom")
    figure.suptitle("Where the improved network looks: test images of each label", fontsize=10)
    note = "orange: adds to the score of the predicted label; blue: takes away from it"
    figure.supxlabel(note, fontsize=8)
    return figure


def main(
    x_test: Path,
    y_test: Path,
    maps_path: Path,
    probabilities_path: Path,
    metrics: Path,
    picture: Path,
) -> None:
    images = load_array(x_test, IMAGES)
    labels = load_array(y_test, LABELS, len(images))
    maps = load_array(maps_path, MAPS, len(images))
    probabilities = load_array(probabilities_path, PROBABILITIES, len(images))
    save_json(metrics, measure(maps, images, labels))
    save_figure(draw_maps(images, maps, labels, probabilities), picture)


if __name__ == "__main__":
    run(main)
