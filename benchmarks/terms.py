"""Run the chain on the labels of terms of the course, and keep what it finds.

    python -m benchmarks.terms winter-2025 winter-2022 winter-2020

Reads   the last commit
Does    clones it for each term, sets `fetch.twist`, and runs `dvc repro` as far as the verdict
Writes  metrics/terms.json, and prints it: of each term, test accuracies of both networks, the
        verdict, how many groups each label has, and what they follow; terms of other runs stay
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.stage_runs import ROOT, clone_last_commit, load_json
from stages.common.files import save_json
from sweeps.worker import environment

FIGURES = ROOT / "metrics/terms.json"
NETWORKS = ("default", "improved")


def read_results(metrics: Path) -> dict:
    """Return what a chain's metrics say of both networks and of the labels."""
    scores = {name: load_json(metrics / f"evaluate/{name}.json")["accuracy"] for name in NETWORKS}
    found = load_json(metrics / "interpret.json")
    told = ("verdict", "groups", "property", "ordered")
    return scores | {key: found[key] for key in told}


def main(*terms: str) -> None:
    for term in terms:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "twist"
            clone_last_commit(folder, {"fetch.twist": term})
            command = [sys.executable, "-m", "dvc", "repro", "evaluate", "interpret"]
            subprocess.run(command, cwd=folder, env=environment(), check=True)
            save_json(FIGURES, load_json(FIGURES) | {term: read_results(folder / "metrics")})
    print(json.dumps(load_json(FIGURES), indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
