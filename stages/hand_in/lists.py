"""Lists of images to step through, worst or closest first, as the page of `explore` reads them."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

NEIGHBORS = 10
LISTED = 100  # images in a list


def find_nearest(encodings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distances (n, k) and rows (n, k) of each encoding's nearest others."""
    search = NearestNeighbors(n_neighbors=min(NEIGHBORS, len(encodings) - 1), algorithm="brute")
    distances, rows = search.fit(encodings).kneighbors()
    return distances, rows.astype(np.uint32)


def closest_pairs(images: np.ndarray, neighbors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return at most `LISTED` / 2 pairs of neighbours (m, 2) that differ least, and by how much.

    The difference is the mean one of their pixels, 0-255.
    """
    pixels = images.reshape(len(images), -1).astype(np.int16)
    differences = [np.abs(pixels - pixels[rows]).mean(axis=1) for rows in neighbors.T]
    first = np.tile(np.arange(len(images)), neighbors.shape[1])
    pairs = np.sort(np.stack([first, neighbors.T.ravel()], axis=1), axis=1)
    pairs, where = np.unique(pairs, axis=0, return_index=True)
    found = np.concatenate(differences)[where]
    order = np.argsort(found, kind="stable")[: LISTED // 2]
    return pairs[order], found[order]


def listed(how: str, rows: np.ndarray, notes: list[str]) -> dict:
    """Return a list to step through: in which order its rows are, and a note for each."""
    return {"how": how, "rows": rows.tolist(), "notes": notes}


def highest(values: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return at most `LISTED` rows where `among` (n,) is true, by falling values (n,)."""
    rows = np.flatnonzero(among)
    return rows[np.argsort(-values[rows], kind="stable")][:LISTED]


def list_mistakes(probabilities: np.ndarray, labels: np.ndarray) -> dict:
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    rows = highest(confidence, predicted != labels)
    notes = [f"confidence {confidence[row]:.1%}" for row in rows]
    return listed("the most confident first", rows, notes)


def list_doubts(doubts: np.ndarray) -> dict:
    rows = highest(doubts, doubts > 0.5)
    notes = [f"label has {1 - doubts[row]:.1%}" for row in rows]
    return listed("the least probable by the improved network first", rows, notes)


def list_outliers(distances: np.ndarray) -> dict:
    means = distances.mean(axis=1)
    rows = highest(means, np.ones(len(means), bool))
    how = f"by the mean distance to the {NEIGHBORS} nearest images in the encoding"
    return listed(how, rows, [f"mean distance {means[row]:.2f}" for row in rows])


def list_duplicates(images: np.ndarray, neighbors: np.ndarray) -> dict:
    pairs, differences = closest_pairs(images, neighbors)
    notes = [
        f"{found:.2g} greys from row {row}"
        for pair, found in zip(pairs, differences, strict=True)
        for row in pair[::-1]
    ]
    how = "pairs of neighbours in the encoding, by the mean difference of their pixels, 0 to 255"
    return listed(how, pairs.ravel(), notes)
