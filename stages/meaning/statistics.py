"""Simple properties of an image, by which a label may have been given.

brightness           mean of the pixels, 0-1
contrast             standard deviation of the pixels, 0-0.5
inked_area           fraction of the pixels that are ink, that is above `INK`, 0-1
ink_brightness       mean of those pixels, 0-1
width, height        of the smallest box around the ink, in pixels, 0-28
center_x, center_y   centre of mass, in pixels from the left and from the top, 0-27
left_right_symmetry  how similar the image and its horizontal flip are, 0-1
top_bottom_symmetry  how similar the image and the image upside down are, 0-1
texture              differences of every pixel and the next, across and down, added up and
                     divided by twice the number of pixels, 0-1
stripes_across       fraction of those differences that is down: 1 for stripes across, 0 for upright
"""

import numpy as np
import pandas as pd

INK = 32  # of 255; fainter pixels are noise
CHUNK = 5_000  # images at once: this bounds the memory


def measure(images: np.ndarray) -> pd.DataFrame:
    """Return the statistics of images, uint8 (n, 28, 28, 1): a row an image, a column each."""
    parts = [images[start : start + CHUNK] for start in range(0, len(images), CHUNK)]
    return pd.concat([_measure(part[..., 0] / np.float32(255)) for part in parts]).reset_index(
        drop=True
    )


def _measure(images: np.ndarray) -> pd.DataFrame:
    """Return the statistics of images (n, 28, 28) of values 0-1."""
    ink = images > INK / 255
    total = images.sum(axis=(1, 2))
    down, across = (np.abs(np.diff(images, axis=axis)).sum(axis=(1, 2)) for axis in (1, 2))
    return pd.DataFrame(
        {
            "brightness": images.mean(axis=(1, 2)),
            "contrast": images.std(axis=(1, 2)),
            "inked_area": ink.mean(axis=(1, 2)),
            "ink_brightness": ratio((images * ink).sum(axis=(1, 2)), ink.sum(axis=(1, 2))),
            "width": _extent(np.any(ink, axis=1)),
            "height": _extent(np.any(ink, axis=2)),
            "center_x": ratio(images.sum(axis=1) @ np.arange(images.shape[2]), total),
            "center_y": ratio(images.sum(axis=2) @ np.arange(images.shape[1]), total),
            "left_right_symmetry": likeness(images, images[:, :, ::-1]),
            "top_bottom_symmetry": likeness(images, images[:, ::-1]),
            "texture": (down + across) / (2 * images[0].size),
            "stripes_across": ratio(down, down + across),
        }
    )


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Divide, giving 0 where the whole is 0, as in an empty image."""
    return np.divide(part, whole, out=np.zeros(len(part), np.float64), where=whole > 0)


def _extent(inked: np.ndarray) -> np.ndarray:
    """Return how many places it is from the first true one to the last one of each row (n, 28)."""
    first, last = inked.argmax(axis=1), inked.shape[1] - inked[:, ::-1].argmax(axis=1)
    return np.where(inked.any(axis=1), last - first, 0)


def likeness(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return what two images (n, 28, 28) fraction of their ink, 0-1."""
    difference = np.abs(images - others).sum(axis=(1, 2))
    return 1 - ratio(difference, (images + others).sum(axis=(1, 2)))


def readable(name: str) -> str:
    """Return the name of a statistic, or of a verdict, as a text has it."""
    return name.replace("_", " ")


FLIP = 0.52  # jump of a label's fraction from which on it flips: see docs/log-meaning.md
TOO_FEW_SIMILAR = (
    "There are too few visually similar images to see whether any label flips between them"
)


def flips_in_words(pairs: list[dict]) -> list[str]:
    """Say where labels flip, an entry for each pair of labels that does."""
    return [threshold_in_words(found) for found in pairs if found["flips"]]


def threshold_in_words(found: dict) -> str:
    """Say at what threshold a pair of labels of metrics/label_flips.json parts."""
    at = f"{readable(found['statistic'])} {found['threshold']:.3g}"
    return f"{at} (labels {found['pair'].replace('-', ' and ')})"
