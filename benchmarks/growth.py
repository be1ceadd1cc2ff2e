"""Measure how run time and memory grow with the data: a quarter, a half and all of the rows.

    python -m benchmarks.growth
    python -m benchmarks.growth prepare train_default

Reads   params.yaml, dvc.yaml, data/raw
Does    runs all stages that read rows, or some, which need no others, by their own commands,
        trainings for an epoch
Writes  metrics/runtime/growth.json, and prints it: seconds and most megabytes by stage, with 1x, 2x
        and 4x the rows of a quarter
"""

import sys
import tempfile
from itertools import islice
from pathlib import Path

from benchmarks.stage_runs import ROOT, lay_out, run_stage
from stages.common.files import save_json
from stages.common.yaml import load_yaml

FACTORS = (1, 2, 4)
# They read no rows: code, a download, figures of other stages.
LEFT_OUT = (
    "fetch",
    "describe_networks",
    "compare_sweeps",
    "report",
    "notebook",
    "plots_page",
    "summary",
)
OVERRIDES = {"train_default.epochs": 1, "train_improved.epochs": 1, "train.precision": "float32"}


def write_csvs(folder: Path, factor: int) -> None:
    """Write the four CSVs with the first `factor` quarters of their rows."""
    folder.mkdir(parents=True)
    for path in sorted((ROOT / "data/raw").glob("*.csv")):
        with path.open("rb") as rows:
            n = sum(1 for _ in rows)
            rows.seek(0)
            (folder / path.name).write_bytes(b"".join(islice(rows, factor * n // FACTORS[-1])))


def stages_in_order() -> list[str]:
    """Return the stages that read rows, each after those whose outputs it reads."""
    stages = load_yaml(ROOT / "dvc.yaml")["stages"]
    return [name for name in stages if name not in LEFT_OUT]


def main(stages: list[str]) -> None:
    results: dict[str, dict] = {stage: {} for stage in stages}
    for factor in FACTORS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, OVERRIDES)
            write_csvs(folder / "data/raw", factor)
            for stage in stages:
                print(f"growth: {stage} on {factor} times the rows", flush=True)
                run = run_stage(folder, stage)
                results[stage][f"{factor}x"] = {
                    "seconds": run.seconds,
                    "peak_megabytes": run.peak_bytes / 1e6,
                }
    save_json(ROOT / "metrics/runtime/growth.json", results)
    print((ROOT / "metrics/runtime/growth.json").read_text())


if __name__ == "__main__":
    main(sys.argv[1:] or stages_in_order())
