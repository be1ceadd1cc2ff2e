"""Sweeps: plan, and the real thing on little data, on this machine and a cluster."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from stages.common.command import InputError
from stages.common.params import read_params
from stages.common.yaml import load_yaml, parse_yaml
from sweeps import sweep, worker
from sweeps.plan import plan, read_sweep
from tests.helpers import ROOT, attempt, call, clone_with_data, commit, environment, read_json

TINY = """
tiny:
  stage: train_default
  fixed:
    train_default.epochs: 1
  grid:
    train.lr: [0.1, 0.3]
  seeds: [1, 2]
broken:
  stage: train_default
  fixed:
    train_default.epochs: 1
  each:
    train_default.batch_size: [100000]
  seeds: [1]
"""
NAMES = {f"tiny-{setting}-seed={seed}" for setting in ("default", "lr=0.1") for seed in (1, 2)}
SWEEP = ("python", "-m", "sweeps.sweep")


def planned(**sweep):
    """Plan a sweep of the default network, with what is not given left out."""
    sweep = {"stage": "train_default", "fixed": {}, "each": {}, "grid": {}, "seeds": [1]} | sweep
    return plan("name", sweep, read_params(ROOT / "params.yaml"))


def test_every_committed_sweep_can_be_planned_and_has_three_seeds():
    params = read_params(ROOT / "params.yaml")
    for name in load_yaml(ROOT / "sweeps/sweeps.yaml"):
        sweep = read_sweep(ROOT, name)
        settings = {experiment.setting for experiment in plan(name, sweep, params)}
        assert "default" in settings
        assert len(sweep["seeds"]) >= 3


def test_each_changes_one_parameter_at_a_time():
    found = planned(each={"train.lr": [0.1], "train_default.batch_size": [128, 256]})
    assert [experiment.setting for experiment in found] == [
        "default",
        "lr=0.1",
        "batch_size=128",
        "batch_size=256",
    ]
    assert found[1].overrides == {
        "train.lr": 0.1,
        "train_default.batch_size": 64,
        "train.seed": 1,
    }


def test_a_grid_has_every_combination_once_and_params_yaml_first():
    found = planned(grid={"train.lr": [0.1, 0.3], "train_default.batch_size": [128, 64]})
    names = [experiment.name for experiment in found]
    assert names == [
        "name-default-seed=1",
        "name-lr=0.1-batch_size=128-seed=1",
        "name-lr=0.1-seed=1",
        "name-batch_size=128-seed=1",
    ]


def test_a_value_out_of_range_names_sweep_and_parameter():
    with pytest.raises(InputError, match=r"sweeps.yaml: name: train\.lr: -1 is less than or equal"):
        planned(each={"train.lr": [-1]})


def test_a_seed_out_of_range_names_sweep_and_parameter():
    with pytest.raises(InputError, match=r"sweeps.yaml: name: train\.seed: -1 is less than"):
        planned(seeds=[-1])


def test_the_name_of_an_experiment_has_no_quotes_that_a_shell_would_drop():
    found = planned(each={"train.precision": ["float32"]})
    assert found[1].name == "name-precision=float32-seed=1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tiny: [", "sweeps.yaml: expected YAML, found something else: while parsing"),
        ("", "sweeps.yaml: None is not of type 'object'"),
        ("a b: {stage: train_default, seeds: [1]}", "'a b' does not match"),
        (
            "tiny: {stage: train_default, seeds: [1], each: {train.seed: [2]}}",
            "tiny: train.seed: expected a parameter of train_default, one of train.lr",
        ),
        (
            "tiny: {stage: train_default, seeds: [1], fixed: {train.lr: 1}, grid: {train.lr: [1]}}",
            "tiny: train.lr: expected fixed or tried, found both",
        ),
        ("a: {stage: train_default, seeds: [1]}", "expected one of a, found no tiny"),
        ("tiny: {stage: train_default}", "tiny: 'seeds' is a required property"),
        ("tiny: {stage: pca, seeds: [1]}", "tiny: stage: 'pca' is not one of"),
        (
            "tiny: {stage: train_default, seeds: [1], fixed: {prepare.limit: 9}}",
            "tiny: prepare.limit: expected a parameter of train_default, one of train.lr",
        ),
    ],
)
def test_a_wrong_sweep_is_one_clear_line(tmp_path, text, message):
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps/sweeps.yaml").write_text(text)
    for name in ("dvc.yaml", "sweeps/sweeps.schema.json"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    with pytest.raises(InputError, match=message):
        read_sweep(tmp_path, "tiny")


def test_a_project_in_a_folder_of_a_repository_is_found_in_commits_and_clones(
    tmp_path, monkeypatch
):
    project = tmp_path / "repository/of a course/twist"
    project.mkdir(parents=True)
    call(tmp_path / "repository", "git", "init", "-q")
    call(project, "git", "config", "user.name", "Test")
    call(project, "git", "config", "user.email", "test@example.com")
    (project / "dvc.lock").write_text("stages: {}")
    commit(project, "A project")
    monkeypatch.setattr(sweep, "ROOT", project)
    monkeypatch.setattr(sweep, "dvc", lambda *_: "cache")
    monkeypatch.setattr(worker, "dvc", lambda folder, *_: (folder / "dvc.lock").read_text())
    monkeypatch.setattr(
        worker, "get_worker", lambda: SimpleNamespace(local_directory=str(tmp_path))
    )
    home = sweep.home_here()
    assert sweep.show("HEAD", "dvc.lock") == "stages: {}"
    assert (worker.clone_of(home) / "dvc.lock").read_text() == "stages: {}"


@pytest.fixture(scope="module")
def project(clone, tmp_path_factory):
    """The finished project in a folder of a bigger repository, with little sweeps, no table yet.

    Its path has spaces and a letter that is not ASCII; it has a DVC remote.
    """
    repository = tmp_path_factory.mktemp("Kurs für alle")
    folder = clone_with_data(clone, repository / "my twist")
    shutil.rmtree(folder / ".git")
    call(repository, "git", "init", "-q", "-b", "main")
    call(repository, "git", "config", "user.name", "Test")
    call(repository, "git", "config", "user.email", "test@example.com")
    store = store_of(folder)
    call(folder, "dvc", "remote", "add", "-q", "--default", "store", str(store))
    (folder / "sweeps/sweeps.yaml").write_text(TINY)
    for path in ("metrics/experiments.csv", "metrics/runtime/experiments.csv"):
        (folder / path).unlink(missing_ok=True)
    commit(folder, "Little sweeps")
    return folder


def store_of(project):
    """The folder that is the project's DVC remote, outside its repository."""
    return project.parent.with_name("store")


