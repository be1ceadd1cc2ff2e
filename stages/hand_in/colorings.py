"""What marks on a map can be coloured by, as the page of the stage `explore` reads it."""

import base64

import numpy as np

CONFIDENCES = (0.5, 0.7, 0.9, 0.99)  # where one bin ends and the next begins
DOUBTS = (0.25, 0.5, 0.75, 0.95)


def packed(array: np.ndarray) -> dict[str, str]:
    """Return an array as JSON that the page unpacks: the type's name in JavaScript, and base64."""
    little_endian = array.astype(array.dtype.newbyteorder("<")).tobytes()
    return {f"{array.dtype.name.capitalize()}Array": base64.b64encode(little_endian).decode()}


def coloring(name: str, entries: list[str], codes: np.ndarray, **more: object) -> dict:
    """Return what marks can be coloured by: an entry of the legend for each code (n,)."""
    return {"name": name, "entries": entries, "codes": packed(codes.astype(np.uint16)), **more}


def of_numbers(name: str, numbers: np.ndarray) -> dict:
    """Return a colouring by labels, clusters or the like (n,); -1, in none, is the last entry."""
    found = np.unique(numbers[numbers >= 0])
    entries = [f"{name} {number}" for number in found]
    codes = np.where(numbers < 0, len(found), np.searchsorted(found, numbers))
    return coloring(name, [*entries, "none"] if (numbers < 0).any() else entries, codes)


def of_groups(labels: np.ndarray, groups: np.ndarray) -> dict:
    """Return a colouring by the groups (n,) inside each label (n,)."""
    pairs, codes = np.unique(np.stack([labels, groups], axis=1), axis=0, return_inverse=True)
    return coloring("group", [f"label {label}, group {group}" for label, group in pairs], codes)


def of_network(probabilities: np.ndarray, labels: np.ndarray) -> list[dict]:
    """Return colourings by prediction, correctness and confidence, from probabilities (n, 5)."""
    predicted, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    bins = ["above 99%", "90 to 99%", "70 to 90%", "50 to 70%", "below 50%"]
    unsure = len(CONFIDENCES) - np.searchsorted(CONFIDENCES, confidence)
    return [
        of_numbers("prediction", predicted),
        coloring("correctness", ["right", "wrong"], predicted != labels, ordered=True),
        coloring("confidence", bins, unsure, ordered=True),
    ]


def of_doubt(doubt: np.ndarray) -> dict:
    bins = ["up to 25%", "25 to 50%", "50 to 75%", "75 to 95%", "above 95%"]
    return coloring("doubt", bins, np.searchsorted(DOUBTS, doubt), ordered=True)
