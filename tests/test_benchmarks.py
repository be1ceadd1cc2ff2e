"""The benchmarks, on little data."""

import math
import sys

import pytest

from tests.helpers import call, changed, commit, copy_project, read_json, write_csvs


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The project with images of a course, prepared, all committed."""
    folder = tmp_path_factory.mktemp("project")
    copy_project(folder, train__precision="float32")
    call(folder, "dvc", "repro", "prepare")
    commit(folder, "Prepared")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the benchmarks need Linux or a Mac")
@pytest.mark.parametrize(
    ("command", "figures"),
    [
        (("speed", "1"), ["metrics/runtime/speed.json"]),
        (("growth", "prepare", "image_statistics"), ["metrics/runtime/growth.json"]),
        (
            ("recipes", "benchmark", "quick", "1", "2"),
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


def numbers(values):
    """Every number in nested dicts and lists."""
    if isinstance(values, dict):
        values = list(values.values())
    if isinstance(values, list):
        return [number for value in values for number in numbers(value)]
    return [values]
