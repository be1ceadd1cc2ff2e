"""The little chain's report and notebook: complete, the same again, and able to run alone."""

import json
import re
import shutil

import pytest
from nbclient import NotebookClient
from pypdf import PdfReader

from tests.helpers import (
    COURSE,
    ELSEWHERE,
    RUN_TIMES,
    STAGES,
    call,
    environment,
    module,
    outputs,
    read_json,
    read_notebook,
    words_of,
)


def test_the_report_of_little_data_has_its_parts_on_ten_pages_or_less_and_no_code(clone):
    path = clone / "report/report.pdf"
    assert 1 < len(PdfReader(path).pages) <= 10
    words = words_of(path)
    for part in (
        "Abstract.",
        "Q1: The default network",
        "Q2: An improved network",
        "Q3: Results",
        "Q4: What the labels mean",
        "Conclusion",
        "Libraries and sources",
        "Loss (top) and accuracy (bottom) by epoch",
        "Confusion on the test images",
        "Run times",
        "principal components, by label",
        "Test images by label and cluster",
        "Random test images of each k-means cluster",
        "Guesses, the groups that were found without them",
    ):
        assert part in words, part
    assert not re.search(r"\bimport \w+|\bdef \w+\(|keras\.|np\.|= \[", words)


def test_the_same_results_give_the_same_bytes(clone):
    before = (clone / "report/report.pdf").read_bytes()
    call(clone, "dvc", "repro", "--force", "--single-item", "--no-run-cache", "report")
    assert (clone / "report/report.pdf").read_bytes() == before


def test_images_that_are_not_fashion_mnists_have_no_classes(clone):
    reveal = read_json(clone / "metrics/reveal.json")
    guesses = read_json(clone / "metrics/guess.json")
    assert reveal["skipped"]
    assert "agreement" not in json.dumps(guesses)
    assert "Classes cannot be looked up" in words_of(clone / "report/report.pdf")


@pytest.fixture(scope="module")
def alone(clone, tmp_path_factory):
    """A folder with the clone's notebook and four CSVs alone, after a run from top to bottom."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copy(clone / "report/notebook.ipynb", folder)
    for path in COURSE:
        shutil.copy(clone / path, folder)
    run_in(folder)
    return folder


def run_in(folder):
    """Run the notebook in its folder, as Jupyter does, elsewhere and without network."""
    notebook = read_notebook(folder / "notebook.ipynb")
    client = NotebookClient(notebook, resources={"metadata": {"path": folder}}, timeout=None)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (environment(folder) | ELSEWHERE).items():
            patch.setenv(name, value)
        client.execute()


@pytest.mark.slow
def test_alone_beside_the_four_csvs_the_notebook_makes_what_the_pipeline_makes(clone, alone):
    files = {path.relative_to(alone).as_posix() for path in alone.rglob("*.*") if path.is_file()}
    made = {path for path in files if path.startswith(("data/", "metrics/", "plots/"))}
    stages = {stage for stage in STAGES if not re.search(r"\.hand_in\.|\.fetch$", module(stage))}
    for stage in stages:
        assert all(any(one.startswith(path) for one in made) for path in outputs(stage)), stage
    for path in made:
        if not path.startswith(RUN_TIMES):
            assert (alone / path).read_bytes() == (clone / path).read_bytes(), path


@pytest.mark.slow
def test_beside_earlier_results_the_notebook_trains_nothing(alone):
    models = sorted((alone / "data/models").iterdir())
    before = [path.stat().st_mtime_ns for path in models]
    run_in(alone)
    assert [path.stat().st_mtime_ns for path in models] == before
    assert len(models) == 2
