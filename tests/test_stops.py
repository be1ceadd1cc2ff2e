"""Nothing lost, nothing half-done: kills and Ctrl-C while a stage runs."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers import RUN_TIMES, call, clone_with_data, environment, locked_hashes

pytest.importorskip("resource")  # not on Windows, nor are kills of process groups


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


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        pytest.param("fetch", "Running stage", marks=pytest.mark.slow),
        pytest.param("train_default", "Epoch 1/", marks=pytest.mark.slow),
        pytest.param("train_improved", "from scratch", marks=pytest.mark.lengthy),
    ],
)
def test_after_kill_9_the_next_repro_ends_with_the_same_bytes(copy, stage, words):
    before = results_of(copy)
    command = ("dvc", "repro", "--force", "--single-item", "--no-run-cache", stage)
    killed = start(copy, *command)
    wait_for(killed, words)
    time.sleep(0.3)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
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
    output, _ = stopped.communicate()
    assert stopped.returncode != 0
    assert "Traceback" not in output
    assert output.count("train_default: stopped; `dvc repro` starts this stage again") == 1
    call(copy, *command)
    call(copy, "dvc", "repro", "--no-run-cache")
    assert results_of(copy) == before
    assert left_over(copy) == []