@pytest.fixture(scope="module")
def swept(project):
    """The project, after the tiny sweep on this machine, and what that printed."""
    return project, call(project, *SWEEP, "tiny")


def read_table(folder):
    return pd.read_csv(folder / "metrics/experiments.csv")


@pytest.mark.slow
def test_a_sweep_makes_experiments_of_its_stage_alone_and_a_table(swept):
    folder, output = swept
    assert "sweep: tiny: 4 experiments of train_default, 0 of them done" in output
    found = read_table(folder)
    assert set(found["experiment"]) == NAMES
    assert found["validation_accuracy"].between(0, 1).all()
    assert set(found["train.lr"]) == {0.1, 0.3}
    assert set(found["kept"]) == {"train_default.batch_size=64"}
    listed = call(folder, "dvc", "exp", "list", "--name-only")
    assert set(listed.split()) >= NAMES
    changed = call(folder, "git", "diff", "--name-only", "HEAD", "refs/exps/" + ref_of(folder))
    assert not any("improved" in path or "evaluate" in path for path in changed.splitlines())
    runtimes = pd.read_csv(folder / "metrics/runtime/experiments.csv")
    assert set(runtimes["experiment"]) == NAMES
    assert (runtimes["seconds"] > 0).all()


def ref_of(folder, name="tiny-lr=0.1-seed=1"):
    """Return what follows refs/exps/ in the reference of an experiment of the last commit."""
    head = call(folder, "git", "rev-parse", "HEAD").strip()
    return f"{head[:2]}/{head[2:]}/{name}"


@pytest.mark.slow
def test_a_sweep_ends_with_a_comparison_and_the_winner_as_a_command_that_works(swept):
    folder, output = swept
    found = read_json(folder / "metrics/sweeps.json")["tiny"]
    assert found["same_data"]
    winner = found["winner"]
    assert f"sweep: to have {winner['experiment']}," in output
    commit_hash = re.search(r"dvc exp apply (\w+)", output)[1]
    assert (folder / "plots/sweeps/tiny.png").exists()
    saved = {path: path.read_bytes() for path in folder.glob("metrics/**/*.*")}
    call(folder, "git", "stash", "-q", "--include-untracked")
    call(folder, "dvc", "exp", "apply", commit_hash)
    applied = read_json(folder / "metrics/default/metrics.json")["accuracy"]
    call(folder, "git", "checkout", "-q", "--", ".")
    call(folder, "git", "clean", "-fdq")
    call(folder, "git", "stash", "pop", "-q")
    assert {path: path.read_bytes() for path in saved} == saved
    found = read_table(folder).set_index("experiment")["validation_accuracy"]
    assert applied == pytest.approx(found[winner["experiment"]], abs=1e-5)


@pytest.mark.slow
def test_a_sweep_goes_on_where_it_was_and_ends_with_the_same_table(swept):
    folder, _ = swept
    before = (folder / "metrics/experiments.csv").read_bytes()
    call(folder, "dvc", "exp", "remove", "tiny-lr=0.1-seed=2")
    output = call(folder, *SWEEP, "tiny")
    assert "4 experiments of train_default, 3 of them done" in output
    assert "sweep: tiny-lr=0.1-seed=2" in output
    assert "sweep: tiny-lr=0.1-seed=1" not in output
    assert (folder / "metrics/experiments.csv").read_bytes() == before


