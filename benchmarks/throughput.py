"""Time a sweep of ten short experiments by two workers, and the same by `dvc queue` with two jobs.

    python -m benchmarks.throughput

Reads   the last commit and the DVC cache
Does    runs both in turns, three times, each in a clone of its own; with other seeds every time,
        since DVC would not train again
Writes  metrics/runtime/throughput.json: seconds of each run, and the median of the ratios, sweep
        over queue. The queue's are from the first command until the last experiment is there, the
        sweep's until its table is compared and drawn, too.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.stage_runs import ROOT
from stages.common.files import save_json
from stages.common.yaml import load_yaml

FIGURES = ROOT / "metrics/runtime/throughput.json"
PAIRS = 3
EXPERIMENTS = 10
JOBS = 2
LONGEST = 600  # seconds that a run may take
STAGE = "train_default"
OVERRIDES = {"train_default.epochs": 2}
LIMIT = 2_000  # training images: the shorter an experiment, the more what is around it weighs
DVC = (sys.executable, "-m", "dvc")


def call(folder: Path, *command: str) -> str:
    """Run a command and return what it prints."""
    done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


def clone(folder: Path, seeds: list[int]) -> None:
    """Clone the project into `folder`, with few images and a sweep of the seeds."""
    call(folder, "git", "clone", "-q", str(ROOT), ".")
    call(folder, "git", "config", "user.name", "benchmark")
    call(folder, "git", "config", "user.email", "benchmark@localhost")
    call(folder, *DVC, "config", "--local", "cache.dir", call(ROOT, *DVC, "cache", "dir").strip())
    params = load_yaml(folder / "params.yaml")
    params["prepare"]["limit"] = LIMIT
    (folder / "params.yaml").write_text(json.dumps(params))  # JSON is YAML
    sweep = {"stage": STAGE, "fixed": OVERRIDES, "seeds": seeds}
    (folder / "sweeps/sweeps.yaml").write_text(json.dumps({"short": sweep}))  # JSON is YAML
    call(folder, *DVC, "checkout", "-q", "fetch")
    call(folder, *DVC, "repro", "-q", "prepare")
    call(folder, "git", "commit", "-qam", "A short sweep")


def run_sweep(folder: Path, seeds: list[int]) -> None:
    """Run the experiments by sweeps.sweep."""
    call(folder, sys.executable, "-m", "sweeps.sweep", "short", "--jobs", str(JOBS))


def run_queue(folder: Path, seeds: list[int]) -> None:
    """Run the experiments by `dvc queue`, and wait for the last."""
    fixed = [word for name, value in OVERRIDES.items() for word in ("-S", f"{name}={value}")]
    for seed in seeds:
        options = ("--name", f"short-{seed}", *fixed, "-S", f"train.seed={seed}")
        call(folder, *DVC, "exp", "run", "-q", "--queue", "--single-item", *options, STAGE)
    call(folder, *DVC, "queue", "start", "-q", "--jobs", str(JOBS))
    for _ in range(5 * LONGEST):
        if call(folder, "git", "for-each-ref", "refs/exps/*/*/short-*").count("\n") == len(seeds):
            return
        time.sleep(0.2)
    sys.exit(f"throughput: the queue has not ended within {LONGEST} s")


def seconds_of(run: Callable[[Path, list[int]], None], seeds: list[int]) -> float:
    """Time the experiments of some seeds, in a clone that is there before the clock starts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        clone(Path(name), seeds)
        start = time.perf_counter()
        run(Path(name), seeds)
        return time.perf_counter() - start


def main() -> None:
    runs = {"sweep": run_sweep, "queue": run_queue}
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    next_seed = time.time_ns() % 10**9  # never tried before
    for pair in range(PAIRS):
        for name, run in runs.items() if pair % 2 == 0 else reversed(runs.items()):
            seeds = list(range(next_seed, next_seed + EXPERIMENTS))
            next_seed += EXPERIMENTS
            seconds[name].append(seconds_of(run, seeds))
            print(f"throughput: {name}: {seconds[name][-1]:.0f} s", flush=True)
    ratios = [sweep / queue for sweep, queue in zip(*seconds.values(), strict=True)]
    save_json(FIGURES, seconds | {"median_ratio": median(ratios)})
    print(f"throughput: the sweep took {median(ratios):.2f} of the queue's time, the median")


if __name__ == "__main__":
    main()
