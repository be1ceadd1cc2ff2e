"""A stage's end: one clear line on bad input and on Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import ROOT, STAGES, module, set_params


def run_stage(stage: str, *arguments: str, paths: Path = ROOT, **variables: str):
    """Run a stage in the current folder, which need not be the project's.

    Args:
        paths: where Python looks for modules beside the current folder
    """
    return subprocess.run(
        [sys.executable, "-m", module(stage), *arguments],
        env=os.environ | {"PYTHONPATH": str(paths), "PYTHONNOUSERSITE": "1"} | variables,
        capture_output=True,
        text=True,
    )


def test_bad_input_ends_a_stage_with_one_line_and_a_non_zero_exit(workspace):
    set_params(workspace, scatter__points=1)
    done = run_stage("scatter", *"abcdefg")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("scatter: params.yaml: scatter.points: 1 is less than")


def test_a_missing_input_is_one_line_that_says_what_to_do(workspace):
    done = run_stage("pca", "encodings.npy", "out.npy", "metrics.json")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "encodings.npy is missing: `dvc repro pca`" in done.stderr


def test_a_stage_that_dvc_runs_says_how_to_get_earlier_results_back(workspace):
    def message(**variables) -> str:
        Path("a.npy").write_bytes(b"")
        done = run_stage("pca", "a.npy", "out.npy", "metrics.json", **variables)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "dvc checkout" not in message()
    assert message(DVC_STAGE="pca").endswith(
        "(earlier results: `git checkout metrics plots report`, `dvc checkout`)\n"
    )
    assert sorted(path.name for path in workspace.iterdir()) == ["a.npy", "params.yaml"]


def test_a_path_that_the_terminal_cannot_show_is_told_all_the_same(workspace):
    paths = [f"编码/{name}" for name in "abcdefg"]
    done = run_stage("prepare", *paths, PYTHONIOENCODING="ascii")
    assert done.stdout == "prepare: reading \\u7f16\\u7801\n"
    assert done.stderr == "prepare: \\u7f16\\u7801/a: expected a CSV, found no such file\n"


# Python reads it as it starts: the first library that a stage loads is as far as it gets.
INTERRUPT = """
import sys

class Interrupt:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] not in {*sys.stdlib_module_names, "stages"}:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt)
"""


@pytest.mark.parametrize(
    "stage", [name for name in STAGES if name != "summary"]
)  # which loads none
def test_ctrl_c_while_libraries_load_ends_with_one_line_of_ours(tmp_path, monkeypatch, stage):
    (tmp_path / "sitecustomize.py").write_text(INTERRUPT)
    monkeypatch.chdir(ROOT)
    done = run_stage(stage, paths=tmp_path)
    assert done.stderr == f"{stage}: stopped; `dvc repro` starts this stage again\n"
    assert done.returncode == -signal.SIGINT


def test_ctrl_c_in_another_program_says_nothing_of_stages(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import stages\nraise KeyboardInterrupt")
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script], env=paths, capture_output=True, text=True)
    assert done.stderr == "script: stopped\n"
