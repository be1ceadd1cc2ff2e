"""Run a stage's own command from dvc.yaml in a folder apart, and measure it. Linux alone."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from pathlib import Path

from stages.common.yaml import load_yaml, parse_yaml

ROOT = Path(__file__).parent.parent
CODE = ("stages", "benchmarks")
TURN = 0.5  # seconds


@dataclass
class Run:
    """What a stage took: wall time without pauses, in seconds, and its most memory, in bytes."""

    seconds: float
    peak_bytes: int


def lay_out(folder: Path, overrides: dict) -> dict:
    """Put the code and params.yaml into a folder, perhaps once more; return the parameters there.

    Args:
        overrides: parameters to set, named as for `dvc exp run -S`: {"train.lr": 0.05}
    """
    params = override(load_yaml(ROOT / "params.yaml"), overrides)
    (folder / "params.yaml").write_text(json.dumps(params))  # JSON is YAML
    for name in CODE:
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    return params


def clone_last_commit(folder: Path, overrides: dict[str, str]) -> None:
    """Clone the project as last committed, without its data, and set parameters there.

    Args:
        overrides: values as in YAML by parameter, as for `dvc exp run -S`
    """
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    if overrides:
        values = {name: parse_yaml(value) for name, value in overrides.items()}
        params = override(load_yaml(folder / "params.yaml"), values)
        (folder / "params.yaml").write_text(json.dumps(params))  # JSON is YAML


def override(params: dict, overrides: dict) -> dict:
    """Set parameters that are named as for `dvc exp run -S`, in place; return them all."""
    for name, value in overrides.items():
        block, key = name.split(".")
        params[block][key] = value
    return params


def run_stage(
    folder: Path, stage: str, pause: Callable[[], None] = lambda: None, every: float = inf
) -> Run:
    """Run a stage in a folder that was laid out; what it prints is seen.

    Args:
        pause: called every `every` seconds while the stage is held

    Raises:
        subprocess.CalledProcessError: the stage failed.
    """
    command = stage_command(stage)
    start, held, next_pause, peak = time.perf_counter(), 0.0, every, 0
    process = subprocess.Popen(command, cwd=folder)
    while process.poll() is None:
        peak = peak_bytes(process.pid) or peak
        time.sleep(0.02)
        seconds = time.perf_counter() - start - held
        if seconds > next_pause:
            process.send_signal(signal.SIGSTOP)
            pause()
            process.send_signal(signal.SIGCONT)
            held = time.perf_counter() - start - seconds
            next_pause += every
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Run(time.perf_counter() - start - held, peak)


def stage_command(stage: str) -> list[str]:
    """Return a stage's own command, run by this Python."""
    command = load_yaml(ROOT / "dvc.yaml")["stages"][stage]["cmd"].split()
    return [sys.executable, *command[1:]]


def alternate(commands: list[list[str]], folder: Path) -> list[float]:
    """Train by several commands in turns of `TURN` seconds, while the others are held.

    So all meet the same ups and downs of the machine.

    Args:
        commands: each trains for two epochs and prints Keras' line at the end of each

    Returns:
        the seconds of each command's second epoch, in its own turns
    """
    processes = [
        subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) for command in commands
    ]
    pipes = [process.stdout for process in processes if process.stdout]
    for process, pipe in zip(processes, pipes, strict=True):
        process.send_signal(signal.SIGSTOP)
        os.set_blocking(pipe.fileno(), False)
    used = [0.0] * len(commands)
    ends: list[list[float]] = [[] for _ in commands]
    while any(process.poll() is None for process in processes):
        for number, (process, pipe) in enumerate(zip(processes, pipes, strict=True)):
            start = time.perf_counter()
            process.send_signal(signal.SIGCONT)
            while process.poll() is None and time.perf_counter() < start + TURN:
                time.sleep(0.02)
                if b"/step" in (pipe.read() or b""):
                    ends[number].append(used[number] + time.perf_counter() - start)
            process.send_signal(signal.SIGSTOP)
            used[number] += time.perf_counter() - start
    for process, command in zip(processes, commands, strict=True):
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
    return [second - first for first, second in ends]


def load_json(path: Path) -> dict:
    """Return the figures stored at `path`, or none if there is no such file yet."""
    return json.loads(path.read_text()) if path.exists() else {}


def peak_bytes(pid: int) -> int:
    """Return the most memory that a process has held so far, or 0 if it has ended.

    `ru_maxrss` will not do: it counts what the process that started this one held.
    """
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0
