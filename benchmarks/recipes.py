"""Train the improved network by a recipe of recipes.yaml, once for each seed, and score it.

    python -m benchmarks.recipes quick 1 2 3 4 5

Reads   params.yaml, benchmarks/recipes.yaml, data/prepared
Does    runs the stage train_improved with the recipe's parameters; holds it every 90 seconds for
        a third of a default epoch (DE), the unit of its run time; predicts
Writes  metrics/recipes.json: accuracies of each seed, their mean and standard deviation
        metrics/runtime/recipes.json: each seed's run time, from start to end of the process,
        in seconds and in default epochs: seconds over the harmonic mean of the measured ones, as
        if each stretch of training were divided by what a default epoch took beside it

Seeds already there are trained again; those of other runs stay.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import harmonic_mean, mean, stdev

import numpy as np

from benchmarks.stage_runs import ROOT, lay_out, load_json, run_stage
from benchmarks.yardstick import default_epoch
from stages.common.files import save_json
from stages.common.yaml import load_yaml
from stages.networks.backend import keras
from stages.networks.describe_networks import count_layers
from stages.networks.evaluate import predict

TTA_VIEWS = (1, 2, 6)  # of an image, over which predictions are averaged
PAUSE = 90  # seconds from one measurement of the default epoch to the next
MEASURED = 18_000  # images of such a measurement
FIGURES = ROOT / "metrics/recipes.json"
RUNTIME = ROOT / "metrics/runtime/recipes.json"


def train(recipe: dict, seed: int) -> tuple[dict, dict]:
    """Train by a recipe's overrides with a seed; return accuracies and run time."""
    arrays = {path.stem: np.load(path) for path in (ROOT / "data/prepared").glob("*.npy")}
    default_epochs = []

    def measure_default_epoch() -> None:
        images, labels = arrays["x_train"][:MEASURED], arrays["y_train"][:MEASURED]
        default_epochs.append(default_epoch(images, labels))
        print(f"recipes: a default epoch takes {default_epochs[-1]:.1f} s", flush=True)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        params = lay_out(folder, recipe | {"train.seed": seed})
        (folder / "data").mkdir()
        (folder / "data/prepared").symlink_to(ROOT / "data/prepared")
        measure_default_epoch()
        run = run_stage(folder, "train_improved", measure_default_epoch, PAUSE)
        measure_default_epoch()
        network = keras.models.load_model(folder / "data/models/improved.keras")
    accuracies = {
        f"{split}_accuracy_{views}": accuracy(
            predict(network, arrays[f"x_{split}"], views)[0], arrays[f"y_{split}"]
        )
        for split in ("valid", "test")
        for views in TTA_VIEWS
    }
    flop = 6 * int(count_layers(network)["multiply_adds"].sum())  # an image in training
    images = len(arrays["x_train"]) * params["train_improved"]["epochs"]
    runtime = {
        "seconds": run.seconds,
        "default_epoch_seconds": default_epochs,
        "default_epochs": run.seconds / harmonic_mean(default_epochs),
        "teraflop": flop * images / 1e12,
    }
    return accuracies, runtime


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    return float((probabilities.argmax(axis=1) == labels).mean())


def summarise(seeds: dict) -> dict:
    """Return mean and standard deviation of each accuracy over the seeds."""
    keys = next(iter(seeds.values()))
    columns = {key: [scores[key] for scores in seeds.values()] for key in keys}
    return {
        "mean": {key: mean(column) for key, column in columns.items()},
        "standard_deviation": {
            key: stdev(column) for key, column in columns.items() if len(column) > 1
        },
    }


def main(name: str, *seeds: str) -> None:
    recipe = load_yaml(ROOT / "benchmarks/recipes.yaml")[name]
    for seed in seeds:
        print(f"recipes: {name}, seed {seed}", flush=True)
        accuracies, runtime = train(recipe, int(seed))
        figures, runtimes = load_json(FIGURES), load_json(RUNTIME)
        of_seeds = figures.get(name, {}).get("seeds", {}) | {seed: accuracies}
        save_json(FIGURES, figures | {name: {"seeds": of_seeds} | summarise(of_seeds)})
        save_json(RUNTIME, runtimes | {name: runtimes.get(name, {}) | {seed: runtime}})
    print(json.dumps(load_json(FIGURES)[name], indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
