"""Put all test images on one page on which to find out what the labels mean.

Reads   images and labels of the test set; its encodings, their projections, clusters by k-means and
        by density, groups inside each label, doubts, classes and class-activation maps; both
        networks' probabilities (.npy); the page's HTML, CSS and JavaScript
Does    finds nearest neighbours and the lists to step through; puts arrays and images into the page
Writes  the page, one file that needs no server and no internet (HTML)

doubt       1 less the probability that the improved network gives to an image's label
outlier     an image far from its ten nearest ones in the encoding, by their mean distance
duplicates  neighbours in the encoding that differ least in their pixels, by the mean difference
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, N_LABELS, POINTS, load_array, save_text
from stages.data.fashion_mnist import CLASSES
from stages.hand_in.colorings import (
    coloring,
    of_doubt,
    of_groups,
    of_network,
    of_numbers,
    packed,
)
from stages.hand_in.lists import (
    find_nearest,
    list_doubts,
    list_duplicates,
    list_mistakes,
    list_outliers,
)

DENSITY = (np.int16, ())  # by density; -1: in none
DOUBTS = (np.float32, ())
PROBABILITIES = (np.float32, (N_LABELS,))
MAPS = (np.float32, ("h", "w"))

SHEET_COLUMNS = 100


def draw_sheet(images: np.ndarray) -> bytes:
    """Return images, uint8 (n, 28, 28, 1), side by side on one PNG of 16 greys, dark on white."""
    n_rows = -(-len(images) // SHEET_COLUMNS)
    padded = np.zeros((n_rows * SHEET_COLUMNS, 28, 28), np.uint8)
    padded[: len(images)] = images[..., 0] // 16
    tiles = padded.reshape(n_rows, SHEET_COLUMNS, 28, 28).swapaxes(1, 2)
    sheet = Image.frombytes("P", (SHEET_COLUMNS * 28, n_rows * 28), tiles.tobytes())
    sheet.putpalette([255 - grey * 17 for grey in range(16) for _ in "rgb"])
    file = io.BytesIO()
    sheet.save(file, "PNG", compress_level=7, bits=4)  # the best level takes six times as long
    return file.getvalue()


def to_square(points: np.ndarray) -> np.ndarray:
    """Return points (n, 2) in a square of uint16, upside down as screens are, in proportion."""
    low, high = points.min(axis=0), points.max(axis=0)
    scaled = (points - (low + high) / 2) / max((high - low).max(), 1e-9) + 0.5
    return np.round(65_535 * (scaled * (1, -1) + (0, 1))).astype(np.uint16)


def to_bytes(maps: np.ndarray) -> np.ndarray:
    """Return maps (n, h, w) as int8, -127 to 127, each by its own largest absolute value."""
    largest = np.abs(maps).max(axis=(1, 2), keepdims=True)
    return np.round(127 * maps / np.where(largest > 0, largest, 1)).astype(np.int8)


def main(
    images_path: Path,
    labels_path: Path,
    encodings_path: Path,
    tsne_path: Path,
    pca_path: Path,
    clusters_path: Path,
    density_path: Path,
    groups_path: Path,
    doubts_path: Path,
    classes_path: Path,
    maps_path: Path,
    improved_path: Path,
    default_path: Path,
    parts: Path,
    page: Path,
) -> None:
    images = load_array(images_path, IMAGES)
    n = len(images)
    labels, classes = (load_array(path, LABELS, n) for path in (labels_path, classes_path))
    doubts = load_array(doubts_path, DOUBTS, n)
    networks = {
        name: load_array(path, PROBABILITIES, n)
        for name, path in (("improved", improved_path), ("default", default_path))
    }
    distances, neighbors = find_nearest(load_array(encodings_path, POINTS, n))
    maps = to_bytes(load_array(maps_path, MAPS, n))
    colorings = [
        of_numbers("label", labels),
        of_numbers("cluster", load_array(clusters_path, LABELS, n)),
        of_groups(labels, load_array(groups_path, LABELS, n)),
        of_doubt(doubts),
        of_numbers("density cluster", load_array(density_path, DENSITY, n)),
    ]
    if (classes < len(CLASSES)).any():
        colorings.append(coloring("revealed class", [*CLASSES, "none"], classes))
    data = {
        "n": n,
        "columns": SHEET_COLUMNS,
        "labels": packed(labels),
        "k": neighbors.shape[1],
        "neighbors": packed(neighbors),
        "maps": {"height": maps.shape[1], "width": maps.shape[2], "values": packed(maps)},
        "projections": {
            name: packed(to_square(load_array(path, POINTS, n)))
            for name, path in (("t-SNE", tsne_path), ("PCA", pca_path))
        },
        "colorings": colorings,
        "lists": [
            list_doubts(doubts),
            list_outliers(distances),
            list_duplicates(images, neighbors),
        ],
        "networks": {
            name: {
                "predicted": packed(of_all.argmax(axis=1).astype(np.uint8)),
                "confidence": packed(np.round(10_000 * of_all.max(axis=1)).astype(np.uint16)),
                "colorings": of_network(of_all, labels),
                "lists": [list_mistakes(of_all, labels)],
            }
            for name, of_all in networks.items()
        },
    }
    texts = {path.suffix[1:]: path.read_text(encoding="utf-8") for path in sorted(parts.iterdir())}
    html = texts["html"]
    for name, text in {
        "css": texts["css"],
        "js": texts["js"],
        "sheet": base64.b64encode(draw_sheet(images)).decode(),
        "data": json.dumps(data, separators=(",", ":")),
    }.items():
        html = html.replace(f"{{{{ {name} }}}}", text)
    save_text(page, html)


if __name__ == "__main__":
    run(main)
