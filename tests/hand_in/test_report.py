"""The report: its pages, its words, and that these follow the figures."""

import io
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typst
from dvc.utils.serialize import modify_yaml
from PIL import Image
from pypdf import PdfReader

from stages.common.pictures import fonts_for
from stages.common.yaml import load_yaml
from stages.encoding import scatter
from stages.encoding.extract_encoding import KEPT, MOST
from stages.hand_in import charts, report
from tests.helpers import ROOT, one_line, read_json, synthetic, words_of

BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="100"/>'
# Of the networks, the methods and the words, whatever the data are.
STRUCTURE = {"0", "1", "2", "3", "5", "8", "28", "32", "95", "128", "255", "512", "0.98", "0.001"}
CITED = r"\[\d+\]"
FONTS = fonts_for("")
SOURCE = (ROOT / "report/report.typ").read_text()


@pytest.fixture
def project(tmp_path):
    """A folder with the results and the document as they lie here, figures blank and in place."""
    for name in ("metrics", "plots", "report"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("scatter"))
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "data/figures").mkdir(parents=True)
    document = tmp_path / "report/report.typ"
    document.write_text(document.read_text().replace("placement: auto", "placement: none"))
    for name in re.findall(r'#chart\("(\w+)"\)', SOURCE):
        (tmp_path / f"data/figures/{name}.svg").write_text(BLANK)
    return tmp_path


def words(project: Path) -> str:
    """The words of the report that a folder's results give, on one line."""
    path = project / "report/words.pdf"
    path.write_bytes(report.compile_document(project / "report/report.typ", project, FONTS))
    return words_of(path).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


def between(words: str, start: str, end: str) -> str:
    return words.split(start, 1)[1].split(end, 1)[0]


def change(project: Path, name: str, **values) -> None:
    """Change values of a JSON file of metrics."""
    path = project / f"metrics/{name}.json"
    path.write_text(json.dumps(read_json(path) | values))


def change_guesses(project: Path, **values) -> None:
    guesses = read_json(project / "metrics/guess.json")
    change(project, "guess", **{label: guess | values for label, guess in guesses.items()})


def change_table(project: Path, name: str, **columns) -> None:
    """Change whole columns of a CSV of plots."""
    path = project / f"plots/{name}.csv"
    pd.read_csv(path).assign(**columns).to_csv(path, index=False)


def nothing_is_learned(project):
    for name in ("default", "improved"):
        change(project, f"evaluate/{name}", accuracy=0.5, ci_low=0.49, ci_high=0.51)
    change_table(project, "evaluate/differences", accuracy_gain=0.0, mcnemar_p=1.0)
    change(project, "interpret", verdict="no_structure", because="Nothing can be seen.")
    change(project, "kmeans", adjusted_rand_index=0.0, prediction_adjusted_rand_index=0.0)
    change(project, "density", clusters=0, purity=None)
    change_guesses(project, guess="", standing="unchecked", why="no guess")


def files_of_a_course(project):
    with modify_yaml(project / "params.yaml") as params:
        params["fetch"]["source"] = "course"
    change(project, "reveal", skipped="these are not Fashion-MNIST's images")
    change_guesses(project, standing="unchecked", why="classes are not known")
    change(project, "audit", test_in_train=10, looks=["inverted"])
    change_table(project, "evaluate/unseen", images=9990, accuracy=0.97)


def bins_of_a_statistic(project):
    change(project, "interpret", verdict="image_statistic", because="Labels flip at width 12.5.")
    change(project, "label_order", ordered=True, mixed=0.9, linked=4.2, order=[4, 0, 1, 2, 3])
    change_guesses(project, guess="light ones", standing="refuted", why="it is no class")
    counts = [600 if label in (cluster, 1) else 1 for label in range(5) for cluster in range(5)]
    change_table(project, "clusters", count=counts)


def classes_parted_by_a_threshold(project):
    change(project, "interpret", verdict="mixed", because="Labels 0 and 1 flip at width 12.5.")
    change(project, "kmeans", adjusted_rand_index=0.5)


def few_images(project):
    counts = [120, 60, 40, 40, 40] * 2 + [24, 12, 8, 8, 8]
    change_table(project, "images", count=counts)
    trial = read_json(project / "metrics/label_errors.json")["random"]
    change(project, "label_errors", random=trial | {"planted": 5})
    change(project, "reveal", skipped="these are not Fashion-MNIST's images")
    change_table(project, "kmeans_range", valid_silhouette=np.nan)


