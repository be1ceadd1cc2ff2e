import subprocess
import sys

from stages.common.files import replacing, save_array, save_json, save_table

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, read_json, set_params


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_for_an_output(tmp_path):
    save_array(tmp_path / "a/b/c.npy", np.arange(3))
    np.testing.assert_array_equal(np.load(tmp_path / "a/b/c.npy"), [0, 1, 2])


def test_json_keeps_six_digits_of_large_and_small_figures(tmp_path):
    save_json(tmp_path / "m.json", {"a": {"p": 1.23456789e-12}, "b": [0.123456789, 3], "c": None})
    assert read_json(tmp_path / "m.json") == {
        "a": {"p": 1.23457e-12},
        "b": [0.123457, 3],
        "c": None,
    }


def test_tables_have_a_header_and_unix_line_ends(tmp_path):
    save_table(tmp_path / "t.csv", pd.DataFrame({"a": [1], "b": [0.123456789]}))
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n1,0.123457\n"


def run_stage(folder, stage, *arguments):
    return subprocess.run(
        [sys.executable, ROOT / "stages" / f"{stage}.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_bad_input_ends_a_stage_with_one_line_and_a_non_zero_exit(workspace):
    set_params(workspace, scatter__points=1)
    done = run_stage(workspace, "scatter", *"abcdefg")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("scatter: params.yaml: scatter.points: 1 is less than")


def test_a_missing_input_is_one_line_that_says_what_to_do(workspace):
    done = run_stage(workspace, "pca", "encodings.npy", "out.npy", "metrics.json")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "encodings.npy is missing: `dvc repro pca`" in done.stderr
