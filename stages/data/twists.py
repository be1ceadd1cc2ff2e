"""The twists: by what rule each term of a course gave Fashion-MNIST's images their labels, 0-4.

The course does not publish its rules. These are as public notebooks of its students show them:

winter-2025  a label a class. Sure: a notebook prints the labels of the first and the last rows, and
             shows labelled images of every class.
winter-2022  a label a class, also that of 2023. Less sure: nothing here confirms the notebooks.
winter-2020  how many of four thresholds an image's sum of greys exceeds, where most classes have
             all four thresholds moved. Sure: each label has 12,000 of the 60,000 training images
             to within 90, which wrong numbers would hardly give.
"""

import numpy as np

# In the order of `fashion_mnist.CLASSES`: T-shirt, trouser, pullover, dress, coat, sandal, shirt,
# sneaker, bag, ankle boot.
LABELS = {
    "winter-2025": (2, 1, 2, 2, 2, 4, 2, 0, 3, 1),
    "winter-2022": (0, 2, 2, 4, 4, 1, 0, 3, 3, 4),
}
THRESHOLDS = {"winter-2020": (34_506, 60_652, 80_359, 102_087)}  # of the sum of 784 greys, 0-255
OFFSETS = {
    "winter-2020": (-28_816, 28_356, 1_963, 0, -8_066, -40_563, 0, 1_963, -83_449, -26_378),
}


def give_labels(twist: str | list[int], images: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the labels of images by a twist, uint8 (n,), 0-4.

    Args:
        twist: the name of a term, or the label of each of the ten classes
        images: uint8 (n, 784)
        classes: uint8 (n,), 0-9
    """
    if isinstance(twist, str) and twist in THRESHOLDS:
        thresholds = np.array(THRESHOLDS[twist]) + np.array(OFFSETS[twist])[classes, None]
        greys = images.sum(axis=1, keepdims=True, dtype=np.int64)
        return (greys > thresholds).sum(axis=1).astype(np.uint8)
    return np.array(LABELS[twist] if isinstance(twist, str) else twist, np.uint8)[classes]
