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
from stage_runs import ROOT, lay_out, run_stage

FACTORS = (1, 2, 4)
STAGES = ("prepare", "extract_encoding", "pca", "kmeans", "tsne")


def multiply(path: Path, factor: int, target: Path) -> None:
    """Write a CSV's rows `factor` times; pixels, but not labels, of the copies differ by a bit.

    A twentieth of the pixels of a copy move by up to 9 of 255, so that no two images are equal.
    """
    rows = pd.read_csv(path, header=None).to_numpy(np.uint8)
    copies = [rows]
    for number in range(1, factor):
        rng = np.random.default_rng(number)
        noise = rng.integers(0, 10, rows.shape) * (rng.random(rows.shape) < 0.05)
        copies.append(np.minimum(rows + noise, 255) if rows.shape[1] > 1 else rows)
    pd.DataFrame(np.concatenate(copies)).to_csv(target, header=False, index=False)


def main() -> None:
    results = {stage: {} for stage in STAGES}
    for factor in FACTORS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, {})
            (folder / "data/raw").mkdir(parents=True)
            for path in (ROOT / "data/raw").glob("*.csv"):
                multiply(path, factor, folder / "data/raw" / path.name)
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
