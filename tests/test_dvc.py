"""DVC's own commands, on little data, in a temporary clone."""

import json
import math
import re
import sys
from pathlib import Path

import pytest
from conftest import COURSE, ROOT, attempt, call, read_json, set_params
from ruamel.yaml import YAML

TRAINING = {"train_default", "train_improved"}
HAND_IN = {"report", "notebook"}
RUN_TIMES = ("metrics/runtime/", "report/")  # where run times are, or are told
AFTER_DEFAULT = {"train_default", "evaluate", "compare_layers"} | HAND_IN
LOCK = {"dvc.lock"}
AFTER_KMEANS = {"kmeans", "scatter", "image_grids"} | HAND_IN


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '(\w+)'", output))


def locked_hashes(folder: Path) -> dict[str, str]:
    """The hash of every output in dvc.lock."""
    lock = YAML(typ="safe").load(folder / "dvc.lock")
    return {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage["outs"]}


def changed(folder: Path) -> set[str]:
    return {line[3:] for line in call(folder, "git", "status", "--porcelain").splitlines()}


def test_the_committed_results_are_those_of_the_committed_code_and_parameters(tmp_path):
    call(tmp_path, "git", "clone", "-q", str(ROOT), "fresh")
    output = call(tmp_path / "fresh", "dvc", "repro", "--dry", "--allow-missing")
    assert "Data and pipelines are up to date." in output


def run_experiment(clone: Path, *options: str) -> set[str]:
    """Run an experiment in the workspace, restore it, and return the stages that ran."""
    output = call(clone, "dvc", "exp", "run", *options)
    restore(clone)
    return stages_run(output)


def restore(clone: Path) -> None:
    """Go back to the committed state."""
    call(clone, "git", "checkout", "-q", "--", ".")
    call(clone, "git", "clean", "-fdq")
    call(clone, "dvc", "checkout", "-q", "--force")


def test_a_second_repro_does_nothing_and_says_so(clone):
    output = call(clone, "dvc", "repro")
    assert stages_run(output) == set()
    assert "Data and pipelines are up to date." in output
    assert changed(clone) == set()


def test_running_everything_again_changes_run_times_alone(clone):
    before = locked_hashes(clone)
    call(clone, "dvc", "repro", "--force", "--no-run-cache")
    after = locked_hashes(clone)
    assert before.keys() == after.keys()
    differing = {path for path in before if before[path] != after[path]}
    assert all(path.startswith(RUN_TIMES) for path in differing | changed(clone) - LOCK)
    restore(clone)


def test_the_rate_reruns_both_trainings_and_nothing_before_them(clone):
    ran = run_experiment(clone, "--name", "slow", "-S", "train.lr=0.01")
    assert TRAINING | {"evaluate"} <= ran
    assert not ran & {"fetch", "prepare", "describe_networks"}


def test_going_back_to_old_parameters_trains_nothing(clone):
    call(clone, "dvc", "exp", "run", "-S", "train.lr=0.02")
    output = call(clone, "dvc", "exp", "run", "-S", "train.lr=0.1")
    assert not stages_run(output) & TRAINING
    assert "Stage 'train_default' is cached" in output
    paths = changed(clone) - LOCK
    assert {path for path in paths if not path.startswith(RUN_TIMES)} == set()
    restore(clone)


def test_epochs_of_the_default_network_leave_the_improved_one_alone(clone):
    ran = run_experiment(clone, "-S", "train_default.epochs=3")
    assert ran == AFTER_DEFAULT


def test_tsne_reruns_itself_and_the_scatter_alone(clone):
    assert run_experiment(clone, "-S", "tsne.perplexity=20") == {"tsne", "scatter"} | HAND_IN


def test_the_number_of_clusters_does_not_rerun_tsne(clone):
    ran = run_experiment(clone, "--name", "six", "-S", "kmeans.n_clusters=6")
    assert ran == AFTER_KMEANS
    shown = json.loads(call(clone, "dvc", "exp", "show", "--json"))
    assert "six" in json.dumps(shown)


