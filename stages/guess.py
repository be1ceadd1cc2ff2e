"""Judge a person's five guesses in words by what the other stages found.

Reads   test images and labels, the groups inside each label (.npy), the verdict and what was
        revealed (JSON)
Does    looks for garments and image statistics in the words, and compares them with the label's
Writes  each guess with its evidence and how it stands (JSON), and a picture of them (PNG)

confirmed   the guess names the label's garments, all of them and no others; or, where the label
            flips at a threshold of a statistic, that statistic
refuted     it does not
unchecked   it names neither, or nothing is known of the garments
"""

import json
import re
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from common.command import run
from common.fashion_mnist import GARMENTS
from common.files import save_json
from common.params import read_params
from common.pictures import draw_image, save_figure
from common.statistics import in_words, measure, threshold_in_words

SMALLEST = 0.02  # share of a label's images that a garment has at least to count
MEANS = 4  # mean images of groups shown, the largest groups'
STATISTICS = tuple(map(in_words, measure(np.zeros((1, 28, 28, 1), np.uint8))))


def named(words: str, names: tuple[str, ...]) -> set[str]:
    """Return which names the words hold, in singular or plural; a T-shirt is no shirt."""
    found = set()
    for name in sorted(names, key=len, reverse=True):
        pattern = re.sub(r"[- ]", "[- ]?", name)
        words, n = re.subn(rf"\b{pattern}(e?s)?\b", " ", words, flags=re.IGNORECASE)
        if n:
            found.add(name)
    return found


def flips_of(label: str, pairs: dict[str, dict]) -> dict[str, str]:
    """Return the statistics at a threshold of which a label flips, each with words on it."""
    return {
        in_words(found["statistic"]): f"flips at {threshold_in_words(pair, found)}"
        for pair, found in pairs.items()
        if found["flips"] and label in pair.split("-")
    }


def garments_of(label: str, revealed: dict) -> set[str]:
    """Return the garments that a label holds, or none where there was nothing to reveal."""
    counts = revealed["garments"].get(label) or {}
    return {name for name, n in counts.items() if n >= SMALLEST * sum(counts.values())}


def judge(
    words: str, verdict: str, flips: dict[str, str], true: set[str], skipped: str | None
) -> tuple[str, str]:
    """Return how a guess stands and why; the words for it are at the top of this file.

    Args:
        flips: as `flips_of` returns them
        true: the garments of the label, none where they are not known
        skipped: why they are not
    """
    garments, statistics = named(words, GARMENTS), named(words, STATISTICS)
    if verdict == "no_structure":
        return "refuted", "labels are no better predicted than chance"
    if not garments | statistics:
        return "unchecked", "it names no garment and no image statistic"
    if wrong := sorted(statistics - set(flips)):
        return "refuted", f"the label does not flip at a threshold of {', '.join(wrong)}"
    if flips and not statistics:
        return "refuted", f"the label {'; '.join(flips.values())}"
    if verdict == "image_statistic" or not garments:
        return "confirmed", f"the label {'; '.join(flips.values())}"
    if not true:
        return "unchecked", skipped or "the label has no test images"
    if garments != true:
        return "refuted", f"the label holds {', '.join(sorted(true))}"
    return "confirmed", "the label holds these and no others"


def draw(rows: list[tuple[str, list[np.ndarray]]]) -> Figure:
    """Draw a row for each label: the mean images of its groups, and a text beside them.

    Args:
        rows: text and mean images, each (28, 28, 1)
    """
    figure = Figure(figsize=(6.3, 0.3 + 0.85 * len(rows)), layout="constrained")
    figure.suptitle("Five guesses, beside the mean images of each label's groups", fontsize=9)
    grid = figure.add_gridspec(len(rows), MEANS + 6)
    for row, (text, means) in enumerate(rows):
        for column in range(MEANS):
            ax = figure.add_subplot(grid[row, column])
            ax.axis("off")
            if column < len(means):
                draw_image(ax, means[column])
        ax = figure.add_subplot(grid[row, MEANS:])
        ax.axis("off")
        ax.text(0, 0.5, text, va="center", fontsize=7.5)
    return figure


def main(
    images_path: Path,
    labels_path: Path,
    groups_path: Path,
    of_interpret: Path,
    of_flips: Path,
    of_reveal: Path,
    metrics: Path,
    picture: Path,
) -> None:
    params = read_params()
    images, labels, groups = np.load(images_path), np.load(labels_path), np.load(groups_path)
    verdict, pairs, revealed = (
        json.loads(path.read_text()) for path in (of_interpret, of_flips, of_reveal)
    )
    guesses, rows = {}, []
    for label, words in enumerate(params["guess"]["words"]):
        name, inside = str(label), labels == label
        flips = flips_of(name, pairs)
        standing, why = judge(
            words, verdict["verdict"], flips, garments_of(name, revealed), revealed["skipped"]
        )
        sizes = np.bincount(groups[inside])
        shares = ", ".join(f"{share:.0%}" for share in sizes / sizes.sum())
        evidence = "; ".join(
            [f"groups that look different: {len(sizes)} ({shares})", *flips.values()]
        )
        guesses[name] = {"guess": words, "standing": standing, "why": why, "evidence": evidence}
        print(f"guess: label {label}, {words}: {standing}: {why}")
        lines = [f"Label {label}: {words or 'no guess'}", f"{standing}: {why}", evidence]
        text = "\n".join(part for line in lines for part in textwrap.wrap(line, 60))
        means = [
            images[inside & (groups == group)].mean(axis=0)
            for group in np.flatnonzero(sizes)[:MEANS]
        ]
        rows.append((text, means))
    save_json(metrics, guesses)
    save_figure(draw(rows), picture)


if __name__ == "__main__":
    run(main)
