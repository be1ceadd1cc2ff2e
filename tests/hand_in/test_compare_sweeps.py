"""Sweeps compared: effects of paired seeds, and the best setting."""

import numpy as np
import pandas as pd
import pytest

from stages.common.command import InputError
from stages.hand_in import compare_sweeps
from stages.hand_in.compare_sweeps import effects, summarise
from tests.helpers import read_json


def table(rows: list[tuple]) -> pd.DataFrame:
    """Make a table of runs from setting, seed, rate, batch size and accuracy."""
    runs = pd.DataFrame(
        rows, columns=["setting", "seed", "train.lr", "train.batch", "validation_accuracy"]
    )
    return runs.assign(
        sweep="s", stage="train", data="a-b", experiment=runs["setting"] + runs["seed"]
    ).assign(kept="train.epochs=2 train.hflip=true")


PARAMS = {"train": {"lr": 0.1, "batch": 128, "epochs": 2, "hflip": True}}
GRID = [
    ("default", "1", "0.1", "128", 0.90),
    ("default", "2", "0.1", "128", 0.92),
    ("lr=0.2", "1", "0.2", "128", 0.93),
    ("lr=0.2", "2", "0.2", "128", 0.95),
    ("batch=64", "1", "0.1", "64", 0.91),
    ("batch=64", "2", "0.1", "64", 0.91),
    ("lr=0.2 batch=64", "1", "0.2", "64", 0.95),
    ("lr=0.2 batch=64", "2", "0.2", "64", 0.93),
]


def test_an_effect_is_the_mean_of_paired_differences_with_students_interval():
    found = effects(table(GRID))
    assert list(found) == ["train.lr=0.2", "train.batch=64"]
    # Seed 1: +0.03 and +0.04; seed 2: +0.03 and +0.02.
    rate = found["train.lr=0.2"]
    assert rate["difference"] == pytest.approx(0.03)
    reach = 12.7062 * 0.01 / np.sqrt(2) / np.sqrt(2)  # t of one degree of freedom
    assert rate["low"] == pytest.approx(0.03 - reach, abs=1e-5)
    assert rate["words"] == "indistinguishable"


def test_the_same_gain_with_every_seed_is_better_and_the_same_loss_worse():
    runs = table(GRID[:4])
    assert effects(runs)["train.lr=0.2"]["words"] == "better"
    runs["validation_accuracy"] = 1 - runs["validation_accuracy"]
    assert effects(runs)["train.lr=0.2"]["words"] == "worse"


def test_runs_that_failed_are_counted_and_take_no_part():
    runs = table(GRID[:4])
    runs.loc[3, "validation_accuracy"] = np.nan
    found = summarise(runs, "a-b", PARAMS)
    assert found["chosen"] == {"train.lr": "0.1"}
    assert found["fixed"] == {"train.batch": "128"}
    assert found["kept"] == {"train.epochs": "2", "train.hflip": "true"}
    assert found["settings"]["lr=0.2"] == {
        "values": {"train.lr": "0.2"},
        "mean": pytest.approx(0.93),
        "standard_deviation": None,
        "runs": 1,
        "failed": 1,
    }
    assert found["effects"]["train.lr=0.2"]["words"] == "unknown"
    assert found["winner"]["experiment"] == "default1"  # a lucky run is no winner


@pytest.mark.parametrize(
    ("now", "same"),
    [
        ({}, True),
        ({"lr": 1e-1}, True),
        ({"batch": 64}, True),  # which all runs fixed, whatever params.yaml says
        ({"lr": 0.2}, False),
        ({"hflip": False}, False),
        ({"cutout": 0}, False),  # which no run knew
    ],
)
def test_a_sweep_is_of_the_settings_at_hand_only_if_all_that_it_did_not_fix_is_the_same(now, same):
    params = {"train": PARAMS["train"] | now}
    assert summarise(table(GRID[:4]), "a-b", params)["same_settings"] == same


def test_params_yaml_wins_where_nothing_is_higher():
    found = summarise(table([*GRID[:2], ("lr=0.2", "1", "0.2", "128", 0.91)]), "a-b", PARAMS)
    assert found["winner"]["setting"] == "default"
    assert found["winner"]["experiment"] == "default1"


def test_a_setting_whose_runs_all_failed_has_no_mean_and_no_effect():
    runs = table(GRID[:4])
    runs.loc[2:, "validation_accuracy"] = np.nan
    found = summarise(runs, "a-b", PARAMS)
    assert found["settings"]["lr=0.2"]["mean"] is None
    assert found["effects"] == {}
    assert "no run ended, 2 failed" in compare_sweeps.say("s", found)


def test_a_sweep_without_a_run_of_params_yaml_is_told_and_the_others_are_compared(
    workspace, capsys
):
    runs = pd.concat([table(GRID), table(GRID[2:4]).assign(sweep="other")])
    runs.to_csv(workspace / "experiments.csv", index=False)
    for name in "xy":
        (workspace / name).write_bytes(b"other data")
    names = ("x", "y", "experiments.csv", "a.json", "pictures")
    compare_sweeps.main(*(workspace / name for name in names))
    output = capsys.readouterr().out
    assert "other: no run of params.yaml's own setting has ended" in output
    assert "This sweep was run on other images or labels than those here." in output
    assert "This sweep was run around other settings than those of params.yaml." in output
    assert list(read_json(workspace / "a.json")) == ["s"]
    assert [path.name for path in (workspace / "pictures").iterdir()] == ["s.png"]


def test_a_table_without_a_column_is_one_clear_line(tmp_path):
    table(GRID).drop(columns="setting").to_csv(tmp_path / "experiments.csv", index=False)
    with pytest.raises(InputError, match=r"experiments.csv: expected columns .*, found no setting"):
        compare_sweeps.read_table(tmp_path / "experiments.csv")
