"""Look for thresholds of image statistics at which labels flip between images that are alike.

Reads   training images and labels, the groups inside each label (.npy)
Does    follows each statistic through the images of any two labels, whole and group by group
Writes  the sharpest jump between any two labels (JSON), a table of them (PNG)

Kinds of garment differ in statistics, too, but little by little, or with hardly any image in
between. A label that was given by a statistic flips at a threshold where images lie as dense as
elsewhere: a regression discontinuity (Thistlethwaite and Campbell 1960).

jump        how sharply the label changes, 0: not at all, 1: from none to all; see `sharpest_jump`
statistic   along which, and `threshold` where; null where there is none
flips       whether the jump is at least `FLIP`
"""

import textwrap
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from common.command import run
from common.files import save_json
from common.params import read_params
from common.pictures import save_figure
from common.statistics import in_words, measure, threshold_in_words

FLIP = 0.8
DENSE = 0.25  # of the usual density of images, where a jump counts
WINDOW = 0.01  # share of the images on each side of a threshold that are looked at...
FEWEST = 20  # ... and how many at least


def sharpest_jump(values: np.ndarray, second: np.ndarray, seed: int) -> tuple[float, float]:
    """Find where the share of the second of two labels jumps most along a statistic.

    The jump is the change of that share from the window just below a threshold to the one just
    above, less the changes from these to the next windows outwards: 1 for a flip, 0 and less where
    the share changes evenly. Thresholds where images are sparse are left out, see `DENSE`.

    Args:
        values: the statistic of images of two labels, (n,)
        second: whether they have the second label, (n,)
        seed: of the order of equal values, which are spread evenly up to the next value

    Returns:
        the jump, 0-1, and its threshold; 0 and nan where there is none
    """
    distinct, place = np.unique(values, return_inverse=True)
    size = max(FEWEST, round(WINDOW * len(values)))
    if len(distinct) < 2 or len(values) < 4 * size:
        return 0.0, np.nan
    gaps = np.diff(distinct, append=2 * distinct[-1] - distinct[-2])
    spread = values + np.random.default_rng(seed).random(len(values)) * gaps[place]
    order = np.argsort(spread)
    values, spread, n = values[order], spread[order], len(values)
    sums = np.concatenate([[0], np.cumsum(second[order])])
    at = np.arange(2 * size, n - 2 * size + 1)  # the first row above a threshold
    at = at[values[at - 1] < values[at]]
    widths = spread[2 * size - 1 :] - spread[: n - 2 * size + 1]  # of two windows side by side
    at = at[widths[at - size] * DENSE <= np.median(widths)]
    if len(at) == 0:
        return 0.0, np.nan
    before, below, above, after = (
        (sums[at + (step + 1) * size] - sums[at + step * size]) / size for step in (-2, -1, 0, 1)
    )
    jumps = np.abs(above - below) - np.abs(below - before) - np.abs(after - above)
    best = jumps.argmax()
    return max(0.0, float(jumps[best])), float((values[at[best] - 1] + values[at[best]]) / 2)


def link(statistics: pd.DataFrame, first: list, second: list, seed: int) -> dict:
    """Find the sharpest jump between two labels: along any statistic, as a whole or by groups.

    Args:
        statistics: of all images
        first, second: rows of each label's groups, and of the whole label

    Returns:
        jump, statistic and threshold (null where there is none); flips: whether the jump is one
    """
    found = [{"jump": 0.0, "statistic": None, "threshold": None}]
    for one, other in product(first, second):
        if min(len(one), len(other)) < 5 * FEWEST:
            continue
        rows = np.concatenate([one, other])
        is_second = np.arange(len(rows)) >= len(one)
        for name in statistics:
            jump, threshold = sharpest_jump(statistics[name].to_numpy()[rows], is_second, seed)
            found.append({"jump": jump, "statistic": name, "threshold": threshold})
    best = max(found, key=lambda cut: cut["jump"])
    return best | {"flips": best["jump"] >= FLIP}


def say(pairs: dict[str, dict]) -> str:
    """Say in a sentence between which labels the label flips."""
    flips = [threshold_in_words(*item) for item in pairs.items() if item[1]["flips"]]
    if not flips:
        return "Between no two labels does the label flip at a threshold of an image statistic."
    return f"Between images that are alike the label flips at {', '.join(flips)}."


def draw(pairs: dict[str, dict]) -> Figure:
    """Draw the sharpest jump between any two labels as a table, above a sentence on them."""
    labels = sorted({label for pair in pairs for label in pair.split("-")})
    jumps = np.full((len(labels), len(labels)), np.nan)
    figure = Figure(figsize=(6.3, 3.8), layout="constrained")
    ax = figure.subplots()
    for pair, found in pairs.items():
        column, row = (labels.index(label) for label in pair.split("-"))
        jumps[row, column] = found["jump"]
        at = f"\n{in_words(found['statistic'])}\n{found['threshold']:.3g}" if found["jump"] else ""
        color = "white" if found["jump"] > 0.6 else "black"
        place = {"ha": "center", "va": "center", "fontsize": 7, "color": color}
        ax.text(column, row, f"{found['jump']:.2f}{at}", **place)
    ax.imshow(jumps, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set_xlim(-0.5, len(labels) - 1.5)
    ax.set_ylim(len(labels) - 0.5, 0.5)
    ax.set_xticks(range(len(labels) - 1), labels[:-1], fontsize=7)
    ax.set_yticks(range(1, len(labels)), labels[1:], fontsize=7)
    ax.set_ylabel("label", fontsize=8)
    ax.set_xlabel("\n".join(["label", "", *textwrap.wrap(say(pairs), 95)]), fontsize=7.5)
    ax.set_title("Sharpest jump between any two labels, and where it is", fontsize=9)
    ax.spines[["top", "right"]].set_visible(False)
    return figure


def main(images: Path, labels_path: Path, groups_path: Path, metrics: Path, picture: Path) -> None:
    params = read_params()
    seed = params["label_flips"]["seed"]
    statistics, labels, groups = (
        measure(np.load(images)),
        np.load(labels_path),
        np.load(groups_path),
    )
    parts = {}
    for label in np.unique(labels):
        whole = np.flatnonzero(labels == label)
        of_label = [whole[groups[whole] == group] for group in np.unique(groups[whole])]
        parts[label] = [whole, *of_label] if len(of_label) > 1 else [whole]
    pairs = {}
    for first, second in combinations(parts, 2):
        found = pairs[f"{first}-{second}"] = link(statistics, parts[first], parts[second], seed)
        print(f"label_flips: {first} and {second}: a jump of {found['jump']:.2f}", flush=True)
    save_json(metrics, pairs)
    save_figure(draw(pairs), picture)


if __name__ == "__main__":
    run(main)
