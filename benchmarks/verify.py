"""Run the chain in a clone of the last commit, and hold every output against the committed one.

    python -m benchmarks.verify [BLOCK.KEY=VALUE ...]

Reads   the last commit
Does    clones it, sets the parameters given, runs `dvc repro` with an empty cache, and compares
Writes  nothing; prints a line for each output that has other bytes, and how many have the same;
        ends with exit status 1 if any is different

same        the same bytes, as both dvc.lock say
close       other bytes, which follow from sums with other last digits, as another processor makes
            them in networks, k-means and properties; what people read off them is within
            `TOLERANCES`
different   a figure beyond these, or other bytes of what no such sum has a part in

Outputs that hold run times are not compared.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.stage_runs import clone_last_commit
from stages.common.yaml import load_yaml
from stages.hand_in.notebook import made_by
from sweeps.worker import environment

RUN_TIMES = ("metrics/runtime/", "report/")
SUMMING = {"train_default", "train_improved", "image_statistics", "label_flips"}  # stages
TOLERANCES: dict[str, dict[str, float]] = {  # by file and key; all else there is to be equal
    "metrics/evaluate/default.json": {"accuracy": 0.01, "macro_f1": 0.02},
    "metrics/evaluate/improved.json": {"accuracy": 0.01, "macro_f1": 0.02},
    "metrics/clusters.json": {"ari": 0.05},
    "metrics/label_flips.json": {"similar_accuracy": 0.02},
    "metrics/label_order.json": {"ordered": 0, "mixed": 0.05},
    "metrics/verdict.json": {"verdict": 0},
    "metrics/interpret.json": {"verdict": 0, "groups": 0},
}


def with_sums(stages: dict) -> set[str]:
    """Return the stages of dvc.yaml in `SUMMING`, and those that use what these have made."""
    found = set(SUMMING)
    while True:
        made = {path for name in found for path in made_by(stages[name])}
        more = {
            name
            for name, stage in stages.items()
            if any(meet(dep, path) for dep in stage["deps"] for path in made)
        }
        if more <= found:
            return found
        found |= more


def meet(path: str, other: str) -> bool:
    """Tell whether one of two paths is the other, or lies below it."""
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")


def judge(path: str, was: dict | None, now: dict | None, may_differ: bool) -> tuple[str, str]:
    """Say of an output with other bytes whether it is `close` or `different`, and why.

    Args:
        was, now: what it holds as committed and as made here, if it is one of `TOLERANCES`
        may_differ: whether a stage in `SUMMING` has a part in it
    """
    if not may_differ:
        return "different", "no sum of another processor has a part in it"
    for key, tolerance in TOLERANCES.get(path, {}).items():
        before, after = (was or {}).get(key), (now or {}).get(key)
        if isinstance(before, float) and isinstance(after, float):
            is_close = abs(after - before) <= tolerance
        else:
            is_close = before == after
        if not is_close:
            return "different", f"{key} was {before}, is {after}"
    return "close", "it follows from other last digits"


def hashes_of(lock: dict) -> dict[str, str]:
    """Return the hash of each output in dvc.lock by its path."""
    return {
        out["path"]: out["md5"]
        for stage in lock["stages"].values()
        for out in stage.get("outs", [])
    }


def main(*overrides: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "twist"
        clone_last_commit(folder, dict(word.split("=", 1) for word in overrides))
        committed = {path: json.loads((folder / path).read_text()) for path in TOLERANCES}
        before = hashes_of(load_yaml(folder / "dvc.lock"))
        command = [sys.executable, "-m", "dvc", "repro", "--force", "--no-run-cache"]
        subprocess.run(command, cwd=folder, env=environment(), check=True)
        after = hashes_of(load_yaml(folder / "dvc.lock"))
        made = {path: json.loads((folder / path).read_text()) for path in TOLERANCES}
        stages = load_yaml(folder / "dvc.yaml")["stages"]
    may_differ = {path for name in with_sums(stages) for path in made_by(stages[name])}
    counts = {"same": 0, "close": 0, "different": 0}
    for path in sorted(before.keys() | after.keys()):
        if path.startswith(RUN_TIMES):
            continue
        verdict, why = "same", ""
        if before.get(path) != after.get(path):
            was, now = committed.get(path), made.get(path)
            verdict, why = judge(path, was, now, path in may_differ)
            print(f"verify: {verdict}: {path}: {why}")
        counts[verdict] += 1
    print(f"verify: {', '.join(f'{n} {verdict}' for verdict, n in counts.items())}")
    if counts["different"]:
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
