"""Time the whole chain on all images, from a fresh clone with an empty cache to the hand-in.

    python -m benchmarks.chain [BLOCK.KEY=VALUE ...]

Reads   the last commit
Does    clones it, sets `OVERRIDES` and the parameters given, and runs `dvc repro`; between two
        stages, at most twice a minute, holds it for a third of a default epoch (DE), the unit
Writes  metrics/runtime/chain.json, and prints it

default_epochs             seconds of `dvc repro` over those of a default epoch beside it, the
                           harmonic mean of the measured ones
training_default_epochs    of which both trainings
default_epoch_seconds      the measured ones
seconds                    of `dvc repro`
stage_seconds              of each stage, from DVC's line about it to that about the next
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import harmonic_mean

import numpy as np

from benchmarks.stage_runs import ROOT, clone_last_commit
from benchmarks.yardstick import MEASURED, default_epoch
from stages.common.files import save_json
from sweeps.worker import environment

FIGURES = ROOT / "metrics/runtime/chain.json"
OVERRIDES = {"train.precision": "float32", "train.threads": "2"}
PAUSE = 30  # seconds, at least, from one measurement of the default epoch to the next
TRAININGS = ("train_default", "train_improved")


def run_chain(folder: Path) -> tuple[float, dict[str, float], list[float]]:
    """Run `dvc repro`; return its seconds, those of each stage and those of default epochs."""
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (MEASURED, 28, 28, 1), np.uint8)  # any take as long
    labels = rng.integers(0, 5, MEASURED)
    default_epochs, held = [default_epoch(images, labels)], 0.0
    marks: dict[str, float] = {}
    start = last = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        env=environment() | {"PYTHONUNBUFFERED": "1"},  # lines come as they are printed
        start_new_session=True,
    )
    for line in process.stdout or ():
        print(line, end="", flush=True)
        if not line.startswith("Running stage"):
            continue
        now = time.perf_counter()
        marks[line.split("'")[1]] = now - start - held
        if now - last > PAUSE:
            os.killpg(process.pid, signal.SIGSTOP)
            default_epochs.append(default_epoch(images, labels))
            os.killpg(process.pid, signal.SIGCONT)
            last = time.perf_counter()
            held += last - now
    if process.stdout:
        process.stdout.close()
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, process.args)
    seconds = time.perf_counter() - start - held
    default_epochs.append(default_epoch(images, labels))
    ends = [*list(marks.values())[1:], seconds]
    stages = {stage: end - mark for (stage, mark), end in zip(marks.items(), ends, strict=True)}
    return seconds, stages, default_epochs


def main(*overrides: str) -> None:
    given = dict(word.split("=", 1) for word in overrides)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "twist"
        clone_last_commit(folder, OVERRIDES | given)
        seconds, stages, default_epochs = run_chain(folder)
    unit = harmonic_mean(default_epochs)
    results = {
        "default_epochs": seconds / unit,
        "training_default_epochs": sum(stages[stage] for stage in TRAININGS) / unit,
        "default_epoch_seconds": default_epochs,
        "seconds": seconds,
        "stage_seconds": stages,
    }
    save_json(FIGURES, results)
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
