"""Ask for the verdict on labels whose meaning is known, made up by seed, and count right answers.

    python -m benchmarks.calibration fixing data/calibration
    python -m benchmarks.calibration scoring data/calibration
    python -m benchmarks.calibration scoring data/calibration 9017

Reads   params.yaml; Fashion-MNIST, as the stage fetch finds it
Does    makes up labels for each seed of the set, as labels.py does; runs the stages that lead to
        the verdict on them, by their own commands, with a short training on 54,000 images. With a
        seed it goes on there: the answers on seeds before it are those that were stored. So with
        9060 stored answers are scored anew
Writes  metrics/calibration.json, the set's part, anew after each seed, explained below. In the
        folder, for each seed, what the stages made: a network that is there is used again, so that
        a change of a later stage trains nothing

right, asked          verdicts that are as expected, and all; so `by_kind`
missed                of each seed whose verdict is another one
adjusted_mutual_info  of groups and classes: of a set of classes, mean over the labels that hold
                      several; of all of them, mean over these sets, also by kind
reliability           right and asked by the strength that a verdict states, see verdict.py
seeds                 the answer on each: its kind; the one that it was `of` before labels went
                      wrong; the verdicts expected and given, and the figures that it rests on

Rules by which the stages decide are tried on the set `fixing`, and without a network on others
(docs/log-meaning.md). None has seen `scoring`.
"""

import shutil
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.labels import KINDS, make_labels
from benchmarks.stage_runs import CODE, ROOT, lay_out, load_json, run_stage
from stages.common.files import save_array, save_json, save_table
from stages.data.fashion_mnist import find_fashion_mnist
from stages.meaning.statistics import measure
from stages.meaning.verdict import STRENGTHS, find_strength, measure_margins, strength_in_words

SETS = {"fixing": range(8000, 8020), "scoring": range(9000, 9060)}
N_TRAIN, N_VALID = 54_000, 6_000  # images
SHORT = {"train_improved.width": 16, "train_improved.epochs": 3}
CLASSES = ("merge", "alone", "five")  # kinds whose groups are classes
VERDICTS = dict.fromkeys(CLASSES, "visual_groups") | {
    "threshold": "image_statistic",
    "outside": "image_statistic",
    "by_class": "mixed",
    "mixed": "mixed",
    "drawn": "no_structure",
}
TO_VERDICT = ("image_statistics", "label_flips", "label_order", "interpret")
FIGURES = ROOT / "metrics/calibration.json"


def splits(rows: np.ndarray, n_test: int) -> dict[str, np.ndarray]:
    """Part rows (n, ...), the last `n_test` of which are test rows, into three splits by name."""
    parts = np.split(rows, [N_TRAIN, len(rows) - n_test])
    return dict(zip(("train", "valid", "test"), parts, strict=True))


def ask(folder: Path, images: Path, labels: dict[str, np.ndarray], kind: str) -> dict:
    """Run the stages in a folder; return the verdict, what it rests on, and the groups' agreement.

    No verdict rests on groups: they are sought, and compared with the classes, where labels stand
    for classes. Elsewhere the stages are told of none.

    Args:
        images: folder with the images of each split
        labels: of each split, uint8 (n,)
        kind: of the labels
    """
    is_new = not is_trained(folder, labels["train"])
    if is_new:
        shutil.rmtree(folder, ignore_errors=True)
    for split, values in labels.items():
        place = folder / f"data/prepared/x_{split}.npy"
        save_array(place.with_name(f"y_{split}.npy"), values)
        place.unlink(missing_ok=True)
        place.symlink_to(images / place.name)
    for name in CODE:
        (folder / name).unlink(missing_ok=True)
    lay_out(folder, SHORT)  # anew each time: later stages may have other parameters now
    no_groups = pd.DataFrame(columns=["label", "group", "count"])
    save_table(folder / "plots/groups_images.csv", no_groups)
    before = ["train_improved"] * is_new + ["extract_encoding"]
    of_groups = ["groups", "reveal"] if kind in CLASSES else []
    for stage in (*before, *of_groups, *TO_VERDICT):
        run_stage(folder, stage)
    answer = read_answer(folder)
    if of_groups:
        revealed = load_json(folder / "metrics/reveal.json")["adjusted_mutual_info"].values()
        known = [one for one in revealed if one is not None]
        answer["adjusted_mutual_info"] = float(np.mean(known))
    shutil.rmtree(folder / "data/encoding")  # the largest part, and soon made again
    return answer


def is_trained(folder: Path, labels: np.ndarray) -> bool:
    """Whether a folder holds a network that was trained on these labels."""
    path = folder / "data/prepared/y_train.npy"
    network = folder / "data/models/improved.keras"
    return network.exists() and path.exists() and np.array_equal(np.load(path), labels)


