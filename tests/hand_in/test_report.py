"""The report: its pages, its words, and that these follow the figures."""

import json
import re

import pandas as pd
import pytest
from pypdf import PdfReader

from stages.encoding import clustering, scatter
from stages.hand_in import charts, report
from stages.hand_in import report_meaning as meaning
from stages.hand_in import report_networks as networks
from stages.hand_in import report_results as results_text
from stages.hand_in import words as report_words
from stages.hand_in.sources import SOURCES
from tests.helpers import ROOT, read_json, synthetic, words_of

# Of the networks, the methods and the words, whatever the data are.
STRUCTURE = {"1", "2", "3", "4", "5", "8", "12", "16", "32", "512", "95", "0", "0.98"}
CITED = r"\[[\w ]+ \d{4}\]"


@pytest.fixture
def results(monkeypatch):
    """The project's results as they lie here, and its parameters."""
    monkeypatch.chdir(ROOT)
    results = report.read_results(ROOT / "metrics", ROOT / "plots")
    return results | {"settings": report.read_settings()}


def test_the_committed_report_has_ten_pages_or_less():
    assert len(PdfReader(ROOT / "report/report.pdf").pages) <= 10


def numbers_of(values) -> list[float]:
    """Every number in nested dicts, lists, tables and words, but for coordinates of points."""
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
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?(?:e-\d+)?", re.sub(CITED, "", words))


def test_every_number_in_the_text_is_one_of_the_results(results):
    figures = numbers_of({name: found for name, found in results.items() if name != "scatter"})
    known = {f"{abs(number):g}" for number in figures} | STRUCTURE
    for number in figures:
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


@pytest.mark.parametrize(
    ("gain", "p", "said"),
    [
        (0.02, 1e-6, "The improved network is better by 2.00 percentage points"),
        (-0.02, 1e-6, "The default network is better by 2.00 percentage points"),
        (0.02, 0.4, "cannot be told apart"),
    ],
)
def test_which_network_is_better_is_said_as_the_test_says(gain, p, said):
    row = {"accuracy_gain": gain, "mcnemar_p": p}
    row |= {"only_this_right": 300, "only_rival_right": 100}
    differences = pd.DataFrame([row], index=["improved"])
    by_label = pd.DataFrame({"network": ["default", "improved"], "label": [0, 1], "f1": 0.9})
    assert said in results_text.about_results(differences, by_label, 1)[0]


def test_choices_are_praised_only_if_their_absence_is_worse():
    row = {"difference": -0.01, "low": -0.02, "high": -0.001, "words": "worse"}
    same = {"difference": 0.0, "low": -0.1, "high": 0.1, "words": "indistinguishable"}
    effects = {"train_improved.skip=false": row, "train_improved.hflip=false": same}
    said = networks.about_designs({"effects": effects})
    assert "Accuracy falls without skip connections." in said
    assert "Without horizontal flip nothing changes" in said
    assert "The schedule is short" in said
    said = networks.about_designs({"effects": {"train_improved.skip=false": same}})
    assert "There is no choice without which accuracy falls" in said
    assert "The schedule is short" not in said
    assert "not measured" in networks.about_designs(None)


def test_a_choice_that_is_not_made_is_not_in_the_table(results):
    mine = results["settings"]["improved"] | {"skip": False}
    names = [row[0] for row in networks.table_of_choices(mine, None)]
    assert "skip connections" not in names
    assert "batch normalisation" in names
    assert "cutout" not in names
    assert {len(row) for row in networks.table_of_choices(mine, None)} == {4}
    assert {len(row) for row in networks.table_of_choices(mine, results["sweeps"]["design"])} == {5}


def test_a_few_planted_errors_are_no_ground_for_trust():
    errors = {"suspect": 0.01, "planted": 5, "found": 1.0, "by_chance": 0.05}
    assert "too few to tell" in meaning.about_doubts(errors)
    assert "Of 1 label changed at random" in meaning.about_doubts(errors | {"planted": 1})
    assert "so it finds labels that" in meaning.about_doubts(errors | {"planted": 100})
    assert "does not find" in meaning.about_doubts(errors | {"planted": 100, "found": 0.06})


