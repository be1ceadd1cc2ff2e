"""Changes to an image that leave its label as it is: flipped, shifted, partly cut out.

Which training image gets which, and when, is decided in train_improved.py; evaluate.py uses them
for test-time augmentation.
"""

import numpy as np


def augment(
    images: np.ndarray, flipped: np.ndarray, reach: int, side: int, rng: np.random.Generator
) -> np.ndarray:
    """Return images (n, 28, 28, 1), those where `flipped` (n,) is true flipped, changed.

    Each is shifted by up to `reach` pixels each way and loses a square of `side` pixels around a
    random place (DeVries and Taylor 2017, arXiv:1708.04552).
    """
    shifted = shift(hflip(images, flipped), rng.integers(-reach, reach + 1, (len(images), 2)))
    centers = rng.integers(0, images.shape[1], (len(images), 2))
    return cutout(shifted, centers - side // 2, side)


def hflip(images: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return images (n, 28, 28, 1), those where `which` (n,) is true flipped left to right."""
    return np.where(which[:, None, None, None], images[:, :, ::-1], images)


def shift(images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return images (n, 28, 28, 1), each moved by its offset (n, 2) down and right.

    What leaves the frame is lost; what enters it is 0, the background.
    """
    reach = np.abs(offsets).max()
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:3], axis=(1, 2))
    down, right = (reach - offsets).T
    return windows[np.arange(len(images)), down, right].transpose(0, 2, 3, 1)


def cutout(images: np.ndarray, corners: np.ndarray, side: int) -> np.ndarray:
    """Return images (n, 28, 28, 1), each with a square of `side` pixels set to 0, the background.

    Args:
        corners: (n, 2), row and column of the square's upper left pixel; what of the square lies
            outside the image is left out
    """
    pixels = np.arange(images.shape[1])
    rows, columns = (
        (pixels >= corner[:, None]) & (pixels < corner[:, None] + side) for corner in corners.T
    )
    return np.where(rows[:, :, None, None] & columns[:, None, :, None], 0, images)