def test_a_guess_reruns_its_judgement_alone(clone):
    words = "[bright bands,width,bags,'',coats]"
    assert run_experiment(clone, "-S", f"guess.words={words}") == {"guess"} | HAND_IN


def test_a_temporary_and_a_queued_run_see_the_same_data(clone):
    output = call(clone, "dvc", "exp", "run", "--temp", "-S", "kmeans.n_clusters=3")
    assert stages_run(output) == AFTER_KMEANS
    call(clone, "dvc", "exp", "run", "--queue", "--name", "queued", "-S", "kmeans.n_clusters=4")
    call(clone, "dvc", "exp", "run", "--run-all")
    metrics = call(clone, "dvc", "metrics", "diff", "HEAD", "queued", "--json")
    assert "adjusted_rand_index" in metrics
    assert changed(clone) == set()


def test_another_machine_downloads_only_what_a_change_needs(clone, tmp_path):
    store, other = str(tmp_path / "store"), tmp_path / "other"
    call(clone, "dvc", "remote", "add", "--local", "store", store)
    call(clone, "dvc", "push", "-r", "store")
    (clone / ".dvc/config.local").unlink()
    call(tmp_path, "git", "clone", "-q", str(clone), str(other))
    call(other, "dvc", "remote", "add", "--local", "--default", "store", store)
    call(other, "dvc", "pull", *(f"{name}.dvc" for name in COURSE))
    reproduce = ("dvc", "repro", "--pull", "--allow-missing")
    assert stages_run(call(other, *reproduce)) == set()
    assert not list((other / "data").rglob("*.npy"))
    set_params(other, kmeans__n_clusters=4)
    assert stages_run(call(other, *reproduce)) == AFTER_KMEANS
    present = {path.relative_to(other / "data").as_posix() for path in other.rglob("data/*/*.*")}
    assert {"encoding/test.npy", "encoding/clusters.npy"} <= present
    assert not {"raw/x_train.csv", "prepared/x_train.npy", "models/improved.keras"} & present


def test_metrics_show_and_diff_tell_experiments_apart(clone):
    shown = json.loads(call(clone, "dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    assert {"accuracy", "f1"} <= set(files["metrics/evaluate.json"]["data"]["improved"])
    assert "adjusted_rand_index" in files["metrics/kmeans.json"]["data"]
    diff = json.loads(call(clone, "dvc", "metrics", "diff", "HEAD", "slow", "--json"))
    assert "default.loss" in diff["metrics/evaluate.json"]


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


def test_plots_diff_shows_both_revisions(clone):
    plots = json.loads(call(clone, "dvc", "plots", "diff", "HEAD", "slow", "--json"))["data"]
    for name, drawn in plots.items():
        revisions = {revision for one in drawn for revision in one["revisions"]}
        assert revisions == {"HEAD", "slow"}, name


def test_a_changed_helper_module_reruns_the_stages_that_import_it(clone):
    path = clone / "stages/common/tables.py"
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
    workflow = YAML(typ="safe").load(ROOT / ".github/workflows/check.yml")
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


@pytest.mark.skipif(sys.platform == "win32", reason="the benchmarks need Linux or a Mac")
@pytest.mark.parametrize(
    ("command", "figures"),
    [
        (("speed.py", "1"), ["metrics/runtime/speed.json"]),
        (("growth.py",), ["metrics/runtime/growth.json"]),
        (
            ("recipes.py", "quick", "1", "2"),
            ["metrics/recipes.json", "metrics/runtime/recipes.json"],
        ),
    ],
)
def test_a_benchmark_stores_its_figures_and_changes_nothing_else(clone, command, figures):
    script, *arguments = command
    call(clone, "env", "PYTHONPATH=stages", "python", f"benchmarks/{script}", *arguments)
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
