"""The benchmarks, on little data."""

import json
import math
import sys
import time
from collections import Counter

import numpy as np
import pytest

from benchmarks import calibration, chain, labels, stage_runs, verify
from stages.common.files import save_array, save_json
from stages.meaning.statistics import measure
from tests.helpers import (
    STAGES,
    call,
    changed,
    commit,
    copy_project,
    read_json,
    synthetic,
    write_csvs,
)


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


@pytest.fixture(scope="module")
def made_up():
    """The kind and the labels of the seeds 0 to 9, of images of ten classes."""
    images, fives = synthetic(2_000)
    classes = fives + 5 * np.random.default_rng(0).integers(0, 2, len(fives))
    given = (classes, images[..., 0], measure(images))
    return {seed: (*labels.make_labels(seed, *given), given) for seed in range(10)}


def test_sixty_seeds_in_a_row_are_six_of_each_kind_and_no_seed_is_in_two_sets():
    kinds = Counter(labels.KINDS[seed % len(labels.KINDS)] for seed in calibration.SETS["scoring"])
    assert set(kinds.values()) == {6}
    assert len(kinds) == 10
    seeds = [seed for of_set in calibration.SETS.values() for seed in of_set]
    assert len(set(seeds)) == len(seeds)
    assert not set(seeds) & {*range(100, 120), *range(200, 220), *range(1_000, 7_200)}


def test_labels_made_up_are_five_none_too_rare_and_the_same_for_a_seed(made_up):
    for seed, (kind, values, given) in made_up.items():
        assert kind == labels.KINDS[seed] or labels.KINDS[seed].startswith("wrong_")
        assert np.bincount(values, minlength=5).min() >= 0.04 * len(values)
        assert set(values) == set(range(5))
        again = labels.make_labels(seed, *given)
        assert again[0] == kind
        np.testing.assert_array_equal(again[1], values)


def test_a_class_has_one_label_only_where_labels_stand_for_classes(made_up):
    for kind, values, (classes, _, _) in list(made_up.values())[:7]:
        mixed_classes = [len(set(values[classes == one])) > 1 for one in range(10)]
        assert any(mixed_classes) == (kind not in calibration.CLASSES)
    sizes = {
        kind: sorted(len(set(classes[values == label])) for label in range(5))
        for kind, values, (classes, _, _) in list(made_up.values())[:3]
    }
    assert sizes["alone"][0] == 1
    assert sizes["five"][-1] == 5


def test_as_many_labels_as_told_go_wrong(made_up, monkeypatch):
    monkeypatch.setattr(labels, "PURE", (labels.merge,))
    classes, images, statistics = made_up[0][2]
    for seed, wrong in ((7, 0.02), (8, 0.1)):
        kind, values = labels.make_labels(seed, classes, images, statistics)
        usual = [np.bincount(values[classes == one]).max() for one in range(10)]
        assert 1 - sum(usual) / len(values) == pytest.approx(wrong, abs=0.02)
        assert calibration.VERDICTS[kind] == "visual_groups"


def test_every_kind_of_labels_has_a_verdict_that_is_right():
    pure = {kind.__name__ for kind in (*labels.PURE, labels.drawn)}
    assert set(calibration.VERDICTS) == pure


CLEAR = {  # figures of labels that stand for classes
    "chance_p": 0.0,
    "majority_accuracy": 0.3,
    "tree_accuracy": 0.7,
    "network_accuracy": 0.95,
    "jump": 0.26,
    "ordered": False,
    "linked": 0.5,
    "mixed": 0.35,
    "random_labels": 0.0,
    "exactness": 0.8,
    "by_class": None,
}


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Ask about three seeds by stages that only write; the folder, and what ran, in order."""
    ran = []

    def run_stage(folder, stage):
        ran.append((int(folder.name), stage))
        assert all((folder / f"data/prepared/{x}_test.npy").exists() for x in "xy")
        (folder / "data/encoding").mkdir(exist_ok=True)
        if stage == "train_improved":
            save_json(folder / "data/models/improved.keras", {})
        verdict = "mixed" if folder.name == "9001" else "visual_groups"
        known = {key: value for key, value in CLEAR.items() if key.endswith(("_p", "_accuracy"))}
        reasons = {"verdict": verdict, "property": None, "groups": {}}
        save_json(folder / "metrics/interpret.json", reasons | known)
        pairs = [{"jump": None}, {"jump": 1.0 if verdict == "mixed" else CLEAR["jump"]}]
        save_json(folder / "metrics/label_flips.json", {"pairs": pairs})
        order = {key: CLEAR[key] for key in CLEAR if key not in (*known, "jump")}
        save_json(folder / "metrics/label_order.json", order)
        agreements = {"0": 0.5, "1": None, "2": 0.75}
        save_json(folder / "metrics/reveal.json", {"adjusted_mutual_info": agreements})

    images, fives = synthetic(800)
    arrays = {"x_train": images[:700], "y_train": fives[:700]}
    arrays |= {"x_test": images[700:], "y_test": fives[700:]}
    monkeypatch.setattr(calibration, "find_fashion_mnist", lambda: arrays)
    monkeypatch.setattr(calibration, "N_TRAIN", 600)
    monkeypatch.setattr(calibration, "SETS", {"scoring": range(9000, 9003)})
    monkeypatch.setattr(calibration, "FIGURES", tmp_path / "calibration.json")
    monkeypatch.setattr(calibration, "run_stage", run_stage)
    calibration.main("scoring", str(tmp_path))
    return tmp_path, ran


def test_verdicts_are_counted_by_kind_with_those_missed_and_what_they_rest_on(asked):
    found = read_json(asked[0] / "calibration.json")["scoring"]
    assert (found["right"], found["asked"]) == (2, 3)
    assert found["by_kind"]["merge"] == {"right": 1, "asked": 1}
    assert found["by_kind"]["alone"] == {"right": 0, "asked": 1}
    missed = {"kind": "alone", "of": "alone", "expected": "visual_groups", "verdict": "mixed"}
    assert found["missed"] == {"9001": missed | {"strength": 0.48}}
    assert found["reliability"] == {
        "narrow": {"right": 0, "asked": 0},
        "fair": {"right": 0, "asked": 0},
        "clear": {"right": 2, "asked": 3},
    }
    assert found["adjusted_mutual_info"]["all"] == 0.625
    assert found["seeds"]["9002"]["figures"] == CLEAR


def test_asked_again_from_a_seed_on_earlier_answers_are_kept_and_no_network_is_trained(asked):
    folder, ran = asked
    assert sum(stage == "train_improved" for _, stage in ran) == 3
    before = read_json(folder / "calibration.json")
    ran.clear()
    calibration.main("scoring", str(folder), "9002")
    assert {seed for seed, _ in ran} == {9002}
    assert "train_improved" not in {stage for _, stage in ran}
    assert read_json(folder / "calibration.json") == before


def test_a_network_of_other_labels_is_trained_anew(asked):
    folder, ran = asked
    save_array(folder / "9002/data/prepared/y_train.npy", np.zeros(600, np.uint8))
    ran.clear()
    calibration.main("scoring", str(folder), "9002")
    assert ran[0] == (9002, "train_improved")
