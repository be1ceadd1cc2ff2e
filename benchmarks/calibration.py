"""Ask for the verdict on labels whose meaning is known, made up by seed, and count right answers.

    python -m benchmarks.calibration fixing data/calibration
    python -m benchmarks.calibration scoring data/calibration

Reads   params.yaml; Fashion-MNIST, as the stage fetch finds it
Does    makes up labels for each seed of the set, as a course's four CSVs; runs the stages that
        lead to the verdict on them, by their own commands, with a short training
Writes  metrics/calibration.json, the set's part: the kind of each seed's labels, the verdict that
        is right and the one given; the adjusted mutual information of groups and classes, mean
        over the labels that hold several classes. In the folder, for each seed, what the stages
        made: a network that is there is used again, so that a change of a later stage trains
        nothing

The rules and constants by which the stages decide were fixed on the set `fixing`; those of
label_flips, which needs no network, also on labels of seeds from 1000 on. None has seen `scoring`.
The thresholds are on the very statistics that the stages measure: what the verdict is where labels
follow another property of the picture is not asked here.
"""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.stage_runs import CODE, ROOT, lay_out, load_json, run_stage
from stages.common.files import save_json, save_table
from stages.data.fashion_mnist import find_fashion_mnist
from stages.meaning.statistics import measure

SETS = {"fixing": range(100, 120), "scoring": range(200, 220)}
SHORT = {  # a training of less than four default epochs
    "fetch.source": "course",
    "prepare.limit": 45_000,
    "train_improved.width": 16,
    "train_improved.epochs": 6,
}
TO_NETWORK = ("fetch", "prepare", "train_improved")
TO_VERDICT = (
    "extract_encoding",
    "groups",
    "image_statistics",
    "label_flips",
    "interpret",
    "reveal",
)
SMALLEST = 0.05  # fraction of the images that the rarest label has at least
FIGURES = ROOT / "metrics/calibration.json"


