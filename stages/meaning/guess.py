"""Judge a person's five guesses in words by what the other stages found.

Reads   test images and labels, the groups inside each label (.npy), the verdict, the thresholds at
        which labels flip and what was revealed (JSON)
Does    looks for classes and image statistics in the words, and compares them with the label's
Writes  each guess with its evidence and how it stands (JSON), and a picture of them: mean image of
        the label and of its groups, and test images at random (PNG)

confirmed   the classes that it names are the label's, all of them and no others; the statistics
            that it names are those at a threshold of which the label flips, on whatever side; and
            it names one where labels follow statistics
refuted     not so
unchecked   it names neither, or too little is known of classes, thresholds or labels
"""

import json
import re
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array, save_json
from stages.common.params import read_params
from stages.common.pictures import NOTE, draw_image, fonts_for, save_figure
from stages.data.fashion_mnist import CLASSES
from stages.meaning.statistics import measure, readable, threshold_in_words

STATISTICS = tuple(map(readable, measure(np.zeros((1, 28, 28, 1), np.uint8))))
IN_A_ROW = 14  # images
MOST = 6  # mean images of groups among them


def named(words: str, names: tuple[str, ...]) -> set[str]:
    """Return which names the words hold, in singular or plural; a T-shirt is no shirt."""
    found = set()
    for name in sorted(names, key=len, reverse=True):
        pattern = re.sub(r"[- ]", "[- ]?", name)
        words, n = re.subn(rf"\b{pattern}(e?s)?\b", " ", words, flags=re.IGNORECASE)
        if n:
            found.add(name)
    return found


def flips_of(label: str, pairs: list[dict]) -> dict[str, str]:
    """Return the statistics at a threshold of which a label flips, each with all its thresholds.

    Args:
        pairs: of metrics/label_flips.json
    """
    flips: dict[str, str] = {}
    for found in pairs:
        if found["flips"] and label in found["pair"].split("-"):
            name, at = readable(found["statistic"]), threshold_in_words(found)
            flips[name] = f"{flips[name]}, {at}" if name in flips else f"flips at {at}"
    return flips


def judge(
    words: str, verdict: str, flips: dict[str, str] | None, true: set[str], skipped: str | None
) -> tuple[str, str]:
    """Return how a guess stands and why; the words for it are at the top of this file.

    Args:
        flips: as `flips_of` returns them; None where there are too few images to find any
        true: the classes of the label, none where they are not known
        skipped: why they are not
    """
    classes, statistics = named(words, CLASSES), named(words, STATISTICS)
    if not words.strip():
        return "unchecked", "no guess"
    if not classes | statistics:
        return "unchecked", "it names no class and no image statistic"
    sought, flips, against = flips is not None, flips or {}, []
    if sought and (wrong := sorted(statistics - set(flips))):
        against.append(f"the label does not flip at a threshold of {', '.join(wrong)}")
    elif flips and not statistics:
        against.append(f"the label {'; '.join(flips.values())}")
    elif verdict == "image_statistic" and not statistics:
        against.append("the labels follow image statistics")
    if classes and true and classes != true:
        against.append(f"the label holds {', '.join(sorted(true))}")
    if against:
        return "refuted", "; ".join(against)
    if verdict == "no_structure":
        return "unchecked", "labels are no better predicted than by chance"
    if statistics and not sought:
        return "unchecked", "there are too few images to see whether labels flip"
    if classes and not true:
        return "unchecked", skipped or "the label has no test images"
    reasons = [flips[name] for name in sorted(statistics)]
    return "confirmed", f"the label {'; '.join(reasons + ['holds these alone'] * bool(classes))}"


def draw(rows: list[tuple[str, list[np.ndarray], list[str]]], fonts: list[str]) -> Figure:
    """Draw a row for each label: a line of text, and below it images with their captions.

    Args:
        rows: a text, images (28, 28, 1), at most `IN_A_ROW`, and a caption for each
        fonts: names of those that the texts need
    """
    figure = Figure(figsize=(6.3, 0.8 * len(rows)), layout="constrained")
    for ax, (text, images, captions) in zip(figure.subplots(len(rows)), rows, strict=True):
        sheet = np.zeros((28, 32 * IN_A_ROW))
        for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
            sheet[:, 32 * place : 32 * place + 28] = image[..., 0]
            ax.text(32 * place + 14, 30, caption, fontsize=6.5, ha="center", va="top")
        draw_image(ax, sheet)
        # A person's words may hold a dollar sign, which is no formula.
        lines = "\n".join(textwrap.wrap(text, NOTE))
        ax.set_title(lines, fontsize=8.5, loc="left", pad=3, parse_math=False, family=fonts)
    return figure


def show(
    images: np.ndarray, groups: np.ndarray, rng: np.random.Generator
) -> tuple[list[np.ndarray], list[str]]:
    """Return what to show of a label, and captions: means of all and of its groups, then images.

    Args:
        images: the label's test images (n, 28, 28, 1)
        groups: the group of each, numbered from 0, (n,)
    """
    if not len(images):
        return [], []
    sizes = np.bincount(groups)
    means = [images[groups == group].mean(axis=0) for group in np.flatnonzero(sizes)]
    shown, captions = [images.mean(axis=0)], ["mean"]
    if len(means) > 1:
        shown += means[:MOST]
        captions += [f"group {group}" for group in np.flatnonzero(sizes)[:MOST]]
    at_random = rng.permutation(len(images))[: IN_A_ROW - len(shown)]
    return [*shown, *images[at_random]], captions + [""] * len(at_random)


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
    images = load_array(images_path, IMAGES)
    labels, groups = (load_array(path, LABELS, len(images)) for path in (labels_path, groups_path))
    verdict, flips, revealed = (
        json.loads(path.read_text("utf-8")) for path in (of_interpret, of_flips, of_reveal)
    )
    guesses, rows, sought = {}, [], flips["similar_accuracy"] is not None
    rng = np.random.default_rng(params["guess"]["seed"])
    for label, words in enumerate(params["guess"]["words"]):
        name, inside = str(label), labels == label
        of_label = flips_of(name, flips["pairs"])
        classes = set(revealed["classes"].get(name) or [])
        found = (of_label if sought else None, classes, revealed["skipped"])
        standing, why = judge(words, verdict["verdict"], *found)
        sizes = np.bincount(groups[inside])
        fractions = ", ".join(f"{size / sizes.sum():.0%}" for size in sizes) or "no test images"
        n_groups = verdict["groups"].get(name, 0)
        evidence = [f"groups that look different: {n_groups} ({fractions})", *of_label.values()]
        agreement = revealed["adjusted_mutual_info"].get(name)
        if agreement is not None:
            evidence.append(f"agreement of groups with classes: {agreement:z.2f}")
        guesses[name] = {"guess": words, "standing": standing, "why": why}
        guesses[name]["evidence"] = "; ".join(evidence)
        print(f"guess: label {label}: {standing}: {why}")
        text = f"Label {label}: {words or 'no guess'} ({standing})"
        rows.append((text, *show(images[inside], groups[inside], rng)))
    save_json(metrics, guesses)
    fonts = fonts_for(" ".join(params["guess"]["words"]))
    save_figure(draw(rows, list(fonts)), picture)


if __name__ == "__main__":
    run(main)
