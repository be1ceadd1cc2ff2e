"""DVC's own commands on the finished project: repro, plots, and a pull request's summary."""

import json
import os
import platform
import re
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest

from stages.common.files import LABELS, POINTS, load_array
from stages.common.yaml import load_yaml
from tests.helpers import (
    ELSEWHERE,
    LOCK,
    ROOT,
    RUN_TIMES,
    STAGES,
    attempt,
    call,
    changed,
    locked_hashes,
    module,
    plot_options,
    read_json,
    restore,
    stages_run,
)


def test_the_committed_results_are_those_of_the_committed_code_and_parameters(tmp_path):
    call(tmp_path, "git", "clone", "-q", str(ROOT), "fresh")
    output = call(tmp_path / "fresh", "dvc", "repro", "--dry", "--allow-missing")
    assert "Data and pipelines are up to date." in output


def test_repro_ends_with_a_summary_of_eight_lines(clone):
    output = call(clone, "dvc", "repro", "--force", "--single-item", "summary")
    lines = output.splitlines()
    command, end = (
        next(n for n, line in enumerate(lines) if line.startswith(start))
        for start in ("> ", "Open ")
    )
    summary = lines[command + 1 : end + 1]
    accuracies = [
        f"{read_json(clone / f'metrics/evaluate/{name}.json')['accuracy']:.2%}"
        for name in ("default", "improved")
    ]
    assert len(summary) == 8
    assert all(accuracy in summary[0] for accuracy in accuracies)
    assert [line.split(":")[0] for line in summary[2:7]] == [f"Label {n}" for n in range(5)]
    assert all((clone / path).exists() for path in summary[7].removeprefix("Open ").split(", "))
    restore(clone)


def test_a_second_repro_does_nothing_and_says_so(clone):
    output = call(clone, "dvc", "repro")
    assert stages_run(output) == set()
    assert "Data and pipelines are up to date." in output
    assert changed(clone) == set()


@pytest.mark.slow
def test_running_again_elsewhere_what_the_notebook_does_not_run_changes_run_times_alone(
    clone, monkeypatch
):
    before = locked_hashes(clone)
    for name, value in ELSEWHERE.items():
        monkeypatch.setenv(name, value)
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
    empty = {name for name, drawn in plots.items() if not drawn}
    assert empty == {"plots/groups_valleys.csv"}  # groups are sought among more images
    assert all(len(plots[name]) == 1 for name in plots.keys() - empty)
    drawn = {name: plots[name][0] for name in plots.keys() - empty}
    specs = {name: plot["content"] for name, plot in drawn.items() if "content" in plot}
    titles = [
        _title(json.loads(spec) if isinstance(spec, str) else spec) for spec in specs.values()
    ]
    declared = {options["title"] for options in plot_options() if "title" in options}
    assert set(titles) < declared
    assert len(titles) == len(declared) - len(empty) > 25
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
    for folder in ("dvc_plots", ".", "pages/of/today"):
        call(clone, "dvc", "plots", "show", "-o", folder)
        page = (clone / folder / "index.html").read_text()
        (ways,) = re.findall(r"for \(const way of (\[.*\])\)", page)
        scripts = [clone / folder / f"{way}data/plots_page/vega.js" for way in json.loads(ways)]
        (script,) = filter(Path.exists, scripts)
        assert "vegaEmbed" in script.read_text()
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


def test_what_other_programs_leave_behind_makes_nothing_stale(clone):
    names = ("data/course/.DS_Store", "data/course/~$x_train.csv", "stages/.ipynb_checkpoints/a.py")
    for name in names:
        (clone / name).parent.mkdir(exist_ok=True)
        (clone / name).write_text("left behind")
    status = json.loads(call(clone, "dvc", "status", "--json"))
    for name in names:
        (clone / name).unlink()
    (clone / "stages/.ipynb_checkpoints").rmdir()
    assert status == {}


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
    assert re.search(r"\| metrics/evaluate/default.json +\| accuracy +\|", output)
    assert output.count("```mermaid\n") == 4
    accuracies = read_json(clone / "metrics/default/plots/custom/accuracy.json")
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
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step["run"] for step in steps if "run" in step)
    for path in re.findall(r"\.ci/[\w.]+", commands):
        assert (ROOT / path).exists()
    assert ".ci/run\n" in commands
    assert all(re.search(r"@[0-9a-f]{40}$", step["uses"]) for step in steps if "uses" in step)


