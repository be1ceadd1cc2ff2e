"""Train a network by a recipe of recipes.yaml, once for each seed, and score it.

    python -m benchmarks.recipes chain improved 1 2 3 4 5

Reads   params.yaml, benchmarks/recipes.yaml
Does    makes the data by the stages fetch and prepare; runs the training stage with the recipe's
        parameters; holds it every 90 seconds for a third of a default epoch (DE), the unit of its
        run time; predicts
Writes  metrics/recipes.json: accuracies of each seed, their mean and standard deviation
        metrics/runtime/recipes.json: each seed's run time, from start to end of the process,
        in seconds and in default epochs: seconds over the harmonic mean of the measured ones, as
        if each stretch of training were divided by what a default epoch took beside it; and the
        work in TFLOP, of training and of predicting 10,000 images, a view each

Seeds already there are trained again; those of other runs stay.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import harmonic_mean, mean, stdev

import numpy as np

from benchmarks.stage_runs import ROOT, lay_out, load_json, run_stage
from benchmarks.yardstick import MEASURED, default_epoch
from stages.common.files import save_json
from stages.common.yaml import load_yaml
from stages.networks.backend import keras
from stages.networks.describe_networks import count_layers
from stages.networks.evaluate import predict
from stages.networks.muon import STEPS

TTA_VIEWS = (1, 2, 6)  # of an image, over which predictions are averaged
PAUSE = 90  # seconds from one measurement of the default epoch to the next
PREDICTED = 10_000  # images
FIGURES = ROOT / "metrics/recipes.json"
RUNTIME = ROOT / "metrics/runtime/recipes.json"


def train(folder: Path, network_name: str, overrides: dict) -> tuple[dict, dict]:
    """Train with parameters overridden, in a folder with data; return accuracies and run time."""
    arrays = {path.stem: np.load(path) for path in (folder / "data/prepared").glob("*.npy")}
    default_epochs = []

    def measure_default_epoch() -> None:
        images, labels = arrays["x_train"][:MEASURED], arrays["y_train"][:MEASURED]
        default_epochs.append(default_epoch(images, labels))
        print(f"recipes: a default epoch takes {default_epochs[-1]:.1f} s", flush=True)

    params = lay_out(folder, overrides)
    measure_default_epoch()
    run = run_stage(folder, f"train_{network_name}", measure_default_epoch, PAUSE)
    measure_default_epoch()
    network = keras.models.load_model(folder / f"data/models/{network_name}.keras")
    accuracies = {
        f"{split}_accuracy_{views}": accuracy(
            predict(network, arrays[f"x_{split}"], views)[0], arrays[f"y_{split}"]
        )
        for split in ("valid", "test")
        for views in TTA_VIEWS
    }
    flop = 2 * int(count_layers(network)["multiply_adds"].sum())  # of predicting an image
    runtime = {
        "seconds": run.seconds,
        "default_epoch_seconds": default_epochs,
        "default_epochs": run.seconds / harmonic_mean(default_epochs),
        "teraflop": training_flop(network, flop, len(arrays["x_train"]), params) / 1e12,
        "predicting_teraflop": flop * PREDICTED / 1e12,
    }
    return accuracies, runtime


def training_flop(network: keras.Model, flop: int, n: int, params: dict) -> int:
    """Return the FLOP of training on `n` images: of all steps, and of Muon in each of them.

    Args:
        flop: of predicting an image; training on it takes three times as much
    """
    own = params[f"train_{network.name}"]
    kept = n - round(own.get("prune", 0) * n)
    steps = own["epochs"] * (kept // own["batch_size"])
    kernels = [v.shape for v in network.trainable_variables if len(v.shape) == 4 and v.shape[2] > 1]
    matrices = [(height * width * inputs, outputs) for height, width, inputs, outputs in kernels]
    of_muon = sum(STEPS * (4 * rows * columns**2 + 2 * columns**3) for rows, columns in matrices)
    return steps * (3 * flop * own["batch_size"] + (of_muon if own.get("kernel_rate") else 0))


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


def main(labels: str, name: str, *seeds: str) -> None:
    chosen = load_yaml(ROOT / "benchmarks/recipes.yaml")[labels]
    overrides = {"fetch.twist": chosen["twist"]} | chosen["recipes"][name]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "data").mkdir()
        (folder / "data/course").symlink_to(ROOT / "data/course")
        lay_out(folder, overrides)
        for stage in ("fetch", "prepare"):
            run_stage(folder, stage)
        for seed in seeds:
            print(f"recipes: {name} of {labels}, seed {seed}", flush=True)
            network_name = name if name == "default" else "improved"
            results = train(folder, network_name, overrides | {"train.seed": int(seed)})
            for path, result in zip((FIGURES, RUNTIME), results, strict=True):
                store(path, labels, name, seed, result)
    print(json.dumps(load_json(FIGURES)[labels][name], indent=2))


def store(path: Path, labels: str, name: str, seed: str, result: dict) -> None:
    """Put a seed's result beside the others in a JSON file, with means of accuracies."""
    figures = load_json(path)
    seeds = figures.get(labels, {}).get(name, {}).get("seeds", {}) | {seed: result}
    summary = summarise(seeds) if path == FIGURES else {}
    figures[labels] = figures.get(labels, {}) | {name: {"seeds": seeds} | summary}
    save_json(path, figures)


if __name__ == "__main__":
    main(*sys.argv[1:])