def read_answer(folder: Path) -> dict:
    """Return the verdict that the stages wrote in a folder, and the figures that it rests on."""
    reasons, flips, order = (
        load_json(folder / f"metrics/{name}.json")
        for name in ("interpret", "label_flips", "label_order")
    )
    jump = max(found["jump"] or 0.0 for found in flips["pairs"])
    figures = {key: value for key, value in reasons.items() if key.endswith(("_p", "_accuracy"))}
    return {
        "verdict": reasons["verdict"],
        "property": reasons["property"],
        "figures": figures | {"jump": jump} | order,
    }


def strength(answer: dict) -> float:
    """Return the strength of the verdict of an answer, 0-1, by the figures that it rests on.

    Raises:
        ValueError: by today's rules these give another verdict.
    """
    figures = answer["figures"]
    accuracies = {name: figures[f"{name}_accuracy"] for name in ("majority", "tree", "network")}
    margins = measure_margins(N_VALID, accuracies, figures["jump"], figures)
    verdict, value, *_ = find_strength(margins)
    if verdict != answer["verdict"]:
        raise ValueError(f"{answer}: {verdict} by today's rules: ask anew, from the first seed on")
    return value


def score(answers: dict[str, dict]) -> dict:
    """Count what is right in the answers by seed; keys as explained at the top of this file."""
    is_right = {seed: one["verdict"] == one["expected"] for seed, one in answers.items()}
    seeds_of = {
        kind: [seed for seed, one in answers.items() if one["kind"] == kind] for kind in KINDS
    }
    agreements = {
        kind: [answers[seed]["adjusted_mutual_info"] for seed in seeds_of[kind]]
        for kind in CLASSES
        if seeds_of[kind]
    }
    strengths = {seed: strength(one) for seed, one in answers.items()}
    seeds_at = {
        name: [seed for seed, value in strengths.items() if strength_in_words(value) == name]
        for name in STRENGTHS
    }
    every_agreement = [one for of_kind in agreements.values() for one in of_kind]
    return {
        "right": sum(is_right.values()),
        "asked": len(answers),
        "by_kind": {kind: count(seeds, is_right) for kind, seeds in seeds_of.items()},
        "reliability": {name: count(seeds, is_right) for name, seeds in seeds_at.items()},
        "missed": {
            seed: {key: answers[seed][key] for key in ("kind", "of", "expected", "verdict")}
            | {"strength": strengths[seed]}
            for seed, right in is_right.items()
            if not right
        },
        "adjusted_mutual_info": {
            kind: float(np.mean(values))
            for kind, values in (agreements | {"all": every_agreement}).items()
            if values
        },
        "seeds": answers,
    }


def count(seeds: list[str], is_right: dict[str, bool]) -> dict[str, int]:
    return {"right": sum(is_right[seed] for seed in seeds), "asked": len(seeds)}


def save_score(name: str, answers: dict[str, dict]) -> dict:
    """Put what is right in the answers of a set into the metrics; return it."""
    found = score(answers)
    save_json(FIGURES, load_json(FIGURES) | {name: found})
    return found


def main(name: str, folder: str, first: str = "0") -> None:
    arrays = find_fashion_mnist()
    images = np.concatenate([arrays["x_train"], arrays["x_test"]]).reshape(-1, 28, 28, 1)
    classes = np.concatenate([arrays["y_train"], arrays["y_test"]])
    statistics = measure(images)
    n_test, place = len(arrays["y_test"]), Path(folder).resolve()
    for split, values in splits(images, n_test).items():
        save_array(place / f"images/x_{split}.npy", values)
    stored = load_json(FIGURES).get(name, {}).get("seeds", {})
    earlier = [str(seed) for seed in SETS[name] if seed < int(first)]
    answers = {seed: stored[seed] for seed in earlier if seed in stored}
    save_score(name, answers)
    for seed in range(max(int(first), SETS[name].start), SETS[name].stop):
        start = time.perf_counter()
        of, labels = make_labels(seed, classes, images[..., 0], statistics)
        kind = KINDS[seed % len(KINDS)]
        known = {"kind": kind, "of": of, "expected": VERDICTS[of]}
        of_splits = splits(labels.astype(np.uint8), n_test)
        answers[str(seed)] = known | ask(place / str(seed), place / "images", of_splits, kind)
        found = save_score(name, answers)
        verdict, seconds = answers[str(seed)]["verdict"], time.perf_counter() - start
        print(
            f"calibration: {seed}, {kind} of {of}: {verdict}, expected {known['expected']};"
            f" {found['right']} of {found['asked']} right; {seconds:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