def test_evaluation_of_the_clone_is_complete(clone):
    predictors = ["majority", "logistic", "default", "improved"]
    for name in predictors:
        scores = read_json(clone / f"metrics/evaluate/{name}.json")
        assert scores["ci_low"] <= scores["accuracy"] <= scores["ci_high"]
        assert ("verdict" in scores) == (name != "majority")
    differences = pd.read_csv(clone / "plots/evaluate/differences.csv")
    assert differences["predictor"].tolist() == predictors[1:]
    assert differences["rival"].tolist() == predictors[:-1]
    assert differences["mcnemar_p"].between(0, 1).all()
    by_label = pd.read_csv(clone / "plots/evaluate/labels.csv")
    assert by_label.groupby("network")["label"].apply(list).tolist() == [[0, 1, 2, 3, 4]] * 2
    assert pd.read_csv(clone / "metrics/runtime/evaluate.csv")["seconds"].gt(0).all()
    labels = load_array(clone / "data/prepared/y_test.npy", LABELS)
    for name in predictors[2:]:
        probabilities = load_array(clone / f"data/predictions/{name}.npy", POINTS, len(labels))
        accuracy = (probabilities.argmax(axis=1) == labels).mean()
        assert accuracy == read_json(clone / f"metrics/evaluate/{name}.json")["accuracy"]
        assert probabilities.shape[1] == 5


def test_metrics_show_fits_on_a_screen_and_half_of_every_column_is_filled(clone):
    lines = call(clone, "dvc", "metrics", "show").rstrip().splitlines()
    assert len(lines) <= 12
    assert max(map(len, lines)) <= 110
    columns = list(zip(*map(str.split, lines), strict=True))
    assert {"accuracy", "ci_low", "ci_high", "loss", "macro_f1", "ari", "verdict"} < {
        column[0] for column in columns
    }
    assert all(column.count("-") <= (len(lines) - 1) / 2 for column in columns)


def test_what_the_results_were_made_with_is_recorded(clone):
    environment = read_json(clone / "metrics/environment.json")
    assert environment["python"] == platform.python_version()
    assert environment["packages"]["keras"] == metadata.version("keras")
    assert environment["packages"]["pyyaml"] == metadata.version("pyyaml")
    assert environment["precision"] == {"default": "float32", "improved": "float32"}
    assert environment["threads"] == len(os.sched_getaffinity(0))


def test_another_version_of_a_package_reruns_the_chain_and_another_pytest_does_not(clone):
    path = clone / "pyproject.toml"
    text = path.read_text()
    path.write_text(re.sub(r'"pytest==[\d.]+"', '"pytest==99.0"', text))
    unchanged = json.loads(call(clone, "dvc", "status", "--json"))
    path.write_text(re.sub(r'"keras==[\d.]+"', '"keras==99.0"', text))
    changed = json.loads(call(clone, "dvc", "status", "--json"))
    restore(clone)
    assert unchanged == {}
    assert set(changed) == set(STAGES)


def test_what_labels_of_other_images_mean_is_said_and_nothing_is_revealed(clone):
    assert read_json(clone / "metrics/interpret.json")["groups"].keys() == set("01234")
    assert read_json(clone / "metrics/reveal.json")["skipped"]
    guesses = read_json(clone / "metrics/guess.json")
    assert not any(guess["standing"] == "confirmed" for guess in guesses.values())
