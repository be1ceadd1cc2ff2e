"""Measure how run time and memory grow with the data: one, two and four times the images.

    PYTHONPATH=stages python benchmarks/growth.py

Reads   params.yaml, data/raw, data/models/improved.keras
Does    runs stages by their own commands on copies of the images, each a little noisier
Writes  metrics/runtime/growth.json, and prints it: seconds and most megabytes by stage and factor
"""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from common.files import save_json
from prepare import read_images_and_labels
from stage_runs import ROOT, lay_out, run_stage

FACTORS = (1, 2, 4)
STAGES = ("prepare", "extract_encoding", "pca", "kmeans", "tsne")


def multiply(images: np.ndarray, factor: int) -> np.ndarray:
    """Return images (n, ...), `factor` times as many, of which no two are equal.

    In a copy a twentieth of the pixels are up to 9 of 255 brighter.
    """
    copies = [images]
    for number in range(1, factor):
        rng = np.random.default_rng(number)
        noise = rng.integers(0, 10, images.shape, np.uint8)
        noise[rng.random(images.shape) >= 0.05] = 0
        copies.append(np.minimum(images, 255 - noise) + noise)
    return np.concatenate(copies)


def write_csvs(folder: Path, factor: int) -> None:
    """Write the four CSVs with `factor` times the rows of those that the project has."""
    folder.mkdir(parents=True)
    for split in ("train", "test"):
        paths = [f"{kind}_{split}.csv" for kind in ("x", "y")]
        images, labels = read_images_and_labels(*(ROOT / "data/raw" / path for path in paths))
        images = multiply(images, factor).reshape(-1, 28 * 28)
        for path, rows in zip(paths, (images, np.tile(labels, factor)), strict=True):
            pd.DataFrame(rows).to_csv(folder / path, header=False, index=False)


def main() -> None:
    results = {stage: {} for stage in STAGES}
    for factor in FACTORS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, {})
            write_csvs(folder / "data/raw", factor)
            shutil.copytree(ROOT / "data/models", folder / "data/models")
            for stage in STAGES:
                print(f"growth: {stage} on {factor} times the data", flush=True)
                run = run_stage(folder, stage)
                results[stage][f"{factor}x"] = {
                    "seconds": run.seconds,
                    "peak_megabytes": run.peak_bytes / 1e6,
                }
    save_json(ROOT / "metrics/runtime/growth.json", results)
    print((ROOT / "metrics/runtime/growth.json").read_text())


if __name__ == "__main__":
    main()
