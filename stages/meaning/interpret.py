"""Say what the labels follow: visual classes, a property of images, both, or nothing.

Reads   validation labels (.npy); what is known of the improved network, of thresholds at which
        labels flip and of the labels' order (JSON), of trees on properties and of groups inside
        labels (CSV)
Does    decides by the rules of verdict.py; accuracies are of the validation images
Writes  the verdict, and with the figures behind it (JSON), a picture of them (PNG)

chance_p            of the binomial test that the network and the tree predict no better than the
                    most frequent label
strength            how far the figure nearest to turning the verdict is beyond its bound, 0-1: see
                    verdict.py; turned_by, instead: that figure, and the verdict it would give
majority_accuracy   of the most frequent label; so tree_accuracy and network_accuracy, and
                    similar_accuracy: of the most frequent label among visually similar
                    images, what an image's look alone tells (training images)
groups              found in each label
property            that the labels follow: of image_statistic the one whose tree is best, or that
                    follows the order best; of mixed the one that parts each visual class; or null
ordered             the labels in the order of that property, or null if they have none
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
from stages.meaning.reasons import say, say_strength
from stages.meaning.statistics import readable
from stages.meaning.verdict import find_strength, measure_margins

BINS = ("image_statistic", "mixed")  # verdicts with which an order means something
PREDICTORS = {  # and what they are called in words
    "majority": "the most frequent label",
    "tree": "a tree of eight leaves on properties of the image",
    "similar": "the most frequent label of visually similar images",
    "network": "the improved network",
}


def find_property(
    verdict: str, alone: pd.Series, accuracies: dict[str, float], order: dict
) -> str | None:
    """Return the property that labels follow, None if none is known or they follow none.

    Args:
        alone: accuracy of the tree on each property alone
        accuracies: of `tree` and `network`
        order: what metrics/label_order.json holds
    """
    if verdict == "mixed":
        return order["by_class"] if order["ordered"] else None
    if verdict != "image_statistic":
        return None
    if accuracies["tree"] >= accuracies["network"] or not order["ordered"]:
        return str(alone.idxmax())
    return order["property"]


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
    of_order: Path,
    metrics: Path,
    reasons: Path,
    picture: Path,
) -> None:
    network, flips, order = (
        json.loads(path.read_text("utf-8")) for path in (of_network, of_flips, of_order)
    )
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
    jumps = [found["jump"] or 0.0 for found in flips["pairs"]]
    jump = None if flips["similar_accuracy"] is None else max(jumps, default=0.0)
    margins = measure_margins(n, accuracies, jump, order)
    verdict, strength, turned_by, instead = find_strength(margins)
    alone = statistics.drop(["majority", "tree"])
    property_ = find_property(verdict, alone, accuracies, order)
    because = (
        f"{say(verdict, numbers, flips['pairs'], n, property_, order)}"
        f" {say_strength(strength, turned_by, instead)}"
    )
    print(f"interpret: {verdict}. {because}")
    save_json(metrics, {"verdict": verdict})
    save_json(
        reasons,
        {
            "verdict": verdict,
            "because": because,
            "strength": strength,
            "turned_by": turned_by,
            "instead": instead,
            "groups": numbers,
            "property": property_,
            "ordered": order["order"] if order["ordered"] and verdict in BINS else None,
            "chance_p": p,
        }
        | {f"{name}_accuracy": accuracy for name, accuracy in accuracies.items()},
    )
    save_figure(draw(verdict, because, accuracies), picture)


if __name__ == "__main__":
    run(main)
