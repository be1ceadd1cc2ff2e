"""Ask how well simple properties of an image predict its label: each alone, and in a small tree.

Reads   training and validation images and labels (.npy)
Does    measures the validation images and `MEASURED` of the training images, drawn at random; fits
        decision trees to these
Writes  the properties of the validation images, float32 (n, 41) (.npy); accuracies by predictor
        (CSV); a picture of them and of the tree (PNG)

majority            always the training images' most frequent label
tree                a tree on all properties; any other predictor is a tree on the property of
                    that name alone; they are explained in statistics.py and properties.py
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.tree import DecisionTreeClassifier, export_text

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, load_array, save_array, save_table
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.data.sampling import draw_rows
from stages.meaning.properties import measure_properties
from stages.meaning.statistics import readable

MEASURED = 4_000  # training images: a tree so small needs no more
SHOWN = 16  # properties in the picture, the best ones
LEAVES = 8  # of a tree, at most: what a person still reads
SMALLEST = 0.002  # fraction of the images that a leaf has at least


def fit_tree(properties: pd.DataFrame, labels: np.ndarray, seed: int) -> DecisionTreeClassifier:
    """Fit a tree (Breiman and others 1984) that predicts labels (n,) from properties (n, k).

    The seed decides between properties that part the images equally well.
    """
    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, min_samples_leaf=SMALLEST, random_state=seed
    )
    return tree.fit(properties, labels)


def tree_text(tree: DecisionTreeClassifier) -> str:
    """Return the tree as indented lines."""
    names = [readable(name) for name in tree.feature_names_in_]
    text = export_text(tree, feature_names=names, decimals=3)
    return text.replace("|---", "").replace("|", " ").replace("class:", "label").rstrip()


def draw(accuracies: pd.Series, tree: DecisionTreeClassifier) -> Figure:
    """Draw the accuracy of the best properties alone, and of the tree, which stands below."""
    text = tree_text(tree)
    height = 0.13 * (text.count("\n") + 2)
    figure = Figure(figsize=(6.3, 3.9 + height), layout="constrained")
    ax, below = figure.subplots(2, height_ratios=(3.9, height))
    alone = accuracies.drop(["majority", "tree"]).sort_values(kind="stable")[-SHOWN:]
    ax.barh(alone.index.map(readable), alone, color="#56b4e9")
    for name, words, style in (
        ("majority", "most frequent label", ":"),
        ("tree", "tree on all, below", "-"),
    ):
        label = f"{words}: {accuracies[name]:.3f}"
        ax.axvline(accuracies[name], color="black", ls=style, lw=1, label=label)
    ax.set_xlim(0, 1)
    ax.set_xlabel("validation accuracy of a tree on this property alone", fontsize=9)
    ax.tick_params(labelsize=9)
    ax.legend(fontsize=9, loc="lower right")
    ax.set_title("How well do simple properties of an image predict its label?", fontsize=10)
    below.axis("off")
    below.text(0, 1, text, va="top", fontsize=8, family="monospace")
    return figure


def main(
    x_train: Path,
    y_train: Path,
    x_valid: Path,
    y_valid: Path,
    measured: Path,
    table: Path,
    picture: Path,
) -> None:
    params = read_params()
    seed = params["image_statistics"]["seed"]
    images, valid_images = load_array(x_train, IMAGES), load_array(x_valid, IMAGES)
    every_label = load_array(y_train, LABELS, len(images))
    valid_labels = load_array(y_valid, LABELS, len(valid_images))
    rows, _ = draw_rows(every_label, MEASURED, seed)
    labels = every_label[rows]
    n = len(rows) + len(valid_images)
    print(f"image_statistics: measuring {n:,} images", flush=True)
    properties, valid = measure_properties(images[rows]), measure_properties(valid_images)
    tree = fit_tree(properties, labels, seed)
    accuracies = {
        "majority": float((valid_labels == np.bincount(every_label).argmax()).mean()),
        "tree": tree.score(valid, valid_labels),
    } | {
        name: fit_tree(properties[[name]], labels, seed).score(valid[[name]], valid_labels)
        for name in properties
    }
    scores = pd.Series(accuracies, name="valid_accuracy")
    save_array(measured, valid.to_numpy(np.float32))
    save_table(table, scores.rename_axis("predictor").reset_index())
    save_figure(draw(scores, tree), picture)


if __name__ == "__main__":
    run(main)
