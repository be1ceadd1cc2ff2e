"""Drawing rows at random so that every label keeps its fraction."""

import numpy as np


def draw_rows(labels: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `size` rows of `labels` (n,), stratified, or all of them if there are fewer.

    Each label's rows are shuffled and spread evenly over 0 to 1; the rows nearest 0 are drawn.
    So a label gets its fraction of `size` to within one row.

    Returns:
        the rows drawn and the others, both int64 and in ascending order
    """
    rng = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    order = np.argsort(place, kind="stable")
    return np.sort(order[:size]), np.sort(order[size:])