def the_default_network_is_better(project):
    change_table(project, "evaluate/differences", accuracy_gain=-0.02, mcnemar_p=1e-9)


SITUATIONS = {
    nothing_is_learned: (
        [
            "The labels follow nothing that can be seen",
            "The default network did not learn",
            "cannot be told apart",
            "hardly at all",
            "there are no clusters",
            "No guess was made",
        ],
        ["percentage points more", "We read", "guesses hold", "The labels stand for", "of them ("],
    ),
    files_of_a_course: (
        [
            "those of the course's four CSV files",
            "No class was known to check this reading",
            "10 test images are training images",
            "look inverted",
            "accuracy is 97.00% for the",
        ],
        ["looked up in Fashion-MNIST", "guesses hold", "No image occurs twice"],
    ),
    bins_of_a_statistic: (
        [
            "The labels are bins of an image statistic",
            "0 of 5 guesses hold",
            "5 refuted",
            "in the order 4, 0, 1, 2, 3 even the neighbours that meet least meet 4.2 times",
            "No property that we measured follows that order",
            "Cluster 0 merges labels 0 and 1",
            "Label 1 is split over clusters 0, 1, 2, 3, and 4",
        ],
        ["We read", "Each cluster holds one label", "stand for visual classes"],
    ),
    classes_parted_by_a_threshold: (
        ["visual classes, parted further by thresholds", "less well than the network's own"],
        ["no label flips at a threshold"],
    ),
    few_images: (
        ["Both networks learn from 300 images", "these are too few to trust it"],
        ["as many as there are labels", "looked up in Fashion-MNIST"],
    ),
    the_default_network_is_better: (
        ["The default network is better by 2.00 percentage points", "is not better than"],
        ["The improved network is better", "the improved one is the better"],
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_in_other_situations_the_text_says_what_was_found_and_no_more(project, situation):
    present, absent = SITUATIONS[situation]
    before = words(project)
    situation(project)
    after = words(project)
    for phrase in present:
        assert phrase in after and phrase not in before, phrase
    for phrase in absent:
        assert phrase not in after, phrase
    assert len(between(after, "Abstract.", "Q1").split()) <= 120
    assert len(between(after, "Conclusion", "Libraries and sources").split()) <= 100
    assert not re.search(r" [,.;:]|\(\)|,,|\.\.|  ", after.split("Libraries")[0])


def test_the_results_here_are_told_in_an_abstract_and_four_answers(project):
    text = words(project)
    abstract = between(text, "Abstract.", "Q1: The default network")
    for name in ("default", "improved"):
        scores = read_json(ROOT / f"metrics/evaluate/{name}.json")
        assert f"{scores['accuracy']:.2%}" in abstract
        assert f"{scores['ci_low']:.2%} to {scores['ci_high']:.2%}" in abstract
    for part in (
        "Q2: An improved network",
        "Q3: Results",
        "Q4: What the labels mean",
        "Conclusion",
    ):
        assert part in text
    assert len(abstract.split()) <= 120


def test_no_page_but_the_last_ends_with_more_than_a_fifth_of_it_empty():
    """Of the committed report, at most ten pages, rendered in grey."""
    path = ROOT / "report/report.pdf"
    n_pages = len(PdfReader(path).pages)
    assert 4 < n_pages <= 10
    committed = typst.compile(
        io.BytesIO(
            b"#set page(margin: 0pt)\n"
            + b"".join(b'#image("report.pdf", page: %d)\n' % page for page in range(1, n_pages + 1))
        ).getvalue(),
        root=path.parent,
        format="png",
        ppi=20,
    )
    for page in committed[:-1]:
        grey = np.asarray(Image.open(io.BytesIO(page)).convert("L"))
        text = grey[: int(0.92 * len(grey))]  # without the page's number
        lowest = np.flatnonzero(text.min(axis=1) < 200).max()
        assert lowest > 0.75 * len(grey)


def numbers_of(values) -> list[float]:
    """Every number in nested dicts, lists, tables and words."""
    if isinstance(values, bool) or values is None:
        return []
    if isinstance(values, dict):
        return [number for pair in values.items() for value in pair for number in numbers_of(value)]
    if isinstance(values, list | tuple):
        return [number for value in values for number in numbers_of(value)]
    if isinstance(values, str):
        return [float(number.replace(",", "")) for number in found_in(values)]
    return [float(values)] if isinstance(values, int | float) else []


def found_in(words: str) -> list[str]:
    """The numbers in words, without references to sources and figures, and names."""
    words = re.sub(rf"{CITED}|(?:Figure|Table) \d+|Q\d|\w+_\w+|x86_64|bfloat16|k-means", "", words)
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", words)


def test_every_number_in_the_text_is_one_of_the_results(project):
    files = list(project.rglob("*.json"))
    results = [read_json(path) for path in files]
    results += [pd.read_csv(path).to_dict("list") for path in project.rglob("*.csv")]
    results += [path.read_text() for path in project.rglob("*.txt")]
    results += [load_yaml(project / "params.yaml")]
    times = [pd.read_csv(ROOT / f"metrics/runtime/train_{name}.csv") for name in report.NETWORKS]
    seconds = [float(table["seconds"].sum()) for table in times]
    images = [float((table["seconds"] * table["images_per_second"]).sum()) for table in times]
    numbers = [*numbers_of(results), *seconds, seconds[1] / seconds[0]]
    numbers += [n / s for n, s in zip(images, seconds, strict=True)]
    testing = pd.read_csv(ROOT / "metrics/runtime/evaluate.csv")["seconds"]
    numbers.append(testing[1] / testing[0])
    sizes = read_json(ROOT / "metrics/networks.json")
    of_split = pd.read_csv(ROOT / "plots/images.csv").groupby("split")["count"].sum()
    numbers += map(float, of_split)
    numbers.append(sizes["default"]["parameters"] / sizes["improved"]["parameters"])
    known = STRUCTURE | {f"{abs(number):g}" for number in numbers}
    for number in numbers:
        for scale in (1, 100, 1 / 60):  # as it is, in per cent, in minutes
            for up in (0, 1e-9):  # Typst rounds halves up, Python to the even digit
                known |= {f"{abs(number) * scale + up:,.{digits}f}" for digits in range(5)}
    text = words(project).split("Libraries and sources")[0]
    derived = [r"at a learning rate of [\d.]+", r"with a peak of [\d.]+", r"\d+ of 5"]
    derived += [
        r"with \d+ times",
        r"\d+% of the training images, the rarest \d+%",
        r"by [\d.]+ points",
    ]
    derived += [r"[\d.]+ points better", r"pure cluster [\d.]+%", r"[\d.]+% are in the first dense"]
    derived += [r"\d+ confirmed, \d+ refuted, \d+ unchecked", r"three stages of .*? channels"]
    derived += [r"a convolution of \d+ channels", r"each of the \d+ last channels"]
    for pattern in derived:  # sums and quotients of results, tested by what they say elsewhere
        text = re.sub(pattern, "", text)
    for number in found_in(text):
        assert number in known, f"{number} near: {between(text, number, '.')[:80]}"


def test_every_figure_and_table_is_referred_to_and_every_source_is_cited(project):
    labels = re.findall(r"^\s*\]? ?\)? ?\]? ?<([\w-]+)>", SOURCE, re.MULTILINE)
    assert len(labels) >= 15
    keys = re.findall(r"@\w+\{(\w+),", (ROOT / "report/sources.bib").read_text())
    assert len(keys) >= 20
    for name in labels + keys:
        assert re.search(rf"@{name}\b", SOURCE), name


def test_words_that_look_like_markup_are_set_as_they_are(project):
    nasty = '#panic("no") *bold* $x$ <tag> \\ [1] @ref'
    with modify_yaml(project / "params.yaml") as params:
        params["report"] |= {"title": nasty, "authors": [nasty], "course": nasty}
    change_guesses(project, guess=nasty, why=nasty)
    assert words(project).count('#panic("no") *bold* $x$ <tag> \\ [1] @ref') > 10


def test_a_missing_value_is_one_line_with_the_place_that_asks_for_it(project):
    scores = read_json(project / "metrics/kmeans.json")
    scores["ari"] = scores.pop("adjusted_rand_index")
    (project / "metrics/kmeans.json").write_text(json.dumps(scores))
    with pytest.raises(report.InputError, match=r"report\.typ:\d+: .*adjusted_rand_index") as error:
        words(project)
    one_line(error)


def test_a_document_that_is_no_typst_is_one_line_and_leaves_the_report_as_it_was(project):
    (project / "report/report.typ").write_text("#let x = (")
    with pytest.raises(report.InputError, match=r"report\.typ:1: expected Typst") as error:
        words(project)
    one_line(error)


@pytest.fixture
def tried(project):
    """The same, as if all sweeps had been run on these data, around the settings at hand."""
    sweeps = read_json(project / "metrics/sweeps.json")
    same = {"same_data": True, "same_settings": True}
    change(project, "sweeps", **{name: sweep | same for name, sweep in sweeps.items()})
    return project


def change_effects(project, **words_of_effects):
    """Let the sweep of designs have found these words of choices left out, and no others."""
    design = read_json(project / "metrics/sweeps.json")["design"]
    row = {"difference": -0.01, "low": -0.02, "high": -0.001, "seeds": 4}
    effects = {
        f"train_improved.{name.replace('__', '=')}": row | {"words": words}
        for name, words in words_of_effects.items()
    }
    change(project, "sweeps", design=design | {"effects": effects})


def test_choices_are_praised_only_if_their_absence_is_worse(tried):
    change_effects(tried, skip__false="worse", hflip__false="indistinguishable")
    text = words(tried)
    assert "Accuracy falls without skip connections." in text
    assert "The effect of horizontal flip cannot be told from chance." in text
    assert "-1.00 (-2.00 to -0.10)" in text.replace("\N{MINUS SIGN}", "-")
    assert text.count("not measured") > 3
    change_effects(tried, skip__false="indistinguishable")
    text = words(tried).replace("\N{MINUS SIGN}", "-")
    assert "So few seeds cannot tell any choice's absence from chance." in text
    assert "By the means, accuracy falls most without skip connections (-1.00)." in text


def test_a_choice_that_is_not_made_is_not_in_the_table(tried):
    assert "skip connections" in words(tried)
    with modify_yaml(tried / "params.yaml") as params:
        params["train_improved"] |= {"skip": False, "momentum": 0}
    text = words(tried)
    assert "skip connections a stage learns" not in text
    assert "Nesterov momentum steps" not in text


@pytest.mark.parametrize("key", ["same_data", "same_settings"])
def test_sweeps_of_other_data_or_around_other_settings_say_nothing(tried, key):
    assert "compared on the validation images" in words(tried)
    sweeps = read_json(tried / "metrics/sweeps.json")
    change(tried, "sweeps", **{name: sweep | {key: False} for name, sweep in sweeps.items()})
    text = words(tried)
    assert "was not measured on these images, labels and settings" in text
    assert "were not compared on these images, labels and settings" in text
    assert "compared on the validation images" not in text
    assert "highest mean" not in text
    assert "from chance" not in text


def test_runs_that_failed_are_told_beside_those_that_ended(tried):
    sweeps = read_json(tried / "metrics/sweeps.json")
    setting = list(sweeps["rates_default"]["settings"])[-1]
    sweeps["rates_default"]["settings"][setting] |= {"runs": 2, "failed": 1}
    sweeps["rates_default"]["winner"]["setting"] = "default"
    change(tried, "sweeps", **sweeps)
    text = words(tried)
    assert ", 1 failed" in text
    assert "For the default network no setting has a higher mean than the one chosen." in text


def test_a_layer_of_many_dimensions_is_said_to_be_shortened_as_it_is(project):
    with modify_yaml(project / "params.yaml") as params:
        params["extract_encoding"]["layer"] = "stage_1_add"
    assert f"the first {KEPT} principal components are used" in words(project)
    table = pd.read_csv(project / "plots/compare_layers.csv")
    table.assign(dimensions=MOST).to_csv(project / "plots/compare_layers.csv", index=False)
    assert "principal components are used" not in words(project)


def test_images_of_a_label_are_drawn_at_random_and_the_same_again():
    urls = [scatter.to_data_url(image) for image in synthetic(50)[0]]
    of_labels = pd.DataFrame({"image": urls, "label": 1})
    first, again, other = (charts.images({"label": of_labels}, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_counts_have_columns_in_the_order_of_numbers_and_words_last(tmp_path):
    table = pd.DataFrame({"label": 0, "cluster": ["none", "10", "2"], "count": [3, 1, 2]})
    table.to_csv(tmp_path / "counts.csv", index=False)
    counts = report.read_counts(tmp_path / "counts.csv", "label", "cluster")
    assert list(counts.columns) == ["2", "10", "none"]
    assert list(counts.loc[0]) == [2, 1, 3]
