"""Drawing rows at random so that every label keeps its fraction."""

import numpy as np


def draw_rows(
    labels: np.ndarray, size: int, seed: int, together: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw `size` rows of `labels` (n,), stratified, or all of them if there are fewer.

    Each label's rows are shuffled and spread evenly over 0 to 1; the rows nearest 0 are drawn.
    So a label gets its fraction of `size` to within one row.

    Args:
        together: (n,), from 0 on; rows of the same number are not parted, so that a few rows less
            may be drawn

    Returns:
        the rows drawn and the others, both int64 and in ascending order
    """
    rng = np.random.default_rng(seed)
    place = np.empty(len(labels))
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        place[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    order = np.argsort(place, kind="stable")
    if together is not None:  # rows follow the first of their number
        turn = np.full(together.max() + 1, len(order))
        np.minimum.at(turn, together[order], np.arange(len(order)))
        order = order[np.argsort(turn[together[order]], kind="stable")]
        while 0 < size < len(order) and together[order[size - 1]] == together[order[size]]:
            size -= 1
    return np.sort(order[:size]), np.sort(order[size:])
