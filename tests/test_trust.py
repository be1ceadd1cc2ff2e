"""What influences what: neither test rows nor processors change what is trained."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import COURSE, ROOT, STAGES, attempt, module, set_params, synthetic, write_csvs


def course_project(folder: Path, seed: int) -> None:
    """Make a folder with the stages, parameters for a short training, and CSVs of a course.

    Args:
        seed: of the test images and labels
    """
    (folder / "stages").symlink_to(ROOT / "stages")
    shutil.copy(ROOT / "params.yaml", folder)
    set_params(folder, train__precision="float32", train__threads=2, train_default__epochs=2)
    set_params(folder, train_improved__epochs=2, train_improved__width=8)
    write_csvs(folder / "data/raw")
    images, labels = synthetic(120, seed)
    labels = np.random.default_rng(seed).permutation(labels)
    pd.DataFrame(images.reshape(120, -1)).to_csv(
        folder / "data/raw/x_test.csv", header=False, index=False
    )
    pd.DataFrame(labels).to_csv(folder / "data/raw/y_test.csv", header=False, index=False)


PREPARED = [f"data/prepared/{kind}_{split}.npy" for split in ("train", "valid") for kind in "xy"]


def train(folder: Path, *before: str) -> dict[str, bytes]:
    """Run prepare and both trainings; return what the trainings made, but for run times.

    Args:
        before: of the commands, such as `taskset`
    """
    raw = [path.replace("course", "raw") for path in COURSE]
    commands = [
        [module("prepare"), *raw, "data/prepared", "plots/images.csv", "metrics/audit.json"]
    ]
    for network in ("default", "improved"):
        outputs = [f"{network}.keras", f"live/{network}", f"runtime_{network}.csv"]
        commands.append([module(f"train_{network}"), *PREPARED, *outputs])
    for command in commands:
        done = attempt(folder, *before, sys.executable, "-m", *command)
        assert done.returncode == 0, done.stderr
    paths = [*folder.glob("*.keras"), *folder.glob("live/**/*.*"), *map(folder.joinpath, PREPARED)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> dict[str, bytes]:
    """What the trainings make of the synthetic images."""
    folder = tmp_path_factory.mktemp("trained")
    course_project(folder, seed=2)
    return train(folder)


@pytest.mark.slow
def test_other_test_rows_change_no_byte_of_the_trainings(trained, tmp_path):
    course_project(tmp_path, seed=3)
    assert len(trained) > 8
    assert train(tmp_path) == trained


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("taskset"), reason="processors are bound by taskset")
def test_on_one_processor_the_trainings_make_the_same_bytes(trained, tmp_path):
    course_project(tmp_path, seed=2)
    processor = str(min(os.sched_getaffinity(0)))
    assert train(tmp_path, "taskset", "--cpu-list", processor) == trained


def test_what_evaluate_reads_was_made_without_test_rows():
    makers = {}
    for name, stage in STAGES.items():
        for out in [*stage.get("outs", []), *stage.get("metrics", [])]:
            makers[next(iter(out)) if isinstance(out, dict) else out] = name
    before, left = set(), ["evaluate"]
    while left:
        left += [makers[path] for path in STAGES[left.pop()]["deps"] if path in makers]
        before |= set(left)
    assert {"train_default", "train_improved"} <= before
    for name in before - {"fetch", "prepare"}:  # which read CSVs of both
        assert not [path for path in STAGES[name]["deps"] if "test" in path], name
