"""The benchmarks, on little data."""

import math
import sys

import pytest

from tests.helpers import call, changed, read_json, restore, write_csvs


@pytest.mark.skipif(sys.platform == "win32", reason="the benchmarks need Linux or a Mac")
@pytest.mark.parametrize(
    ("command", "figures"),
    [
        (("speed", "1"), ["metrics/runtime/speed.json"]),
        (("growth", "prepare", "image_statistics"), ["metrics/runtime/growth.json"]),
        (
            ("recipes", "quick", "1", "2"),
            ["metrics/recipes.json", "metrics/runtime/recipes.json"],
        ),
    ],
)
def test_a_benchmark_stores_its_figures_and_changes_nothing_else(clone, command, figures):
    script, *arguments = command
    write_csvs(clone / "data/raw", n_train=800)  # of which growth.py takes a quarter
    call(clone, "python", "-m", f"benchmarks.{script}", *arguments)
    assert changed(clone) == set(figures)
    for path in figures:
        found = numbers(read_json(clone / path))
        assert found
        assert all(0 <= value < math.inf for value in found)
    restore(clone)


def numbers(values):
    """Every number in nested dicts and lists."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list):
        return [number for value in values for number in numbers(value)]
    return [values]
