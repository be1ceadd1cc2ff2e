"""Forty-one properties of an image that may explain a label: the twelve of statistics.py and these.

Most are scikit-image's (van der Walt and others 2014), of the ink as one region or of all greys.

elongation           eccentricity of the ellipse that has the ink's second moments, 0-1
tilt                 angle of its long axis from upright, in degrees, -90 to 90
long_axis, short_axis  of that ellipse, in pixels
extent               ink's fraction of the smallest box around it, 0-1
solidity             ink's fraction of its convex hull, 0-1
outline              perimeter of the ink, in pixels
hole_area            pixels that the ink encloses
euler_number         number of the ink's parts less that of its holes
local_contrast, local_homogeneity, local_energy, local_correlation
                     of the co-occurrence of sixteen greys in pixels side by side, and one above
                     the other (Haralick and others 1973)
entropy              of the greys (Shannon 1948), in bits, 0-8
otsu_threshold       grey that best parts dark from bright (Otsu 1979), 0-1
ink_darkest, ink_median, ink_brightest  10th, 50th and 90th percentile of the ink's greys, 0-1
bright_area          fraction of the pixels above seven eighths of white, 0-1
top_fraction, left_fraction, middle_fraction
                     fraction of the brightness in the top half, in the left half, and in the
                     middle 14 by 14 pixels, 0-1
half_turn_symmetry   how similar the image and its half turn are, 0-1
diagonality          whether edges run along one diagonal, -1, or the other, 1
top_width, waist_width, bottom_width
                     ink a row in the top, middle and bottom third, in pixels, 0-28
spread_x, spread_y   standard deviation of the brightness' place, across and down, in pixels
"""

import numpy as np
import pandas as pd
from scipy.special import entr
from skimage.feature import graycomatrix, graycoprops
from skimage.filters import threshold_otsu
from skimage.measure import regionprops_table

from stages.meaning.statistics import CHUNK, INK, likeness, measure, ratio

GREYS = 16  # of the co-occurrence
BRIGHT = 224  # of 255
REGION = (  # what scikit-image measures of the ink
    "eccentricity",
    "orientation",
    "axis_major_length",
    "axis_minor_length",
    "extent",
    "solidity",
    "perimeter",
    "euler_number",
    "area",
    "area_filled",
)
FAMILY = 0.8  # rank correlation of properties that are told as one


def measure_properties(images: np.ndarray) -> pd.DataFrame:
    """Return the properties of images, uint8 (n, 28, 28, 1): a row an image, a column each."""
    parts = [images[start : start + CHUNK, ..., 0] for start in range(0, len(images), CHUNK)]
    further = [
        pd.concat([of_region(part), of_greys(part), of_places(part)], axis=1) for part in parts
    ]
    return pd.concat([measure(images), pd.concat(further, ignore_index=True)], axis=1)


def of_region(images: np.ndarray) -> pd.DataFrame:
    """Measure the ink of images, uint8 (n, 28, 28), as one region each; 0 where there is none."""
    numbers = np.arange(1, len(images) + 1)
    regions = (images > INK) * numbers[:, None, None]  # side by side on one sheet
    table = regionprops_table(regions.reshape(-1, images.shape[2]), properties=("label", *REGION))
    found = pd.DataFrame(table).set_index("label").reindex(numbers, fill_value=0)
    found = found.reset_index(drop=True)
    return pd.DataFrame(
        {
            "elongation": found["eccentricity"],
            "tilt": np.degrees(found["orientation"]),
            "long_axis": found["axis_major_length"],
            "short_axis": found["axis_minor_length"],
            "extent": found["extent"],
            "solidity": found["solidity"],
            "outline": found["perimeter"],
            "hole_area": found["area_filled"] - found["area"],
            "euler_number": found["euler_number"],
        }
    )


def of_greys(images: np.ndarray) -> pd.DataFrame:
    """Measure which greys images, uint8 (n, 28, 28), have, and which lie side by side."""
    options = {"levels": GREYS, "symmetric": True, "normed": True}
    pairs = [
        graycomatrix(image // (256 // GREYS), [1], [0, np.pi / 2], **options) for image in images
    ]
    together = np.concatenate(pairs, axis=2)  # an image in place of a distance
    names = ("contrast", "homogeneity", "energy", "correlation")
    histograms = np.stack([np.bincount(image.ravel(), minlength=256) for image in images])
    inks = np.where(images > INK, images / 255, np.nan).reshape(len(images), -1)
    inks[np.isnan(inks).all(axis=1)] = 0
    darkest, median, brightest = np.nanpercentile(inks, (10, 50, 90), axis=1)
    return pd.DataFrame(
        {f"local_{name}": graycoprops(together, name).mean(axis=1) for name in names}
        | {
            "entropy": entr(histograms / images[0].size).sum(axis=1) / np.log(2),
            "otsu_threshold": [threshold_otsu(image) / 255 for image in images],
            "ink_darkest": darkest,
            "ink_median": median,
            "ink_brightest": brightest,
            "bright_area": (images > BRIGHT).mean(axis=(1, 2)),
        }
    )


def of_places(images: np.ndarray) -> pd.DataFrame:
    """Measure where the brightness of images, uint8 (n, 28, 28), lies."""
    values = images / np.float32(255)
    total = values.sum(axis=(1, 2))
    across, down = np.diff(values, axis=2)[:, :-1], np.diff(values, axis=1)[:, :, :-1]
    widths = (images > INK).sum(axis=2)
    return pd.DataFrame(
        {
            "top_fraction": ratio(values[:, :14].sum(axis=(1, 2)), total),
            "left_fraction": ratio(values[:, :, :14].sum(axis=(1, 2)), total),
            "middle_fraction": ratio(values[:, 7:21, 7:21].sum(axis=(1, 2)), total),
            "half_turn_symmetry": likeness(values, values[:, ::-1, ::-1]),
            "diagonality": ratio(
                2 * (across * down).sum(axis=(1, 2)), (across**2 + down**2).sum(axis=(1, 2))
            ),
            "top_width": widths[:, :9].mean(axis=1),
            "waist_width": widths[:, 9:19].mean(axis=1),
            "bottom_width": widths[:, 19:].mean(axis=1),
            "spread_x": _spread(values.sum(axis=1)),
            "spread_y": _spread(values.sum(axis=2)),
        }
    )


def _spread(profiles: np.ndarray) -> np.ndarray:
    """Return the standard deviation of the place in profiles (n, 28) of brightness."""
    places, total = np.arange(profiles.shape[1]), profiles.sum(axis=1)
    mean = ratio(profiles @ places, total)
    return np.sqrt(ratio((profiles * (places - mean[:, None]) ** 2).sum(axis=1), total))


def family_of(name: str, properties: pd.DataFrame) -> list[str]:
    """Return the properties that hardly differ from one: rank correlations of `FAMILY` and more."""
    alike = rank_correlations(properties, properties[name]).abs().drop(name)
    return list(alike[alike >= FAMILY].sort_values(ascending=False, kind="stable").index)


def rank_correlations(properties: pd.DataFrame, values: pd.Series | np.ndarray) -> pd.Series:
    """Return Spearman's rank correlation of each property (n, k) with values (n,).

    0 where either is constant.
    """
    differs = (properties.nunique() > 1) & (len(np.unique(values)) > 1)
    found = properties.loc[:, differs].corrwith(pd.Series(values), method="spearman")
    return found.reindex(properties.columns, fill_value=0.0)


PROPERTIES = tuple(measure_properties(np.zeros((1, 28, 28, 1), np.uint8)))  # their names