def test_clusters_that_agree_less_than_predictions_are_not_praised():
    kmeans = read_json(ROOT / "metrics/kmeans.json")
    density = read_json(ROOT / "metrics/density.json")
    poor = kmeans | {"adjusted_rand_index": 0.1, "prediction_adjusted_rand_index": 0.9}
    by_number = pd.DataFrame({"n_clusters": [2, 3, 12], "valid_silhouette": [0.1, 0.5, 0.2]})
    said = " ".join(meaning.about_clusters(poor, by_number, density, 5))
    assert "less well than the network's own predictions do" in said
    assert "as many as there are labels" not in said
    none = density | {"clusters": 0, "purity": None}
    assert "there are no clusters" in " ".join(meaning.about_clusters(poor, by_number, none, 5))


def test_images_of_a_label_are_drawn_at_random_and_the_same_again():
    urls = [scatter.to_data_url(image) for image in synthetic(50)[0]]
    of_labels = pd.DataFrame({"image": urls, "label": 1})
    first, again, other = (charts.images({"label": of_labels}, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_labels_of_several_clusters_are_those_that_have_them_almost_alone():
    counts = pd.DataFrame({"0": [19, 1], "1": [18, 1], "2": [1, 19], "none": [5, 5]})
    said = "Labels that are made of several clusters: 1 of 2."
    assert meaning.about_density(counts) == said
    assert meaning.about_density(counts[["1", "2", "none"]]) == ""
    assert meaning.about_density(counts.assign(**{"1": [18, 6]})) == ""
    assert meaning.about_density(counts[["none"]]) == ""


def test_runs_that_failed_are_told_beside_those_that_ended(results):
    sweep = results["sweeps"]["rates_default"]
    sweep["winner"]["setting"] = "default"
    assert "no setting has a higher mean" in results_text.about_rates(sweep)
    sweep["settings"]["lr=0.3"] |= {"runs": 2, "failed": 1}
    assert "no setting of which every run ended has a" in results_text.about_rates(sweep)
    _, rows = results_text.table_of_rates([sweep])
    assert [row for row in rows if row[1].endswith(", 1 failed")]


def test_a_report_on_sweeps_of_other_data_claims_nothing_from_them(tried):
    for sweep in tried["sweeps"].values():
        sweep["same_data"] = False
    words = json.dumps([block for block in report.compose(tried) if "contents" not in block])
    assert "was not measured on these images, labels and settings" in words
    assert "were not compared on these images, labels and settings" in words
    assert "has the highest mean" not in words
    assert "from chance" not in words


@pytest.fixture
def tried(results):
    """The same, as if all sweeps had been run on these data, around the settings at hand."""
    settings = results["settings"]
    for sweep in results["sweeps"].values():
        sweep["same_data"] = True
        mine = settings[sweep["stage"].removeprefix("train_")] | {"lr": settings["lr"]}
        for values in (sweep["chosen"], sweep["kept"]):
            values |= {key: json.dumps(mine[key.split(".")[1]]) for key in values}
    return results


def usable_sweeps(results):
    """The names of the sweeps that say something of the settings, whatever these are now."""
    settings = results["settings"]
    return {
        name
        for name, sweep in results["sweeps"].items()
        if networks.usable(sweep, settings["lr"], settings[sweep["stage"].removeprefix("train_")])
    }


@pytest.mark.parametrize(("name", "value"), [("cutout", 8), ("skip", False)])
def test_a_sweep_says_nothing_of_settings_that_it_did_not_try_but_kept(tried, name, value):
    tried["settings"]["improved"] |= {name: value}
    assert usable_sweeps(tried) == {"rates_default", "seeds_default"}


def test_a_sweep_around_another_rate_says_nothing(tried):
    tried["settings"]["lr"] = 0.01
    assert usable_sweeps(tried) == set()


def test_sweeps_around_the_settings_at_hand_are_used_whatever_their_schedule(tried):
    tried["settings"]["improved"] |= {"epochs": 2, "width": 8}
    assert usable_sweeps(tried) == set(tried["sweeps"]) != set()


def test_a_report_with_other_settings_claims_nothing_from_sweeps_around_the_old_ones(tried):
    tried["settings"]["improved"] |= {"momentum": 0.5, "batch_size": 32}
    blocks = [block for block in report.compose(tried) if "contents" not in block]
    words = json.dumps(blocks)
    assert "What each choice is worth was not measured" in words
    assert "For the improved network" not in words
    assert "For the default network" in words


def test_sources_are_those_that_are_cited_and_all_that_are_cited(results):
    blocks = report.compose(results)
    words = json.dumps([block for block in blocks if "contents" not in block][:-1])
    keys = {match.strip("[]") for match in re.findall(CITED, words)}
    listed = {item[1:].split("]")[0] for item in blocks[-1]["items"]}
    assert keys == listed
    assert keys <= set(SOURCES)
    assert "DeVries 2017" not in listed  # nothing is cut out


def test_every_source_can_be_cited():
    code = "".join(path.read_text() for path in (ROOT / "stages").rglob("report*.py"))
    code = re.sub(r'"\s+f?"', "", code)  # texts that are broken over lines
    assert all(f"[{key}]" in code for key in SOURCES)


def test_one_of_a_thing_is_singular_and_a_p_value_too_small_for_a_number_is_no_zero():
    assert report_words.counted(1, "epoch") == "1 epoch"
    assert report_words.counted(1_200, "epoch") == "1,200 epochs"
    assert report_words.p_value(0.0) == "p < 1e-300"
    assert report_words.p_value(0.0123) == "p = 0.012"


def test_labels_that_are_never_predicted_are_all_the_hardest():
    f1 = pd.Series({0: 0.5, 1: 0.0, 3: 0.0})
    assert "labels 1 and 3 (F1 0.000)" in results_text.hardest("x", f1)
    assert "label 0 (F1 0.500)" in results_text.hardest("x", f1[:1])


def test_an_answer_taken_for_an_encoding_is_no_inner_layer(results):
    said = " ".join(meaning.about_layers(results["compare_layers"], "probabilities"))
    assert "It is the network's answer" in said
    assert "none agrees better" not in said
    said = " ".join(meaning.about_layers(results["compare_layers"], "stage_1_add"))
    assert "Layer encoding agrees better" in said


def test_no_layer_is_praised_for_clusters_that_do_not_agree_with_the_labels(results):
    rows = results["compare_layers"].query("network == 'improved'")
    rows = rows[rows["layer"].isin(["stage_1_add", "encoding"])]
    rows = rows.assign(adjusted_rand_index=[0.002, -0.0002])
    said = " ".join(meaning.about_layers(rows, "encoding"))
    assert "agreement 0.000" in said
    assert said.endswith("Clusters of no inner layer compared agree with the labels.")
    assert "(adjusted Rand index 0.00) hardly at all" in clustering.in_words(-0.0002, 0.9)


def test_labels_without_a_guess_are_not_counted_as_guesses():
    guess = {"guess": "bags", "standing": "confirmed", "why": "", "evidence": ""}
    none = {"guess": "", "standing": "unchecked", "why": "no guess", "evidence": ""}
    said = meaning.about_guesses({"0": guess, "1": none}, {"skipped": None})
    assert said.endswith("Guesses confirmed: 1, refuted: 0, unchecked: 0.")
    assert meaning.about_guesses({"0": none}, {"skipped": None}).endswith("No guess was made.")


def test_a_layout_that_is_no_typst_leaves_the_report_as_it_was(tmp_path):
    with pytest.raises(report.InputError, match="layout"):
        report.set_pages("#let x = (", "title", ["author"], "", [])


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (10_000, ""),
        (9_990, "Without the 10 test images that are training images, accuracy is 97.00% for the"),
        (0, "Every test image is a training image: no accuracy here says"),
    ],
)
def test_what_training_images_among_the_test_images_are_worth_is_told(images, said):
    unseen = pd.DataFrame(
        {"accuracy": [0.97, 0.98], "images": images}, index=["default", "improved"]
    )
    told = results_text.about_unseen(unseen, 10_000)
    assert told.startswith(said)
    assert bool(told) == bool(said)
