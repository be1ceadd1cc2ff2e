"""DVC's own commands on the finished project: repro, plots, and a pull request's summary."""

import json
import re

import pytest

from stages.common.yaml import load_yaml
from tests.helpers import (
    LOCK,
    ROOT,
    RUN_TIMES,
    STAGES,
    attempt,
    call,
    changed,
    locked_hashes,
    module,
    read_json,
    restore,
    stages_run,
)


def test_the_committed_results_are_those_of_the_committed_code_and_parameters(tmp_path):
    call(tmp_path, "git", "clone", "-q", str(ROOT), "fresh")
    output = call(tmp_path / "fresh", "dvc", "repro", "--dry", "--allow-missing")
    assert "Data and pipelines are up to date." in output


def test_a_second_repro_does_nothing_and_says_so(clone):
    output = call(clone, "dvc", "repro")
    assert stages_run(output) == set()
    assert "Data and pipelines are up to date." in output
    assert changed(clone) == set()


@pytest.mark.slow
def test_running_again_what_the_notebook_does_not_run_changes_run_times_alone(clone):
    before = locked_hashes(clone)
    stages = ["fetch", *(stage for stage in STAGES if ".hand_in." in module(stage))]
    call(clone, "dvc", "repro", "--force", "--no-run-cache", "--single-item", *stages)
    after = locked_hashes(clone)
    assert before.keys() == after.keys()
    differing = {path for path in before if before[path] != after[path]}
    assert all(path.startswith(RUN_TIMES) for path in differing | changed(clone) - LOCK)
    restore(clone)


def test_plots_show_draws_each_thing_once_and_every_template_is_filled(clone):
    data = json.loads(call(clone, "dvc", "plots", "show", "--json"))
    assert "errors" not in data
    plots = data["data"]
    assert all(len(drawn) == 1 for drawn in plots.values())
    specs = {name: drawn[0]["content"] for name, drawn in plots.items() if "content" in drawn[0]}
    titles = [
        _title(json.loads(spec) if isinstance(spec, str) else spec) for spec in specs.values()
    ]
    assert sorted(titles) == [
        "Default network, accuracy by epoch",
        "Default network, confusion on the test set",
        "Default network, loss by epoch",
        "Improved network, accuracy by epoch",
        "Improved network, confusion on the test set",
        "Improved network, loss by epoch",
        "Test encodings, principal components",
        "Test encodings, t-SNE",
        "Validation accuracy of both networks",
        "Validation loss of both networks",
        "density clusters of the encoding against labels",
        "k-means clusters of the encoding against labels",
    ]
    assert "<DVC_METRIC" not in json.dumps(specs)
    pictures = {name for name in plots if name.endswith(".png")}
    assert {f"plots/image_grids/label_{label}.png" for label in range(5)} <= pictures
    assert {"plots/mistakes/default.png", "plots/networks/improved.png"} <= pictures
    assert {f"plots/groups/label_{label}.png" for label in range(5)} <= pictures
    names = {path.stem for path in (ROOT / "plots").glob("*.png")}
    assert {"clusters", "interpret", "guess", "reveal"} <= names
    assert {f"plots/{name}.png" for name in names} <= pictures


def _title(spec):
    return spec["title"] if isinstance(spec["title"], str) else spec["title"]["text"]


def test_the_plots_page_draws_without_internet(clone):
    call(clone, "dvc", "plots", "show", "-o", "dvc_plots")
    page = (clone / "dvc_plots/index.html").read_text()
    script = re.search(r'<script src="([^"]+)"></script>', page)[1]
    assert "vegaEmbed" in (clone / "dvc_plots" / script).read_text()
    assert page.count("vegaEmbed(") >= 12
    (clone / "data/plots_page/vega.js").unlink()  # the page may not depend on it
    call(clone, "dvc", "plots", "show", "-o", "dvc_plots")
    restore(clone)


def test_a_changed_helper_module_reruns_the_stages_that_import_it(clone):
    path = clone / "stages/data/tables.py"
    path.write_text(path.read_text() + "\n# changed\n")
    status = json.loads(call(clone, "dvc", "status", "--json"))
    restore(clone)
    assert set(status) == {"prepare", "notebook"}  # the notebook holds all code


def test_bad_course_data_stops_the_chain_with_one_line_naming_file_and_row(clone):
    path = clone / "data/course/y_test.csv"
    before = path.read_text()
    path.unlink()  # DVC may have linked it to its cache
    path.write_text(before.replace("4\n", "7\n", 1))
    done = attempt(clone, "dvc", "repro", "prepare")
    restore(clone)
    assert done.returncode != 0
    assert (
        "y_test.csv, row 5, column 1: expected a whole number from 0 to 4, found 7" in done.stderr
    )


def test_a_summary_for_a_pull_request_has_figures_curves_and_pictures(clone):
    output = call(clone, "python", ".ci/summary.py", "HEAD~1", "HEAD")
    assert re.search(r"<summary>\d+ figures have changed</summary>", output)
    assert re.search(r"\| metrics/evaluate.json +\| default.accuracy +\|", output)
    assert output.count("```mermaid\n") == 4
    accuracies = read_json(clone / "metrics/train_default/plots/custom/accuracy.json")
    last = [float(row["accuracy"]) for row in accuracies if row["split"] == "validation"][-1]
    assert f", {last:.4f}]" in output
    assert "- `plots/clusters.png`" in output
    output = call(
        clone, "env", "GITHUB_REPOSITORY=o/r", "python", ".ci/summary.py", "HEAD~1", "HEAD"
    )
    commit_hash = call(clone, "git", "rev-parse", "HEAD").strip()
    assert f"(https://github.com/o/r/raw/{commit_hash}/plots/clusters.png)" in output


def test_a_summary_says_that_nothing_has_changed(clone):
    output = call(clone, "python", ".ci/summary.py", "HEAD", "HEAD")
    assert "No figure has changed." in output
    assert "No picture has changed." in output


def test_the_workflow_runs_what_is_here_and_pins_its_actions():
    workflow = load_yaml(ROOT / ".github/workflows/check.yml")
    steps = workflow["jobs"]["check"]["steps"]
    commands = "\n".join(step["run"] for step in steps if "run" in step)
    for path in re.findall(r"\.ci/[\w.]+", commands):
        assert (ROOT / path).exists()
    assert ".ci/run\n" in commands
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)


def test_evaluation_of_the_clone_is_complete(clone):
    scores = read_json(clone / "metrics/evaluate.json")
    for name in ("majority", "logistic_regression", "default", "improved"):
        assert scores[name]["accuracy_low"] <= scores[name]["accuracy"]
        assert scores[name]["accuracy"] <= scores[name]["accuracy_high"]
        assert list(scores[name]["f1"]) == ["0", "1", "2", "3", "4"]
    assert 0 <= scores["difference"]["mcnemar_p"] <= 1
    runtime = read_json(clone / "metrics/runtime/evaluate.json")
    assert runtime["improved"]["predict_seconds"] > 0


def test_what_labels_of_other_images_mean_is_said_and_nothing_is_revealed(clone):
    assert read_json(clone / "metrics/interpret.json")["groups"].keys() == set("01234")
    assert read_json(clone / "metrics/reveal.json")["skipped"]
    guesses = read_json(clone / "metrics/guess.json")
    assert not any(guess["standing"] == "confirmed" for guess in guesses.values())
