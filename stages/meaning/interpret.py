"""Say what the labels follow: visual classes, a property of images, both, or nothing.

Reads   validation labels (.npy); what is known of the improved network and of thresholds at
        which labels flip (JSON), of trees on image statistics and of groups inside labels (CSV)
Does    decides by these rules, the first that holds; accuracies are of the validation images

no_structure     neither the network nor the tree predicts labels better than the most frequent
                 label does: binomial test, p of `CHANCE` and more
image_statistic  the tree is right for `ENOUGH` of the images, and labels flip between visually
                 similar images (or there are too few training images to find any)
mixed            labels flip between visually similar images
visual_groups    otherwise

So where groups and statistics both predict the labels, groups win unless labels flip: statistics
differ between classes anyhow.

Writes  the verdict, and with the figures behind it (JSON), a picture of them (PNG)

chance_p            of that test
majority_accuracy   of the most frequent label; so tree_accuracy and network_accuracy, and
                    similar_accuracy: of the most frequent label among visually similar
                    images, what an image's look alone tells (training images)
groups              found in each label
"""

import json
import textwrap
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from scipy.stats import binomtest

from stages.common.command import run
from stages.common.files import LABELS, load_array, save_json
from stages.common.pictures import NOTE, save_figure
from stages.meaning.statistics import FLIP, TOO_FEW_SIMILAR, flips_in_words, readable

CHANCE = 0.001
ENOUGH = 0.96
PREDICTORS = {  # and what they are called in words
    "majority": "the most frequent label",
    "tree": "a tree of eight leaves on image statistics",
    "similar": "the most frequent label of visually similar images",
    "network": "the improved network",
}


def decide(p: float, flips: bool | None, tree_accuracy: float) -> str:
    """Return the verdict by the rules at the top of this file.

    Args:
        p: of labels being predicted no better than the most frequent label does
        flips: whether any label flips between visually similar images; None: too few images to tell
    """
    if p >= CHANCE:
        return "no_structure"
    if flips is not False and tree_accuracy >= ENOUGH:
        return "image_statistic"
    return "mixed" if flips else "visual_groups"


def say(verdict: str, groups: dict[str, int], pairs: list[dict], n: int) -> str:
    """Say in a sentence or two why this is the verdict.

    Args:
        groups: how many were found in each label
        pairs: of metrics/label_flips.json
        n: validation images
    """
    flips = ", ".join(flips_in_words(pairs))
    jumps = [found["jump"] for found in pairs if found["jump"] is not None]
    no_flip = (
        f"Of the {len(pairs)} pairs of labels {len(jumps)} share enough visually similar images to"
        " look for thresholds. At none of an image statistic does one label switch to the other:"
        f" the sharpest jump of its fraction is {max(jumps):.2f}, where 1 is a clean switch and"
        f" {FLIP} counts as one."
        if jumps
        else f"{TOO_FEW_SIMILAR}."
    )
    looks = "Groups that look different: " + ", ".join(
        f"{number} in label {label}" for label, number in groups.items()
    )
    return {
        "no_structure": f"As far as {n:,} validation images can tell, labels are no better"
        " predicted than by chance: they follow nothing that can be seen in the images.",
        "visual_groups": f"{no_flip} So the labels follow visual classes. {looks}.",
        "image_statistic": "The labels follow image statistics, as a tree of eight leaves can tell."
        + (f" Between visually similar images the label flips at {flips}." if flips else ""),
        "mixed": "Some labels follow image statistics: between visually similar images"
        f" the label flips at {flips}. The others follow visual classes. {looks}.",
    }[verdict]


def draw(verdict: str, because: str, accuracies: dict[str, float | None]) -> Figure:
    """Draw how well the labels are predicted, with the verdict and its reasons."""
    lines = textwrap.wrap(because, NOTE)
    figure = Figure(figsize=(6.3, 1.7 + 0.15 * len(lines)), layout="constrained")
    ax = figure.subplots()
    known = {PREDICTORS[name]: value for name, value in accuracies.items() if value is not None}
    bars = ax.barh(list(known), list(known.values()), color="#56b4e9")
    ax.bar_label(bars, fmt="%.3f", padding=3, fontsize=9)
    ax.set_xlim(0, 1.1)
    ax.tick_params(labelsize=9)
    ax.set_xlabel("fraction of the labels that is predicted right", fontsize=9)
    figure.supxlabel("\n".join(lines), fontsize=8.5)
    ax.set_title(f"Verdict on the labels: {readable(verdict)}", fontsize=10)
    return figure


def main(
    y_valid: Path,
    of_network: Path,
    of_statistics: Path,
    of_groups: Path,
    of_flips: Path,
    metrics: Path,
    reasons: Path,
    picture: Path,
) -> None:
    network, flips = (json.loads(path.read_text("utf-8")) for path in (of_network, of_flips))
    statistics = pd.read_csv(of_statistics, index_col="predictor")["valid_accuracy"]
    accuracies = {
        "majority": float(statistics["majority"]),
        "tree": float(statistics["tree"]),
        "similar": flips["similar_accuracy"],
        "network": network["accuracy"],
    }
    n = len(load_array(y_valid, LABELS))
    right = round(n * max(accuracies["network"], accuracies["tree"]))
    p = binomtest(right, n, accuracies["majority"], alternative="greater").pvalue
    groups = pd.read_csv(of_groups, dtype={"label": str})
    numbers = groups["label"].value_counts(sort=False).to_dict()
    any_flips = any(found["flips"] for found in flips["pairs"])
    known = flips["similar_accuracy"] is not None
    verdict = decide(p, any_flips if known else None, accuracies["tree"])
    because = say(verdict, numbers, flips["pairs"], n)
    print(f"interpret: {verdict}. {because}")
    save_json(metrics, {"verdict": verdict})
    save_json(
        reasons,
        {"verdict": verdict, "because": because, "groups": numbers, "chance_p": p}
        | {f"{name}_accuracy": accuracy for name, accuracy in accuracies.items()},
    )
    save_figure(draw(verdict, because, accuracies), picture)


if __name__ == "__main__":
    run(main)
