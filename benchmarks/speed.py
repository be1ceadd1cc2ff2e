"""Measure how fast both networks train and predict, beside the best that can be expected.

    python -m benchmarks.speed [PAIRS]

Reads   params.yaml, data/prepared
Does    trains each network for two epochs, of which the second counts: by its stage (callbacks,
        curves, augmentation, the same bytes every time) and, at the same time, half a second
        the one and half a second the other, by Keras' `fit` alone on arrays; predicts
Writes  metrics/runtime/speed.json, and prints it

parameters                      of the network
megaflop_per_image              of prediction; a multiply-add is two, training does three times it
stage_images_per_second         trained by the stage, validation included: median of the pairs
fit_images_per_second           trained by `fit` alone, validation included, in the same precision
stage_to_fit                    median of the ratios of the two
stage_to_fit_of_pairs           these ratios
epoch_in_default_epochs         seconds of an epoch of 54,000 images over those of a default epoch
product_share                   FLOP a second of training over those of a matrix product in the
                                same precision
predict_images_per_second       in batches of one image and of 1,000
peak_megabytes                  most memory that the training process held
"""

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np

from benchmarks.plain_fit import load
from benchmarks.stage_runs import ROOT, alternate, lay_out, peak_bytes, run_stage, stage_command
from benchmarks.yardstick import EPOCH_IMAGES, default_epoch, predict_rate, product_rate
from stages.common.files import save_json
from stages.networks.backend import keras
from stages.networks.describe_networks import count_layers
from stages.networks.train_default import default_network

OVERRIDES = {  # no image left out, so that both train on as many
    "train_default.epochs": 2,
    "train_improved.epochs": 2,
    "train_improved.prune": 0,
}
N_TRAIN, N_VALID = 18_000, 2_000  # a third of the images, to save time
T = TypeVar("T")


def plain_epoch(folder: Path) -> tuple[float, int]:
    """Measure a default epoch in seconds, and the most memory held in bytes."""
    x, y, *_ = load(folder)
    return default_epoch(x, y), peak_bytes(os.getpid())


def describe(network: keras.Model, rate: float, images: np.ndarray) -> dict:
    """Describe a network that trains at `rate` images a second, and time its predictions."""
    layers = count_layers(network)
    flop = 2 * int(layers["multiply_adds"].sum())
    return {
        "parameters": int(layers["parameters"].sum()),
        "megaflop_per_image": flop / 1e6,
        "product_share": 3 * flop * rate / product_rate(network.layers[-2].compute_dtype),
        "predict_images_per_second": {
            "1": predict_rate(network, images[:500], 1),
            "1000": predict_rate(network, images, 1_000),
        },
    }


def apart(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a process of its own, as stages run, and return what it returns."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def measure(folder: Path, name: str, batch_size: int, pairs: int) -> dict:
    """Measure a network in a folder that was laid out for its stage."""
    peak = run_stage(folder, f"train_{name}").peak_bytes
    plain = [sys.executable, "-m", "benchmarks.plain_fit", ".", name, str(batch_size)]
    stage, alone, default = [], [], []
    for pair in range(pairs):
        print(f"speed: {name} network, pair {pair + 1} of {pairs}", flush=True)
        default.append(apart(plain_epoch, folder)[0])
        seconds = alternate([stage_command(f"train_{name}"), plain], folder)
        stage.append(seconds[0])
        alone.append(seconds[1])
    ratios = [of_fit / of_stage for of_stage, of_fit in zip(stage, alone, strict=True)]
    network = keras.models.load_model(folder / f"data/models/{name}.keras")
    x, _, x_valid, _ = load(folder)
    rate = len(x) / median(stage)
    return describe(network, rate, x_valid) | {
        "stage_images_per_second": rate,
        "fit_images_per_second": len(x) / median(alone),
        "stage_to_fit": median(ratios),
        "stage_to_fit_of_pairs": ratios,
        "epoch_in_default_epochs": EPOCH_IMAGES / rate / median(default),
        "peak_megabytes": peak / 1e6,
    }


def measure_plain(folder: Path, pairs: int) -> dict:
    """Measure the default network trained by Keras' `fit` alone in float32, without validation."""
    seconds, peaks = zip(*(apart(plain_epoch, folder) for _ in range(pairs)), strict=True)
    rate = EPOCH_IMAGES / median(seconds)
    return describe(default_network(), rate, load(folder)[2]) | {
        "fit_images_per_second": rate,
        "epoch_in_default_epochs": 1.0,
        "peak_megabytes": max(peaks) / 1e6,
    }


def main(pairs: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        params = lay_out(folder, OVERRIDES)
        (folder / "data/prepared").mkdir(parents=True)
        for split, n in (("train", N_TRAIN), ("valid", N_VALID)):
            for kind in ("x", "y"):
                path = f"data/prepared/{kind}_{split}.npy"
                np.save(folder / path, np.load(ROOT / path)[:n])
        results = {
            name: measure(folder, name, params[f"train_{name}"]["batch_size"], pairs)
            for name in ("default", "improved")
        }
        results["default_by_fit_alone_in_float32"] = measure_plain(folder, pairs)
    save_json(ROOT / "metrics/runtime/speed.json", results)
    print((ROOT / "metrics/runtime/speed.json").read_text())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:] or ["5"]))