@pytest.mark.slow
def test_an_experiment_that_fails_is_told_and_the_others_are_kept(swept):
    folder, _ = swept
    done = attempt(folder, *SWEEP, "broken")
    assert done.returncode == 1
    assert "sweep: 1 experiments failed" in done.stderr
    assert "expected at least one batch of 100000 images" in done.stdout + done.stderr
    found = read_table(folder).set_index("experiment")["validation_accuracy"]
    assert found["broken-default-seed=1"] > 0
    assert np.isnan(found["broken-batch_size=100000-seed=1"])
    assert set(found.index) >= NAMES


@pytest.mark.slow
def test_a_sweep_starts_from_committed_files_alone(swept):
    folder, _ = swept
    path = folder / "params.yaml"
    before = path.read_text()
    path.write_text(before.replace("lr: 0.3", "lr: 0.1"))
    done = attempt(folder, *SWEEP, "tiny")
    path.write_text(before)
    assert done.returncode == 1
    assert done.stderr == (
        "sweep: experiments start from the last commit: first commit params.yaml\n"
    )


@pytest.mark.lengthy
def test_a_cluster_that_loses_a_worker_ends_with_every_experiment_once_and_the_same_table(
    swept, tmp_path
):
    local, _ = swept
    bare, store = tmp_path / "bare.git", store_of(local)
    assert not store.exists()  # what workers need has to be pushed by the sweep
    call(tmp_path, "git", "clone", "-q", "--bare", str(local.parent), str(bare))
    for ref in call(bare, "git", "for-each-ref", "--format=%(refname)", "refs/exps").split():
        call(bare, "git", "update-ref", "-d", ref)
    other = clone_with_data(local, tmp_path / "other")
    call(other, "git", "remote", "set-url", "origin", str(bare))
    address = tmp_path / "scheduler.json"
    options = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(address))
    processes = [start(tmp_path, "scheduler", *options)]
    try:
        wait_for(address.exists)
        for name in "ab":
            processes.append(start_worker(tmp_path, name, address))
        scheduler = json.loads(address.read_text())["address"]
        sweep = subprocess.Popen(
            [*SWEEP, "tiny", "--scheduler", scheduler],
            cwd=other,
            env=environment(other),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        refs = ("git", "for-each-ref", "--format=%(refname:lstrip=4)", "refs/exps")
        wait_for(lambda: call(bare, *refs))
        kill(processes.pop())
        output, _ = sweep.communicate(timeout=600)
    finally:
        for process in processes:
            kill(process)
    assert sweep.returncode == 0, output
    assert sorted(call(bare, *refs).split()) == sorted(NAMES)
    assert set(call(other, "dvc", "exp", "list", "--name-only").split()) >= NAMES
    for name in NAMES:
        lock = parse_yaml(call(other, "git", "show", f"refs/exps/{ref_of(other, name)}:./dvc.lock"))
        model = lock["stages"]["train_default"]["outs"][0]["md5"]
        assert (store / "files/md5" / model[:2] / model[2:]).exists()
    theirs, ours = read_table(other), read_table(local)
    # The failed sweep's own parameter is empty here, and no column of the other table.
    ours = ours[ours["sweep"] == "tiny"].dropna(axis=1, how="all").reset_index(drop=True)
    # Accuracies that are all 1 are read as whole numbers, beside a failed run's gap as fractions.
    pd.testing.assert_frame_equal(theirs, ours, check_dtype=False)


@pytest.mark.slow
def test_a_cluster_needs_both_remotes_and_says_so(swept, tmp_path):
    local, _ = swept
    folder = clone_with_data(local, tmp_path / "alone")
    tell = lambda: attempt(folder, *SWEEP, "tiny", "--scheduler", "tcp://127.0.0.1:9").stderr  # noqa: E731
    call(folder, "dvc", "remote", "modify", "-q", "store", "url", "../nearby")
    commit(folder, "A remote that other machines cannot find")
    assert "DVC remote store: expected an absolute address in .dvc/config" in tell()
    call(folder, "dvc", "remote", "remove", "-q", "store")
    commit(folder, "No DVC remote")
    assert "a cluster needs a DVC remote: `dvc remote add --default" in tell()
    call(folder, "git", "remote", "remove", "origin")
    assert "a cluster needs a git remote: `git remote add origin" in tell()
    call(folder, "git", "remote", "add", "origin", str(local.parent))
    call(folder, "dvc", "remote", "add", "-q", "--default", "store", str(tmp_path / "store"))
    commit(folder, "A commit that is here alone")
    assert "first `git push origin HEAD`" in tell()


def start(folder, *command):
    """Start a Dask program in a process group of its own, which `kill` ends."""
    return subprocess.Popen(
        ["dask", *command, "--no-dashboard"],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def start_worker(folder, name, address):
    """Start a Dask worker that has a folder of its own and none of the project's files."""
    home = folder / name
    home.mkdir()
    options = ("--scheduler-file", str(address), "--nthreads", "1", "--local-directory", str(home))
    return start(home, "worker", *options)


def kill(process):
    """End a process and all that it started, without warning."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition, seconds=300):
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.2)
