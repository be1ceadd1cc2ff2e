"""Say what the labels follow: kinds of picture, a property of pictures, both, or nothing.

Reads   validation labels (.npy); what is known of the improved network, of trees on image
        statistics, of groups inside labels and of thresholds at which labels flip (JSON)
Does    weighs them against each other
Writes  the verdict and the figures behind it (JSON), a picture of them (PNG)

The first of these that holds is the verdict; accuracies are of the validation images:

no_structure     neither the network nor the tree predicts labels better than the most frequent
                 label does: binomial test, p of `CHANCE` and more
visual_groups    between no two labels does the label flip
image_statistic  the tree is right for `ENOUGH` of the images
mixed            otherwise

So where groups and statistics both predict the labels, groups win unless labels flip: statistics
differ between kinds of garment anyhow.
"""

import json
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import binomtest

from common.command import run
from common.files import save_json
from common.pictures import save_figure
from common.statistics import in_words, threshold_in_words

CHANCE = 0.001
ENOUGH = 0.96
PREDICTORS = {  # and what they are called in words
    "majority": "the most frequent label",
    "tree": "a small tree on image statistics",
    "network": "the improved network",
}


def decide(p: float, pairs: dict[str, dict], tree_accuracy: float) -> str:
    """Return the verdict by the rules at the top of this file.

    Args:
        p: of labels being predicted no better than the most frequent label does
        pairs: metrics/label_flips.json
    """
    if p >= CHANCE:
        return "no_structure"
    if not any(found["flips"] for found in pairs.values()):
        return "visual_groups"
    return "image_statistic" if tree_accuracy >= ENOUGH else "mixed"


def say(verdict: str, groups: dict[str, int], pairs: dict[str, dict]) -> str:
    """Say in a sentence or two why this is the verdict.

    Args:
        groups: how many were found in each label
        pairs: metrics/label_flips.json
    """
    flips = ", ".join(threshold_in_words(*item) for item in pairs.items() if item[1]["flips"])
    sharpest = max(found["jump"] for found in pairs.values())
    looks = "Groups that look different: " + ", ".join(
        f"{n} in label {label}" for label, n in groups.items()
    )
    return {
        "no_structure": "That is no better than chance: the labels follow nothing that can be seen"
        " in the pictures.",
        "visual_groups": "Between no two labels does the label flip at a threshold of a statistic"
        f" (sharpest jump: {sharpest:.2f} of 1): the labels follow kinds of picture. {looks}.",
        "image_statistic": "The labels follow statistics of the pictures: between images that are"
        f" alike the label flips at {flips}.",
        "mixed": "Some labels follow statistics of the pictures: between images that are alike the"
        f" label flips at {flips}. The rest follows kinds of picture. {looks}.",
    }[verdict]


def draw(verdict: str, because: str, accuracies: dict[str, float]) -> Figure:
    """Draw how well the labels are predicted, with the verdict and its reasons."""
    lines = textwrap.wrap(because, 95)
    figure = Figure(figsize=(6.3, 1.5 + 0.15 * len(lines)), layout="constrained")
    ax = figure.subplots()
    bars = ax.barh([PREDICTORS[name] for name in accuracies], accuracies.values(), color="#56b4e9")
    ax.bar_label(bars, fmt="%.3f", padding=3, fontsize=8)
    ax.set_xlim(0, 1.1)
    ax.tick_params(labelsize=8)
    ax.set_xlabel("accuracy on validation images", fontsize=8)
    figure.supxlabel("\n".join(lines), fontsize=7.5)
    ax.set_title(f"Verdict on the labels: {in_words(verdict)}", fontsize=9)
    return figure


def main(
    y_valid: Path,
    of_network: Path,
    of_statistics: Path,
    of_groups: Path,
    of_flips: Path,
    metrics: Path,
    picture: Path,
) -> None:
    network, statistics, groups, pairs = (
        json.loads(path.read_text()) for path in (of_network, of_statistics, of_groups, of_flips)
    )
    accuracies = {
        "majority": statistics["majority"]["valid_accuracy"],
        "tree": statistics["tree"]["valid_accuracy"],
        "network": network["validation_accuracy"],
    }
    n = len(np.load(y_valid))
    right = round(n * max(accuracies["network"], accuracies["tree"]))
    p = binomtest(right, n, accuracies["majority"], alternative="greater").pvalue
    numbers = {label: found["n"] for label, found in groups.items()}
    verdict = decide(p, pairs, accuracies["tree"])
    because = say(verdict, numbers, pairs)
    print(f"interpret: {verdict}. {because}")
    save_json(
        metrics,
        {"verdict": verdict, "because": because, "groups": numbers, "chance_p": p}
        | {f"{name}_accuracy": accuracy for name, accuracy in accuracies.items()},
    )
    save_figure(draw(verdict, because, accuracies), picture)


if __name__ == "__main__":
    run(main)
