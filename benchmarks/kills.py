"""Stop `dvc repro` at random moments of every stage, and compare what it ends with. Not Windows.

    python -m benchmarks.kills KILL
    python -m benchmarks.kills INT

Reads   the last commit, data/raw
Does    on a few images in a clone: `dvc repro` undisturbed; then again from nothing, in other
        clones, while the whole process group gets SIGKILL (or SIGINT, as by Ctrl-C) at a random
        moment of every stage, and several times of `OFTEN`; `dvc repro` goes on after each, and
        what a clone has in the end is compared
Writes  metrics/kills.json, and prints it: by signal

stopped     how often a stage was stopped, by stage
lock_torn   how often that was while DVC wrote dvc.lock, which it does in place: `dvc repro` then
            says that it cannot read it, and `git checkout dvc.lock` puts it right
outputs     outputs compared, all but those that tell run times, and their `bytes`
differing   those with other bytes than those of the undisturbed run
left_over   files that git does not know, or that a stage did not finish, found at the end
tracebacks  printed by stages that were stopped
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.stage_runs import ROOT, load_json
from stages.common.files import save_json
from stages.common.yaml import load_yaml
from sweeps.worker import environment

FIGURES = ROOT / "metrics/kills.json"
ROWS = {"train": 400, "test": 150}
OVERRIDES = {
    "fetch": {"source": "course"},
    "train": {"precision": "float32"},
    "train_default": {"epochs": 2},
    "train_improved": {"epochs": 1, "width": 16},
}
OFTEN = {"fetch": 3, "train_default": 3, "train_improved": 3}
TELL_TIMES = ("metrics/runtime/", "report/")
DVC = (sys.executable, "-m", "dvc")
STAGE_STARTS = "Running stage '"
TORN = "'./dvc.lock'"  # starts what DVC says of a lock that it cannot read


def call(folder: Path, *command: str) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True).stdout


def clone(folder: Path) -> None:
    """Clone the project into `folder`, with a few images as the course's and short trainings."""
    call(folder, "git", "clone", "-q", str(ROOT), ".")
    for split, rows in ROWS.items():
        for kind in "xy":
            table = pd.read_csv(ROOT / f"data/raw/{kind}_{split}.csv", header=None, nrows=rows)
            table.to_csv(folder / f"data/course/{kind}_{split}.csv", header=False, index=False)
    params = load_yaml(folder / "params.yaml")
    for block, values in OVERRIDES.items():
        params[block] |= values
    (folder / "params.yaml").write_text(json.dumps(params))  # JSON is YAML


def start(folder: Path) -> subprocess.Popen[str]:
    """Start `dvc repro` in a process group of its own."""
    both: dict = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    command = (*DVC, "repro", "--no-run-cache")
    options = both | {"env": environment(), "start_new_session": True}
    return subprocess.Popen(command, cwd=folder, **options)


def stage_in(line: str) -> str | None:
    """Return the stage that a line of DVC says to start."""
    return line.split("'")[1] if line.startswith(STAGE_STARTS) else None


def run_undisturbed(folder: Path) -> dict[str, float]:
    """Run `dvc repro` to its end; return the seconds of each stage."""
    starts: dict[str, float] = {}
    process = start(folder)
    for line in process.stdout or ():
        if stage := stage_in(line):
            starts[stage] = time.perf_counter()
    if process.wait():
        sys.exit("kills: `dvc repro` failed undisturbed")
    times = [*starts.values(), time.perf_counter()]
    return dict(zip(starts, np.diff(times), strict=True))


def run_stopped(
    folder: Path, planned: Counter, seconds: dict[str, float], how: int, rng: np.random.Generator
) -> tuple[str | None, str]:
    """Run `dvc repro` until it ends or is stopped in a stage that is planned.

    Returns:
        the stage in which it was stopped, if it was, which may be the one after the one that was
        meant; and what was printed
    """
    process = start(folder)
    printed, stage, sent = [], None, False
    for line in process.stdout or ():
        printed.append(line)
        stage = stage_in(line) or stage
        if not sent and stage and stage_in(line) and planned[stage]:
            time.sleep(rng.uniform(0, seconds[stage]))
            os.killpg(process.pid, how)
            sent = True
    failed = process.wait()
    if failed and not sent and not "".join(printed).startswith(TORN):
        sys.exit(f"kills: `dvc repro` did not recover:\n{''.join(printed)}")
    return stage if failed and sent else None, "".join(printed)


def results(folder: Path) -> dict[str, tuple[str, int]]:
    """Return hash and size of every output that tells no run times, by path."""
    lock = load_yaml(folder / "dvc.lock")
    outs = [out for stage in lock["stages"].values() for out in stage.get("outs", [])]
    return {
        out["path"]: (out["md5"], out["size"])
        for out in outs
        if not out["path"].startswith(TELL_TIMES)
    }


def main(name: str) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or a background job ignores it
    how, rng = getattr(signal, f"SIG{name}"), np.random.default_rng(1)
    stopped: Counter[str] = Counter()
    left_over: set[str] = set()
    differing: set[str] = set()
    lock_torn = tracebacks = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch, "undisturbed")
        folder.mkdir()
        clone(folder)
        seconds = run_undisturbed(folder)
        expected = results(folder)
        planned = Counter(dict.fromkeys(seconds, 1) | OFTEN)
        while planned:
            folder = Path(tempfile.mkdtemp(dir=scratch))
            clone(folder)
            while True:
                stage, printed = run_stopped(folder, planned, seconds, how, rng)
                if printed.startswith(TORN):
                    call(folder, "git", "checkout", "-q", "dvc.lock")
                    lock_torn += 1
                    continue
                if not stage:
                    break
                planned -= Counter([stage])
                stopped[stage] += 1
                tracebacks += printed.count("Traceback")
                print(f"kills: {stopped.total()}: {stage}", flush=True)
            found = results(folder)
            differing |= {path for path in expected if found.get(path) != expected[path]}
            unknown = call(folder, "git", "ls-files", "--others", "--exclude-standard")
            left_over |= {path.name for path in folder.rglob("part-*")} | set(unknown.splitlines())
    figures = {
        "stopped": dict(stopped),
        "in_all": stopped.total(),
        "lock_torn": lock_torn,
        "outputs": len(expected),
        "bytes": sum(size for _, size in expected.values()),
        "differing": sorted(differing),
        "left_over": sorted(left_over),
        "tracebacks": tracebacks,
    }
    save_json(FIGURES, load_json(FIGURES) | {f"SIG{name}": figures})
    print(f"kills: {figures}")


if __name__ == "__main__":
    if sys.argv[1:] not in (["KILL"], ["INT"]):
        sys.exit("kills: expected KILL or INT")
    main(sys.argv[1])
