"""The report: its pages, its words, and that these follow the figures."""

import json
import re

import pandas as pd
import pytest
from conftest import ROOT, call, read_json
from pypdf import PdfReader

import report
from common import report_text as text

STRUCTURE = {"1", "2", "3", "4", "5", "8", "12", "32", "512", "95", "0"}  # of networks and words


def words_of(path) -> str:
    """The text of a PDF, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


@pytest.fixture
def results(monkeypatch):
    """The project's results as they lie here, and its parameters."""
    monkeypatch.chdir(ROOT)
    results = report.read_results(ROOT / "metrics", ROOT / "plots")
    return results | {"settings": report.read_settings()}


def test_the_report_of_little_data_has_its_parts_on_ten_pages_or_less_and_no_code(clone):
    path = clone / "report/report.pdf"
    assert 1 < len(PdfReader(path).pages) <= 10
    words = words_of(path)
    for part in (
        "1 The default network",
        "2 A network of our own",
        "3 Results",
        "4 What the labels mean",
        "Libraries and sources",
        "Loss by epoch",
        "Accuracy by epoch",
        "Confusion on the test images",
        "Run times",
        "principal components",
        "clusters that k-means and density find",
        "Test images at random, of each cluster and of each label",
        "The verdict:",
        "The guesses",
    ):
        assert part in words, part
    assert not re.search(r"\bimport \w+|\bdef \w+\(|keras\.|np\.|= \[", words)


def test_the_committed_report_has_ten_pages_or_less():
    assert len(PdfReader(ROOT / "report/report.pdf").pages) <= 10


def test_the_same_results_give_the_same_bytes(clone):
    before = (clone / "report/report.pdf").read_bytes()
    call(clone, "dvc", "repro", "--force", "--single-item", "--no-run-cache", "report")
    assert (clone / "report/report.pdf").read_bytes() == before


def numbers_of(values) -> list[float]:
    """Every number in nested dicts, lists, tables and words."""
    if isinstance(values, bool) or values is None:
        return []
    if isinstance(values, pd.DataFrame):
        values = values.drop(columns="image", errors="ignore").to_dict("list")
    if isinstance(values, dict):
        return [number for pair in values.items() for value in pair for number in numbers_of(value)]
    if isinstance(values, list | tuple):
        return [number for value in values for number in numbers_of(value)]
    if isinstance(values, str):
        return [float(number.replace(",", "")) for number in found_in(values)]
    return [float(values)] if isinstance(values, int | float) else []


def found_in(words: str) -> list[str]:
    """The numbers in words, without references to sources."""
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e-\d+)?", re.sub(r"\[\d+\]", "", words))


def test_every_number_in_the_text_is_one_of_the_results(results):
    known = {f"{abs(number):g}" for number in numbers_of(results)} | STRUCTURE
    for number in numbers_of(results):
        for scale in (1, 100, 1 / 60):  # as it is, in per cent, in minutes
            known |= {f"{abs(number) * scale:,.{digits}f}" for digits in range(4)}
        known |= {f"{number:.0e}", f"{number:.1g}", f"{number:.2g}"}
    blocks = report.compose(results)
    sentences = [block["text"] for block in blocks if block["kind"] in ("text", "heading")]
    cells = [
        cell
        for block in blocks
        if block["kind"] == "table"
        for row in block["rows"]
        for cell in row
    ]
    for words in sentences[:-1] + cells:  # the last paragraph names libraries
        for number in found_in(words):
            assert number in known, f"{number} in: {words}"


def test_words_that_look_like_markup_are_set_as_they_are(tmp_path):
    nasty = '#panic("no") *bold* $x$ <tag> \\ [1] @ref'
    pdf = report.set_pages(
        (ROOT / "report/layout.typ").read_text(),
        nasty,
        [nasty],
        nasty,
        [report.paragraph(nasty), report.table([nasty], [[nasty]], nasty)],
    )
    (tmp_path / "report.pdf").write_bytes(pdf)
    words = words_of(tmp_path / "report.pdf")
    assert words.count('#panic("no") *bold* $x$ <tag> \\ [1] @ref') == 7


SCORES = {
    "difference": {
        "accuracy_gain": 0.02,
        "mcnemar_p": 1e-6,
        "only_improved_right": 300,
        "only_default_right": 100,
    },
    "default": {"f1": {"0": 0.8, "1": 0.9}},
    "improved": {"f1": {"0": 0.95, "1": 0.9}},
}


@pytest.mark.parametrize(
    ("gain", "p", "said"),
    [
        (0.02, 1e-6, "The improved network is better by 2.00 percentage points"),
        (-0.02, 1e-6, "The default network is better by 2.00 percentage points"),
        (0.02, 0.4, "cannot be told apart"),
    ],
)
def test_which_network_is_better_is_said_as_the_test_says(gain, p, said):
    difference = SCORES["difference"] | {"accuracy_gain": gain, "mcnemar_p": p}
    assert said in text.about_results(SCORES | {"difference": difference})[0]


def test_choices_are_praised_only_if_their_absence_is_worse():
    row = {"difference": -0.01, "low": -0.02, "high": -0.001, "words": "worse"}
    same = {"difference": 0.0, "low": -0.1, "high": 0.1, "words": "indistinguishable"}
    effects = {"train_improved.skip=false": row, "train_improved.mirror=false": same}
    said = text.about_designs({"effects": effects})
    assert "Left out, skip connections costs accuracy." in said
    assert "mirrored images cannot be told from its absence" in said
    said = text.about_designs({"effects": {"train_improved.skip=false": same}})
    assert "No choice, left out, costs accuracy" in said
    assert "not measured" in text.about_designs(None)


def test_a_choice_that_is_not_made_is_not_in_the_table(results):
    mine = results["settings"]["improved"] | {"skip": False}
    names = [row[0] for row in text.table_of_choices(mine, None)]
    assert "skip connections" not in names
    assert "batch normalisation" in names
    assert "erased squares" not in names


def test_clusters_that_agree_less_than_predictions_are_not_praised():
    kmeans = read_json(ROOT / "metrics/kmeans.json")
    density = read_json(ROOT / "metrics/density.json")
    poor = kmeans | {"adjusted_rand_index": 0.1, "prediction_adjusted_rand_index": 0.9}
    said = " ".join(text.about_clusters(poor, {"best": 3}, density | {"purity": 0.4}, 5))
    assert "far less well than the network's own predictions do" in said
    assert "as many as there are labels" not in said
    assert "several clumps" not in said
    none = density | {"clusters": 0, "purity": None}
    assert "there are no clusters" in " ".join(text.about_clusters(poor, {"best": 3}, none, 5))


def test_a_report_on_sweeps_of_other_data_claims_nothing_from_them(results):
    for sweep in results["sweeps"].values():
        sweep["same_data"] = False
    words = json.dumps([block for block in report.compose(results) if "contents" not in block])
    assert "was not measured on these images and labels" in words
    assert "has the highest mean" not in words
    assert "cannot be told from" not in words


def test_images_that_are_not_fashion_mnists_have_no_garments(clone):
    reveal = read_json(clone / "metrics/reveal.json")
    guesses = read_json(clone / "metrics/guess.json")
    assert "Garments cannot be looked up" in text.about_guesses(guesses, reveal)
    rows = text.table_of_guesses(guesses, read_json(clone / "metrics/groups.json"), reveal)
    assert {row[2] for row in rows} == {"not known"}


def test_a_layout_that_is_no_typst_leaves_the_report_as_it_was(tmp_path):
    with pytest.raises(report.InputError, match="layout"):
        report.set_pages("#let x = (", "title", ["author"], "", [])
