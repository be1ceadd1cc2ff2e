"""Ask how well simple properties of an image predict its label: each alone, and in a small tree.

Reads   training, validation and test images and labels (.npy)
Does    measures the images; fits decision trees to the training images
Writes  accuracies (JSON); a picture of them and of the tree (PNG)

alone.<statistic>   a tree on one statistic; the statistics are explained in statistics.py
tree                a tree on all of them
majority            always the training images' most frequent label
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.tree import DecisionTreeClassifier, export_text

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array, save_json
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.meaning.statistics import measure, readable

LEAVES = 8  # of a tree, at most: what a person still reads
SMALLEST = 0.002  # share of the images that a leaf has at least


def fit_tree(statistics: pd.DataFrame, labels: np.ndarray, seed: int) -> DecisionTreeClassifier:
    """Fit a tree (Breiman and others 1984) that predicts labels (n,) from statistics (n, k).

    The seed decides between statistics that part the images equally well.
    """
    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, min_samples_leaf=SMALLEST, random_state=seed
    )
    return tree.fit(statistics, labels)


def tree_text(tree: DecisionTreeClassifier) -> str:
    """Return the tree as indented lines."""
    names = [readable(name) for name in tree.feature_names_in_]
    text = export_text(tree, feature_names=names, decimals=3)
    return text.replace("|---", "").replace("|", " ").replace("class:", "label").rstrip()


def draw(scores: dict, tree: DecisionTreeClassifier) -> Figure:
    """Draw how well each statistic alone predicts the label, and the tree below."""
    text = tree_text(tree)
    height = 0.13 * (text.count("\n") + 2)
    figure = Figure(figsize=(6.3, 3.4 + height), layout="constrained")
    ax, below = figure.subplots(2, height_ratios=(3.4, height))
    alone = {name: figures["test_accuracy"] for name, figures in scores["alone"].items()}
    names = sorted(alone, key=alone.__getitem__)
    ax.barh([readable(name) for name in names], [alone[name] for name in names], color="#56b4e9")
    for name, words, style in (
        ("majority", "most frequent label", ":"),
        ("tree", "tree on all, below", "-"),
    ):
        accuracy = scores[name]["test_accuracy"]
        ax.axvline(accuracy, color="black", ls=style, lw=1, label=f"{words}: {accuracy:.3f}")
    ax.set_xlim(0, 1)
    ax.set_xlabel("test accuracy of a tree on this statistic alone", fontsize=9)
    ax.tick_params(labelsize=9)
    ax.legend(fontsize=9, loc="lower right")
    ax.set_title("How well do simple properties of an image predict its label?", fontsize=10)
    below.axis("off")
    below.text(0, 1, text, va="top", fontsize=8, family="monospace")
    return figure


def measured(images: Path, labels: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the statistics of images, a row each, and their labels (n,)."""
    statistics = measure(load_array(images, IMAGES))
    return statistics, load_array(labels, LABELS, len(statistics))


def main(
    x_train: Path,
    y_train: Path,
    x_valid: Path,
    y_valid: Path,
    x_test: Path,
    y_test: Path,
    metrics: Path,
    picture: Path,
) -> None:
    params = read_params()
    seed = params["image_statistics"]["seed"]
    statistics, labels = measured(x_train, y_train)
    scored = {
        split: measured(x, y)
        for split, x, y in (("valid", x_valid, y_valid), ("test", x_test, y_test))
    }

    def fit_and_score(names: list[str]) -> tuple[DecisionTreeClassifier, dict]:
        tree = fit_tree(statistics[names], labels, seed)
        return tree, {
            f"{split}_accuracy": float(tree.score(others[names], right))
            for split, (others, right) in scored.items()
        }

    tree, of_tree = fit_and_score(list(statistics))
    frequent = np.bincount(labels).argmax()
    scores = {
        "majority": {
            f"{split}_accuracy": float((right == frequent).mean())
            for split, (_, right) in scored.items()
        },
        "alone": {name: fit_and_score([name])[1] for name in statistics},
        "tree": of_tree,
    }
    save_json(metrics, scores)
    save_figure(draw(scores, tree), picture)


if __name__ == "__main__":
    run(main)
