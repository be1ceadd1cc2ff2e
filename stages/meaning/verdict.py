"""The rules of the verdict on the labels, the first that holds, and how far its figures are beyond
their bounds.

no_structure     neither the network nor the tree predicts labels better than the most frequent
                 label does: binomial test, p of `CHANCE` and more
image_statistic  the tree is as accurate as the network, and labels flip between visually similar
                 images; or the labels are ordered, as bins of a property are, and no image
                 statistic parts them exactly in each visual class, and by `MORE` better than the
                 tree does over all images; or there are too few training images to tell, and the
                 accuracy of the tree is at least `ENOUGH`
mixed            labels flip between visually similar images
visual_groups    otherwise

So where groups and properties both predict the labels, groups win unless labels flip or are
ordered: properties differ between classes anyhow. The bounds were fixed on labels that were made
up, see docs/log-meaning.md.
"""

import numpy as np
from scipy.stats import binom

from stages.meaning.statistics import FLIP

CHANCE = 0.001
ENOUGH = 0.96
MORE = 0.05  # accuracy in visual classes above that over all images
MIXED = 0.7  # fraction of the images in clusters of several labels from which on labels are ordered
CREDIT = 0.05  # less of it for each 1 that `linked` is above 1
EXACT = 0.92  # accuracy, of labels that are not wrong at random, from which on a rule is exact
STRENGTHS = {"narrow": 0.1, "fair": 0.25, "clear": 1.0}  # margins up to which they are called so


def decide(holds: dict[str, bool | None]) -> str:
    """Return the verdict where what holds is known; names as of `measure_margins`."""
    if not holds["structure"]:
        return "no_structure"
    if holds["flips"] is not False and holds["tree"]:
        return "image_statistic"
    if holds["ordered"] and not holds["exact"]:
        return "image_statistic"
    return "mixed" if holds["flips"] else "visual_groups"


def margin(figure: float, bound: float) -> float:
    """Return how far a figure is beyond its bound, -1 to 1: 1 - smaller / larger, of both."""
    larger = max(abs(figure), abs(bound))
    return float(np.clip((figure - bound) / larger, -1, 1)) if larger else 0.0


def order_margin(linked: float, mixed: float) -> float:
    """Return how far labels are beyond being ordered; see label_order.py for the figures."""
    return min(margin(linked, 1), margin(mixed + CREDIT * (linked - 1), MIXED))


def exact_margin(exactness: float, random_labels: float) -> float:
    """Return how far a rule is beyond being exact, but for labels that are wrong at random."""
    reached = exactness / (1 - random_labels) if random_labels < 1 else 0.0
    return margin(1 - EXACT, 1 - min(1.0, reached))


def measure_margins(n: int, accuracies: dict, jump: float | None, order: dict) -> dict:
    """Return how far each figure that decides is beyond its bound; 0 and more where it holds.

    Accuracies are held against each other by their errors, 1 - accuracy; `structure` by the right
    images beyond those of the most frequent label.

    structure  labels are predicted better than by chance
    flips      a label flips between visually similar images; None: too few images to tell
    tree       the tree is as accurate as the network, or, with too few images, as `ENOUGH`
    ordered    labels are ordered
    exact      a statistic parts labels in each visual class exactly, and better than the tree

    Args:
        n: validation images
        accuracies: of `majority`, `tree` and `network`
        jump: the sharpest of metrics/label_flips.json, None if there are too few images
        order: what metrics/label_order.json holds
    """
    majority, tree, network = (accuracies[name] for name in ("majority", "tree", "network"))
    right = round(n * max(tree, network)) - 0.5  # so that it is never the bound
    wrong = 1 - (ENOUGH if jump is None else network)
    more = margin(order["exactness"] - tree, MORE)
    return {
        "structure": margin(right - n * majority, binom.isf(CHANCE, n, majority) - n * majority),
        "flips": None if jump is None else margin(jump, FLIP),
        "tree": margin(wrong, 1 - tree),
        "ordered": order_margin(order["linked"], order["mixed"]),
        "exact": min(exact_margin(order["exactness"], order["random_labels"]), more),
    }


def find_strength(margins: dict[str, float | None]) -> tuple[str, float, str, str]:
    """Return the verdict, its strength, 0-1, and the figure that is nearest to turning it.

    The strength is the margin of that figure: the smallest of those that would give another
    verdict if they alone were on the other side of their bound.

    Returns:
        the verdict, its strength, the name of the figure, the other verdict
    """
    holds = {name: None if value is None else value >= 0 for name, value in margins.items()}
    verdict, turns = decide(holds), []
    for name, value in margins.items():
        other = decide(holds | {name: not holds[name]})
        if value is not None and other != verdict:
            turns.append((abs(value), name, other))
    return verdict, *min(turns)


def strength_in_words(strength: float) -> str:
    """Return what a strength, 0-1, is called: narrow, fair or clear."""
    return next(word for word, most in STRENGTHS.items() if strength <= most)
