"""Nothing lost, nothing half-done: kills, Ctrl-C, threads, and the test set's reach."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.helpers import (
    COURSE,
    ROOT,
    RUN_TIMES,
    STAGES,
    attempt,
    call,
    clone_with_data,
    environment,
    locked_hashes,
    module,
    set_params,
    synthetic,
    write_csvs,
)

resource = pytest.importorskip("resource")  # not on Windows, nor are kills of process groups


@pytest.fixture(scope="module")
def copy(clone, tmp_path_factory):
    """A clone of the finished project, of which every file may be harmed."""
    folder = tmp_path_factory.mktemp("copy")
    clone_with_data(clone, folder)
    return folder


def start(folder: Path, *command: str) -> subprocess.Popen:
    """Start a command in a process group of its own, which Ctrl-C reaches."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or a background job ignores it
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for(process: subprocess.Popen, words: str) -> None:
    """Read what a process prints until some words are in a line."""
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"{words} was not printed")


def results_of(folder: Path) -> dict[str, str]:
    """The hash of every output in dvc.lock that tells no run times."""
    hashes = locked_hashes(folder).items()
    return {path: md5 for path, md5 in hashes if not path.startswith(RUN_TIMES)}


def left_over(folder: Path) -> list[str]:
    """Files that a stage did not finish, and those that git does not know."""
    parts = [path.name for path in folder.rglob("part-*")]
    return parts + call(folder, "git", "ls-files", "--others", "--exclude-standard").splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "words"),
    [("fetch", "Running stage"), ("train_default", "Epoch 1/"), ("train_improved", "from scratch")],
)
def test_after_kill_9_the_next_repro_ends_with_the_same_bytes(copy, stage, words):
    before = results_of(copy)
    command = ("dvc", "repro", "--force", "--single-item", "--no-run-cache", stage)
    killed = start(copy, *command)
    wait_for(killed, words)
    time.sleep(0.3)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    call(copy, *command)  # not from DVC's cache
    call(copy, "dvc", "repro", "--no-run-cache")
    assert results_of(copy) == before
    assert left_over(copy) == []


@pytest.mark.slow
def test_ctrl_c_ends_with_one_line_of_ours_and_no_traceback(copy):
    before = results_of(copy)
    command = ("dvc", "repro", "--force", "--single-item", "--no-run-cache", "train_default")
    stopped = start(copy, *command)
    wait_for(stopped, "Epoch 1/")
    os.killpg(stopped.pid, signal.SIGINT)
    output = stopped.stdout.read()
    assert stopped.wait() != 0
    assert "Traceback" not in output
    assert output.count("train_default: stopped; `dvc repro` starts this stage again") == 1
    call(copy, *command)
    call(copy, "dvc", "repro", "--no-run-cache")
    assert results_of(copy) == before
    assert left_over(copy) == []


def course_project(folder: Path, seed: int) -> None:
    """Make a folder with the stages, parameters for a short training, and CSVs of a course.

    Args:
        seed: of the test images and labels
    """
    (folder / "stages").symlink_to(ROOT / "stages")
    shutil.copy(ROOT / "params.yaml", folder)
    set_params(folder, train__precision="float32", train_default__epochs=2)
    set_params(folder, train_improved__epochs=1, train_improved__width=8)
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
    commands = [[module("prepare"), *raw, "data/prepared", "metrics/prepare.json"]]
    for network in ("default", "improved"):
        outputs = [f"{network}.keras", f"live/{network}", f"runtime_{network}.json"]
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
