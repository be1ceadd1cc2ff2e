"""The benchmarks, on little data."""

import json
import math
import sys
import time

import pytest

from benchmarks import chain, stage_runs, verify
from tests.helpers import STAGES, call, changed, commit, copy_project, read_json, write_csvs


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with images of a course, prepared, all committed."""
    folder = tmp_path_factory.mktemp("project")
    copy_project(folder, train__precision="float32")
    call(folder, "dvc", "repro", "prepare")
    commit(folder, "Prepared")
    return folder


@pytest.mark.lengthy
@pytest.mark.skipif(sys.platform == "win32", reason="the benchmarks need Linux or a Mac")
@pytest.mark.parametrize(
    ("command", "figures"),
    [
        (("speed", "1"), ["metrics/runtime/speed.json"]),
        (("growth", "prepare", "image_statistics"), ["metrics/runtime/growth.json"]),
        (
            ("recipes", "chain", "improved", "1", "2"),
            ["metrics/recipes.json", "metrics/runtime/recipes.json"],
        ),
    ],
)
def test_a_benchmark_stores_its_figures_and_changes_nothing_else(project, command, figures):
    script, *arguments = command
    write_csvs(project / "data/raw", n_train=800)  # of which growth.py takes a quarter
    call(project, "python", "-m", f"benchmarks.{script}", *arguments)
    assert changed(project) == set(figures)
    for path in figures:
        found = numbers(read_json(project / path))
        assert found
        assert all(0 <= value < math.inf for value in found)
    call(project, "git", "checkout", "-q", "--", ".")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the benchmarks need Linux or a Mac")
def test_the_chain_is_timed_stage_by_stage_in_a_clone_without_results(tmp_path, monkeypatch):
    project = tmp_path / "project"
    project.mkdir()
    call(project, "git", "init", "-q")
    call(project, "dvc", "init", "-q")
    stage = {"cmd": "python -c 'import time; time.sleep(0.4)'"}
    names = ("fetch", *chain.TRAININGS)
    (project / "dvc.yaml").write_text(json.dumps({"stages": dict.fromkeys(names, stage)}))
    (project / "params.yaml").write_text("train: {precision: auto, threads: auto, lr: 1}")
    commit(project, "Three stages")
    monkeypatch.setattr(stage_runs, "ROOT", project)
    monkeypatch.setattr(chain, "FIGURES", tmp_path / "chain.json")
    monkeypatch.setattr(chain, "PAUSE", 0)
    monkeypatch.setattr(chain, "default_epoch", lambda images, labels: time.sleep(1) or 2.0)
    chain.main("train.lr=0.5")
    found = read_json(tmp_path / "chain.json")
    assert list(found["stage_seconds"]) == list(names)
    assert all(0.4 < seconds < 1.4 for seconds in list(found["stage_seconds"].values())[:2])
    assert sum(found["stage_seconds"].values()) < found["seconds"]
    assert found["default_epochs"] == pytest.approx(found["seconds"] / 2, rel=1e-4)
    assert found["default_epoch_seconds"] == [2.0] * 5
    assert changed(project) == set()


def numbers(values):
    """Every number in nested dicts and lists."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list):
        return [number for value in values for number in numbers(value)]
    return [values]


def test_what_another_processor_may_make_differently_is_found_from_the_chain():
    found = verify.with_sums(STAGES)
    assert {"train_default", "evaluate", "groups", "label_flips", "guess", "report"} <= found
    assert not found & {"fetch", "prepare", "describe_networks", "plots_page"}


@pytest.mark.parametrize(
    ("path", "was", "now", "may_differ", "verdict"),
    [
        ("metrics/evaluate/default.json", {"accuracy": 0.984}, {"accuracy": 0.979}, True, "close"),
        (
            "metrics/evaluate/default.json",
            {"accuracy": 0.984},
            {"accuracy": 0.9},
            True,
            "different",
        ),
        ("metrics/evaluate/default.json", {"accuracy": 0.984}, {}, True, "different"),
        ("metrics/verdict.json", {"verdict": "mixed"}, {"verdict": "mixed"}, True, "close"),
        ("metrics/verdict.json", {"verdict": "mixed"}, {"verdict": "other"}, True, "different"),
        ("metrics/interpret.json", {"groups": {"0": 1}}, {"groups": {"0": 2}}, True, "different"),
        ("plots/guess.png", None, None, True, "close"),
        ("data/prepared/x_train.npy", None, None, False, "different"),
    ],
)
def test_an_output_with_other_bytes_is_close_only_within_what_is_stated(
    path, was, now, may_differ, verdict
):
    assert verify.judge(path, was, now, may_differ)[0] == verdict