def merge(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """Give each of the ten classes a label."""
    return merged(rng, classes, 5)


def threshold(
    rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame
) -> np.ndarray:
    """Cut by one statistic, or by one and on each side by another."""
    first, second = rng.choice(statistics.columns, 2, replace=False)
    if rng.random() < 0.6:
        return cut(rng, statistics[first], 5)
    labels = cut(rng, statistics[first], 2)
    low = labels == 0
    labels[low] = cut(rng, statistics[second][low], 2)
    labels[~low] = 2 + cut(rng, statistics[second][~low], 3)
    return labels


def mixed(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """Cut some classes, all classes once, or one class alone; the rest goes by class."""
    values = statistics[rng.choice(statistics.columns)]
    form = rng.integers(3)
    if form == 0:
        n_merged = int(rng.integers(1, 4))
        whole = rng.permutation(10)[classes] < rng.integers(3, 7)
        labels = np.empty(len(classes), int)
        labels[whole] = merged(rng, classes[whole], n_merged)
        labels[~whole] = n_merged + cut(rng, values[~whole], 5 - n_merged)
    elif form == 1:
        labels = merged(rng, classes, 4)
        labels[cut(rng, values, 2) == 1] = 4
    else:
        labels = merged(rng, classes, 5)
        parted = classes == rng.integers(10)
        other = (labels[parted][0] + rng.integers(1, 5)) % 5
        labels[parted] = np.where(cut(rng, values[parted], 2) == 1, other, labels[parted])
    return labels


def drawn(rng: np.random.Generator, classes: np.ndarray, statistics: pd.DataFrame) -> np.ndarray:
    """Draw each image's label at random, some labels more often than others."""
    return rng.choice(5, len(classes), p=rng.dirichlet(np.full(5, 5.0)))


KINDS = {  # and the verdict that is right
    merge: "visual_groups",
    threshold: "image_statistic",
    mixed: "mixed",
    drawn: "no_structure",
}


def merged(rng: np.random.Generator, classes: np.ndarray, n: int) -> np.ndarray:
    """Give each class one of n labels at random, every label to one kind at least."""
    kinds, numbers = np.unique(classes, return_inverse=True)
    return rng.permutation([*range(n), *rng.integers(0, n, len(kinds) - n)])[numbers]


def cut(rng: np.random.Generator, values: pd.Series, n: int) -> np.ndarray:
    """Cut into n parts of about the same size, if there is anything to cut."""
    if values.empty:
        return np.zeros(0, int)
    fractions = (np.arange(1, n) + rng.uniform(-0.25, 0.25, n - 1)) / n
    return np.searchsorted(np.quantile(values, fractions), values, side="left")


def make_labels(seed: int, classes: np.ndarray, statistics: pd.DataFrame) -> tuple:
    """Return labels (n,) none of which is too rare, and the function that made them."""
    rng = np.random.default_rng(seed)
    kind = list(KINDS)[seed % len(KINDS)]
    while True:
        labels = kind(rng, classes, statistics)
        if np.bincount(labels, minlength=5).min() >= SMALLEST * len(labels):
            return labels, kind


def write_csvs(folder: Path, labels: dict[str, np.ndarray]) -> None:
    """Write a course's four CSVs: the project's own images, the labels of each split."""
    folder.mkdir(parents=True)
    for split, values in labels.items():
        save_table(folder / f"y_{split}.csv", pd.DataFrame({"label": values}))
        os.symlink(ROOT / f"data/raw/x_{split}.csv", folder / f"x_{split}.csv")


def ask(folder: Path, labels: dict[str, np.ndarray]) -> dict:
    """Run the stages on labels in a folder; return the verdict and the groups' agreement."""
    trained = is_trained(folder, labels)
    if not trained:
        shutil.rmtree(folder, ignore_errors=True)
        write_csvs(folder / "data/course", labels)
    for name in CODE:
        (folder / name).unlink(missing_ok=True)
    lay_out(folder, SHORT)  # anew each time: later stages may have other parameters now
    if not trained:
        for stage in TO_NETWORK:
            run_stage(folder, stage)
        shutil.rmtree(folder / "data/raw")  # the largest part, and not needed any more
    for stage in TO_VERDICT:
        run_stage(folder, stage)
    revealed = load_json(folder / "metrics/reveal.json")["adjusted_mutual_info"].values()
    agreements = [agreement for agreement in revealed if agreement is not None]
    return {
        "verdict": load_json(folder / "metrics/interpret.json")["verdict"],
        "adjusted_mutual_info": float(np.mean(agreements)),
    }


def is_trained(folder: Path, labels: dict[str, np.ndarray]) -> bool:
    """Whether a folder holds a network that was trained on these labels."""
    path = folder / "data/course/y_train.csv"
    return (folder / "data/models/improved.keras").exists() and np.array_equal(
        pd.read_csv(path)["label"], labels["train"]
    )


def main(name: str, folder: str) -> None:
    arrays = find_fashion_mnist()
    n_train = len(arrays["y_train"])
    images = np.concatenate([arrays["x_train"], arrays["x_test"]]).reshape(-1, 28, 28, 1)
    classes = np.concatenate([arrays["y_train"], arrays["y_test"]])
    statistics = measure(images)
    answers = {}
    for seed in SETS[name]:
        labels, kind = make_labels(seed, classes, statistics)
        of_splits = {"train": labels[:n_train], "test": labels[n_train:]}
        known = {"kind": kind.__name__, "expected": KINDS[kind]}
        answer = known | ask(Path(folder).resolve() / str(seed), of_splits)
        answers[str(seed)] = answer
        print(f"calibration: {seed}, {answer}", flush=True)
        right = sum(one["verdict"] == one["expected"] for one in answers.values())
        merges = [one for one in answers.values() if one["kind"] == "merge"]
        score = {
            "right": right,
            "asked": len(answers),
            "adjusted_mutual_info_of_merges": float(
                np.mean([one["adjusted_mutual_info"] for one in merges])
            ),
        }
        save_json(FIGURES, load_json(FIGURES) | {name: score | {"seeds": answers}})


if __name__ == "__main__":
    main(*sys.argv[1:])
