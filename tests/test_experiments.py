"""Experiments with DVC's own commands, on little data: what runs again, and what is shown of it."""

import json
from pathlib import Path

import pytest

from tests.helpers import LOCK, RUN_TIMES, call, changed, restore, set_params, stages_run

TRAINING = {"train_default", "train_improved"}
HAND_IN = {"report", "notebook", "summary"}
GUESS = "[bright bands,width,bags,'',coats]"
AFTER_KMEANS = {"kmeans", "scatter", "image_grids", "explore"} | HAND_IN


def run_experiment(clone: Path, *options: str) -> set[str]:
    """Run an experiment in the workspace, restore it, and return the stages that ran."""
    output = call(clone, "dvc", "exp", "run", *options)
    restore(clone)
    return stages_run(output)


@pytest.mark.slow
def test_another_rate_reruns_both_trainings_and_going_back_trains_nothing(clone):
    run = ("dvc", "exp", "run", "evaluate")
    assert stages_run(call(clone, *run, "--name", "slow", "-S", "train.lr=0.01")) == TRAINING | {
        "evaluate"
    }
    output = call(clone, *run, "-S", "train.lr=0.3")
    assert not stages_run(output) & TRAINING
    assert "Stage 'train_default' is cached" in output
    paths = changed(clone) - LOCK
    assert {path for path in paths if not path.startswith(RUN_TIMES)} == set()
    restore(clone)


@pytest.mark.slow
def test_epochs_of_the_default_network_leave_the_improved_one_alone(clone):
    ran = run_experiment(clone, "-S", "train_default.epochs=3")
    others = {"evaluate", "curves", "compare_layers", "compare_sweeps", "environment", "explore"}
    # Both networks are encoded by one stage; what follows of the improved one's encoding is kept.
    assert ran == {"train_default", "extract_encoding"} | others | HAND_IN


@pytest.mark.slow
def test_tsne_reruns_itself_and_what_draws_it_alone(clone):
    ran = run_experiment(clone, "-S", "tsne.perplexity=20")
    assert ran == {"tsne", "scatter", "explore"} | HAND_IN


@pytest.mark.slow
def test_the_number_of_clusters_does_not_rerun_tsne(clone):
    ran = run_experiment(clone, "--name", "six", "-S", "kmeans.n_clusters=6")
    assert ran == AFTER_KMEANS
    shown = json.loads(call(clone, "dvc", "exp", "show", "--json"))
    assert "six" in json.dumps(shown)


@pytest.mark.slow
def test_an_experiment_with_a_guess_runs_its_judgement_alone_and_is_listed(clone):
    options = ("--name", "mine", "-S", f"guess.words={GUESS}")
    assert run_experiment(clone, "guess", *options) == {"guess"}
    shown = json.loads(call(clone, "dvc", "exp", "show", "--json"))
    assert "mine" in json.dumps(shown)


@pytest.mark.slow
def test_after_a_guess_all_that_tells_of_it_is_made_anew(clone):
    assert run_experiment(clone, "-S", f"guess.words={GUESS}") == {"guess"} | HAND_IN


@pytest.mark.slow
def test_a_temporary_and_a_queued_run_see_the_same_data(clone):
    run = ("dvc", "exp", "run", "kmeans")
    output = call(clone, *run, "--temp", "-S", "kmeans.n_clusters=3")
    assert stages_run(output) == {"kmeans"}
    call(clone, *run, "--queue", "--name", "queued", "-S", "kmeans.n_clusters=4")
    call(clone, "dvc", "exp", "run", "--run-all")
    metrics = call(clone, "dvc", "metrics", "diff", "HEAD", "queued", "--json")
    assert "ari" in json.loads(metrics)["metrics/clusters.json"]
    assert changed(clone) == set()


@pytest.mark.slow
def test_another_machine_downloads_only_what_a_change_needs(clone, tmp_path):
    store, other = str(tmp_path / "store"), tmp_path / "other"
    call(clone, "dvc", "remote", "add", "--local", "store", store)
    call(clone, "dvc", "push", "-r", "store")
    (clone / ".dvc/config.local").unlink()
    call(tmp_path, "git", "clone", "-q", str(clone), str(other))
    call(other, "dvc", "remote", "add", "--local", "--default", "store", store)
    call(other, "dvc", "pull", "--recursive", "data/course")
    reproduce = ("dvc", "repro", "--pull", "--allow-missing")
    assert stages_run(call(other, *reproduce)) == set()
    assert not list((other / "data").rglob("*.npy"))
    set_params(other, kmeans__n_clusters=4)
    assert stages_run(call(other, *reproduce)) == AFTER_KMEANS
    present = {path.relative_to(other / "data").as_posix() for path in other.rglob("data/*/*.*")}
    assert {"encoding/test.npy", "encoding/clusters.npy"} <= present
    assert not {"raw/x_train.csv", "prepared/x_train.npy", "models/improved.keras"} & present


@pytest.mark.slow
def test_metrics_show_and_diff_tell_experiments_apart(clone):
    shown = json.loads(call(clone, "dvc", "metrics", "show", "--json"))
    files = shown[""]["data"]
    assert {"accuracy", "macro_f1"} <= set(files["metrics/evaluate/improved.json"]["data"])
    assert "ari" in files["metrics/clusters.json"]["data"]
    diff = json.loads(call(clone, "dvc", "metrics", "diff", "HEAD", "slow", "--json"))
    assert "loss" in diff["metrics/evaluate/default.json"]
    assert sum(map(len, diff.values())) < 25  # lines of `dvc metrics diff`, but for its title


@pytest.mark.slow
def test_plots_diff_shows_both_revisions(clone):
    plots = json.loads(call(clone, "dvc", "plots", "diff", "HEAD", "slow", "--json"))["data"]
    for name, drawn in plots.items():
        revisions = {revision for one in drawn for revision in one["revisions"]}
        if name != "plots/groups_valleys.csv":  # empty: groups are sought among more images
            assert revisions == {"HEAD", "slow"}, name
