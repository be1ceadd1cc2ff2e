"""The README against the project: its figures are those of the metrics committed with it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


def committed(path: str) -> str:
    """The text of a file in the last commit, whatever a run has changed since."""
    show = ["git", "show", f"HEAD:{path}"]
    return subprocess.run(show, cwd=ROOT, capture_output=True, check=True).stdout.decode()


def metrics(name: str) -> dict:
    return json.loads(committed(f"metrics/{name}.json"))


README = committed("README.md")


def table_rows(first_cell):
    """The cells of the README's table rows that begin with `first_cell`."""
    rows = re.findall(rf"^\| {re.escape(first_cell)} \|(.*)\|$", README, re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("majority", "majority label"),
        ("logistic_regression", "logistic regression on pixels"),
        ("default", "default network"),
        ("improved", "improved network"),
    ],
)
def test_the_table_of_results_is_the_committed_metrics(name, title):
    scores = metrics("evaluate")[name]
    interval = f"{scores['accuracy_low']:.4f} to {scores['accuracy_high']:.4f}"
    expected = [f"{scores['accuracy']:.4f}", interval]
    expected += [f"{scores[key]:.3f}" for key in ("loss", "macro_f1")]
    assert expected in table_rows(title)


def test_the_table_of_clusters_is_the_committed_metrics():
    scores = metrics("kmeans")
    for prefix, title in (
        ("", "clusters of the encoding"),
        ("prediction_", "the network's own predictions"),
        ("pixels_", "clusters of the pixels"),
    ):
        keys = ("adjusted_rand_index", "normalized_mutual_info", "homogeneity", "completeness")
        assert [f"{scores[prefix + key]:.3f}" for key in keys] in table_rows(title)


def test_figures_in_the_text_are_the_committed_metrics():
    text = " ".join(README.split())
    difference = metrics("evaluate")["difference"]
    assert (
        f"alone right on {difference['only_improved_right']} test images, the default one on"
        f" {difference['only_default_right']}" in text
    )
    assert f"(exact McNemar test, p = {difference['mcnemar_p']:.0e})" in text
    variance = metrics("pca")["explained_variance"]
    assert f"hold {variance:.0%} of the variance" in text
    networks = metrics("networks")
    for network in networks.values():
        assert f"{network['parameters']:,} parameters" in text
        assert f"{network['multiply_adds'] / 1e6:.1f} million multiply-adds" in text
    seconds = {name: metrics(f"runtime/train_{name}")["total_seconds"] for name in networks}
    assert f"{seconds['improved'] / seconds['default']:.1f} times as long" in text


def test_every_file_that_the_readme_names_exists():
    for path in re.findall(r"`((?:stages|metrics|plots|tests)/[\w/.*-]+)`", README):
        assert list(ROOT.glob(path.rstrip("/"))), path
    for path in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_diagram_in_the_readme_is_dvcs():
    dvc = Path(sys.executable).with_name("dvc")
    done = subprocess.run(
        [dvc, "dag", "--mermaid"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = {line.strip() for line in README.splitlines()}
    assert {line.strip() for line in done.stdout.splitlines()} <= lines


def test_ci_runs_the_test_command_of_the_readme():
    commands = re.findall(r"^python -m pytest.*$", README, re.MULTILINE)
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci/run").read_text().splitlines()
