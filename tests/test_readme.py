"""README and docs against the project: their figures are those of the committed metrics."""

import json
import re
import subprocess
import tomllib
from io import StringIO

import pandas as pd
import pytest
from setuptools import find_packages

from stages.common.yaml import parse_yaml
from stages.encoding.clustering import best_number
from stages.meaning import label_flips
from stages.meaning.reasons import TURNING
from stages.meaning.verdict import strength_in_words
from tests.helpers import ROOT, STAGES, call, module, outputs


def committed(path: str) -> str:
    """The text of a file in the last commit, whatever a run has changed since."""
    show = ["git", "show", f"HEAD:{path}"]
    return subprocess.run(show, cwd=ROOT, capture_output=True, check=True).stdout.decode()


def metrics(name: str) -> dict:
    return json.loads(committed(f"metrics/{name}.json"))


def table(path: str, index: str | None = None) -> pd.DataFrame:
    return pd.read_csv(StringIO(committed(path)), index_col=index)


README = committed("README.md")
PAGES = {path.name: committed(f"docs/{path.name}") for path in sorted((ROOT / "docs").glob("*.md"))}
LOGS = "\n".join(page for name, page in PAGES.items() if name.startswith("log-"))
TEXT = "\n".join([README, *(page for name, page in PAGES.items() if not name.startswith("log-"))])


def table_rows(first_cell):
    """The cells of the pages' table rows that begin with `first_cell`."""
    rows = re.findall(rf"^\| {re.escape(first_cell)} \|(.*)\|$", TEXT, re.MULTILINE)
    return [[cell.strip() for cell in row.split("|")] for row in rows]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("majority", "majority label"),
        ("logistic", "logistic regression on pixels"),
        ("default", "default network"),
        ("improved", "improved network"),
    ],
)
def test_the_table_of_results_is_the_committed_metrics(name, title):
    scores = metrics(f"evaluate/{name}")
    interval = f"{scores['ci_low']:.4f} to {scores['ci_high']:.4f}"
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
    text = " ".join(TEXT.split())
    difference = table("plots/evaluate/differences.csv", "predictor").loc["improved"]
    assert (
        f"alone right on {difference['only_this_right']} test images, the default one on"
        f" {difference['only_rival_right']}" in text
    )
    assert f"(exact McNemar test, p = {difference['mcnemar_p']:.0e})" in text
    variance = metrics("pca")["explained_variance"]
    assert f"hold {variance:.0%} of the variance" in text
    networks = metrics("networks")
    for network in networks.values():
        assert f"{network['parameters']:,} parameters" in text
        assert f"{network['multiply_adds'] / 1e6:.1f} million multiply-adds" in text
    seconds = {
        name: table(f"metrics/runtime/train_{name}.csv")["seconds"].sum() for name in networks
    }
    assert f"{seconds['improved'] / seconds['default']:.1f} times as long" in text
    assert f"trained in {metrics('environment')['precision']['improved']}:" in text


CHOSEN = parse_yaml(committed("benchmarks/recipes.yaml"))
RECIPES = [(labels, name) for labels, chosen in CHOSEN.items() for name in chosen["recipes"]]


@pytest.mark.parametrize(("labels", "name"), RECIPES)
def test_the_table_of_settings_is_the_committed_metrics(labels, name):
    runs = metrics("runtime/recipes")[labels][name]["seeds"].values()
    scores = metrics("recipes")[labels][name]
    assert len(runs) == len(scores["seeds"])
    expected = [str(len(runs)), f"{max(run['teraflop'] for run in runs):.1f}"]
    expected += [f"{max(run['default_epochs'] for run in runs):.1f}"]
    views = ("valid_accuracy_1", "test_accuracy_1", "test_accuracy_2", "test_accuracy_6")
    for key in views:
        expected += [f"{scores['mean'][key]:.4f} ± {scores['standard_deviation'][key]:.4f}"]
    assert table_rows(f"{labels} {name}") == [expected]


@pytest.mark.parametrize("term", metrics("terms"))
def test_the_results_in_the_readme_are_the_committed_metrics(term):
    found = metrics("terms")[term]
    groups = ", ".join(str(number) for number in found["groups"].values())
    verdict = f"{found['verdict'].replace('_', ' ')}; groups in labels 0 to 4: {groups}"
    (row,) = table_rows(term)
    assert [*row[:2], row[3]] == [f"{found['default']:.4f}", f"{found['improved']:.4f}", verdict]


def test_the_readme_has_all_terms_and_the_first_is_what_the_committed_results_are_of():
    assert set(metrics("terms")) == {"winter-2025", "winter-2022", "winter-2020"}
    here = metrics("terms")["winter-2025"]
    for name in ("default", "improved"):
        assert here[name] == metrics(f"evaluate/{name}")["accuracy"]
    assert here["groups"] == metrics("interpret")["groups"]


def test_the_accuracies_over_seeds_in_the_readme_are_the_committed_metrics():
    for name, key in (("default", "test_accuracy_1"), ("improved", "test_accuracy_2")):
        scores = metrics("recipes")["chain"][name]
        words = f"{scores['mean'][key]:.4f} ± {scores['standard_deviation'][key]:.4f}"
        assert words in " ".join(README.split("| label |")[0].split())
        assert len(scores["seeds"]) == 5


def test_the_readme_shows_what_metrics_show_prints(tmp_path):
    call(tmp_path, "git", "clone", "-q", str(ROOT), str(tmp_path / "clone"))
    printed = call(tmp_path / "clone", "dvc", "metrics", "show")
    shown = README.split("```text\n")[1].split("\n```")[0]
    lines = [line.rstrip() for line in printed.splitlines() if line.startswith(("Path", "metrics"))]
    assert [line.rstrip() for line in shown.splitlines()] == lines


def test_the_guesses_in_the_readme_are_the_committed_ones():
    for label, guess in metrics("guess").items():
        assert table_rows(label) == [[guess["guess"], guess["standing"]]]


def test_the_time_of_the_chain_is_the_committed_one():
    chain = metrics("runtime/chain")
    assert f"takes {chain['default_epochs']:.0f} times as" in README
    assert f"{chain['seconds'] / 60:.0f} minutes here." in README
    assert f"took {chain['default_epochs']:.1f} default epochs" in TEXT
    assert f"the trainings {chain['training_default_epochs']:.1f} of them" in TEXT


def test_the_table_of_design_choices_is_the_committed_metrics():
    for name, row in metrics("sweeps")["design"]["effects"].items():
        difference, low, high = (f"{100 * row[key]:+.2f}" for key in ("difference", "low", "high"))
        cells = f"`{name.split('.')[1]}` | {difference} | {low} to {high} | {row['words']} |"
        assert f" | {cells}\n" in TEXT


def test_the_time_of_a_sweep_beside_the_queues_is_the_committed_one():
    ratio = metrics("runtime/throughput")["median_ratio"]
    assert f"took {ratio:.2f} of the time of `dvc queue`" in TEXT


@pytest.mark.parametrize("network", ["default", "improved"])
def test_the_table_of_learning_rates_is_the_committed_metrics(network):
    sweep = metrics("sweeps")[f"rates_{network}"]
    effects = {name.split(".", 1)[1]: row for name, row in sweep["effects"].items()}
    for setting, row in sweep["settings"].items():
        words = "as chosen" if setting == "default" else re.sub("[=_]", " ", setting)
        expected = [f"{row['mean']:.4f} ± {row['standard_deviation']:.4f}"]
        effect = effects.get(setting)
        expected += [f"{100 * effect['difference']:+.2f}", effect["words"]] if effect else ["", ""]
        assert table_rows(f"{network} network, {words}") == [expected]


def test_the_sweeps_in_the_text_are_of_the_committed_settings():
    for sweep in metrics("sweeps").values():
        assert sweep["same_data"]
        assert sweep["same_settings"]
        of_improved = sweep["stage"] == "train_improved"
        assert sweep["fixed"] == ({"train_improved.epochs": "9"} if of_improved else {})
    assert TEXT.count("the improved network for 9 epochs, three seeds") == 2


def test_the_table_of_layers_is_the_committed_metrics():
    keys = ["adjusted_rand_index", "silhouette", "detail"]
    for network, scores in table("plots/compare_layers.csv").groupby("network"):
        expected = [
            [row["layer"], f"{row['dimensions']:,}", *(f"{row[key]:.3f}" for key in keys)]
            for _, row in scores.iterrows()
        ]
        rows = [row for row in table_rows(network) if len(row) == len(expected[0])]
        assert rows == expected


def test_the_figures_of_clusters_and_doubts_in_the_text_are_the_committed_ones():
    text, dense, doubts = " ".join(TEXT.split()), metrics("density"), metrics("label_errors")
    mixed = metrics("label_order")["mixed"]
    assert f"Here {mixed:.0%} of the images are in such clusters" in text
    assert f"is highest for {best_number(table('plots/kmeans_range.csv'))}." in text
    assert (
        f"there are {dense['clusters']} clusters, and {dense['purity']:.1%} of the images" in text
    )
    assert f"{dense['outside']:.0%} of the images lie between clusters" in text
    assert f"or hard: {doubts['suspect']:.2%} are" in text
    assert f"changed at random {doubts['random']['found']:.0%} are among as many most" in text
    assert f"likeliest other label {doubts['similar']['found']:.0%}; chance" in text
    assert f"chance would find {doubts['random']['by_chance']:.0%}" in text


def test_the_figures_of_labels_made_up_in_order_are_the_committed_ones():
    text, found = " ".join(TEXT.split()), metrics("orders")
    bins = found["outside"]
    told = f"of {bins['asked']} whose labels are bins of a property that no list has, "
    assert f"{told}{bins['in_their_order']} were found ordered" in text
    classes = [found[kind] for kind in ("merge", "alone", "five")]
    asked, ordered = (sum(one[key] for one in classes) for key in ("asked", "ordered"))
    assert f"of {asked} by class, {ordered}." in text
    moved = found["by_class"]
    assert f"found exact in {moved['exact']} of {moved['asked']}" in text


def test_the_figures_of_calibration_and_saliency_in_the_text_are_the_committed_ones():
    text, maps, networks = " ".join(TEXT.split()), metrics("saliency"), metrics("curves")
    improved, default = (networks[name] for name in ("improved", "default"))
    assert f"confidence of {improved['confidence']:.3f} and an expected" in text
    assert f"(15 bins) of {improved['calibration_error']:.3f}, where" in text
    assert f"has {default['confidence']:.3f} and {default['calibration_error']:.3f}." in text
    lowest = table("plots/curves/areas.csv").groupby("network")["average_precision"].min()
    assert f"{lowest['improved']:.4f}, of the default network {lowest['default']:.4f}" in text
    least, most = sorted(maps["on_object"], key=maps["on_object"].get)[:: len(maps["ink"]) - 1]
    assert f"{maps['on_object'][least]:.0%} ({metrics('guess')[least]['guess']}) to" in text
    assert f"to {maps['on_object'][most]:.0%} (label {most}) lies on the object" in text
    assert f"{maps['ink'][least]:.0%} and {maps['ink'][most]:.0%} of the image" in text
    less = max(maps["on_object"][n] - maps["other_ink"][n] for n in maps["ink"])
    assert f"lies as much, or at most {100 * less:.0f} points less." in text


def test_the_table_of_meanings_is_the_committed_metrics():
    revealed, guesses = metrics("reveal"), metrics("guess")
    for label in "01234":
        agreement = revealed["adjusted_mutual_info"][label]
        expected = [str(revealed[key][label]) for key in ("n_groups", "n_classes")]
        expected += ["" if agreement is None else f"{agreement:.2f}"]
        expected += ["{guess}: {standing}".format(**guesses[label])]
        assert table_rows(f"label {label}") == [expected]


def test_the_figures_of_the_verdict_in_the_text_are_the_committed_ones():
    text, statistics = " ".join(TEXT.split()), table("plots/image_statistics.csv", "predictor")
    accuracies = statistics["valid_accuracy"]
    assert f"predicts {accuracies['tree']:.1%} of the validation labels" in text
    best = accuracies.drop(["tree", "majority"]).max()
    assert f"one on the best alone {best:.1%}" in text
    pairs = metrics("label_flips")["pairs"]
    sharpest = max(found["jump"] or 0 for found in pairs)
    expected = f"between similar images is {sharpest:.2f} of 1, and {label_flips.FLIP} would count"
    assert expected in text
    assert all(found["flips"] == ((found["jump"] or 0) >= label_flips.FLIP) for found in pairs)
    assert f"verdict is: **{metrics('interpret')['verdict'].replace('_', ' ')}**" in text


def test_the_score_of_the_verdicts_in_the_text_is_the_committed_one():
    text, score = " ".join(TEXT.split()), metrics("calibration")["scoring"]
    answers = score["seeds"].values()
    right = [answer for answer in answers if answer["verdict"] == answer["expected"]]
    assert (score["right"], score["asked"]) == (len(right), len(answers)) == (len(right), 60)
    assert f"{score['right']} of {score['asked']} verdicts were right" in text
    section = PAGES["meaning.md"].split("## Can the verdict be trusted?")[1]
    told = re.findall(r"^\| .*? \| (\d+) \|$", section, re.M)
    assert told == [str(of_kind["right"]) for of_kind in score["by_kind"].values()]
    assert {of_kind["asked"] for of_kind in score["by_kind"].values()} == {6}
    narrow, fair, clear = (
        f"{one['right']} of {one['asked']}" for one in score["reliability"].values()
    )
    assert f"it is called narrow: {narrow} such verdicts were right;" in text
    assert f"up to a quarter, fair: {fair}; beyond, clear: {clear}." in text
    assert metrics("calibration").keys() == {"scoring"}
    found = metrics("interpret")
    told = f"{strength_in_words(found['strength'])} ({found['strength']:.2f}, by"
    assert f"{told} {TURNING[found['turned_by']]})" in text


@pytest.mark.parametrize("signal", metrics("kills"))
def test_the_table_of_kills_is_the_committed_metrics(signal):
    kills = metrics("kills")[signal]
    lists = [len(kills[key]) for key in ("stopped", "differing", "left_over")]
    expected = [kills["in_all"], lists[0], kills["outputs"], kills["bytes"], *lists[1:]]
    expected += [kills["tracebacks"], kills["lock_torn"]]
    assert table_rows(signal) == [[f"{number:,}" for number in expected]]


@pytest.mark.parametrize("stage", metrics("runtime/growth"))
def test_the_table_of_growth_is_the_committed_metrics_of_stages_above_12_seconds(stage):
    sizes = metrics("runtime/growth")[stage].values()
    seconds = ", ".join(f"{size['seconds']:.1f}" for size in sizes)
    megabytes = ", ".join(f"{size['peak_megabytes']:.0f}" for size in sizes)
    is_told = max(size["seconds"] for size in sizes) > 12
    assert table_rows(f"`{stage}`") == ([[seconds, megabytes]] if is_told else [])


def test_every_file_that_a_page_names_exists():
    folders = "stages|metrics|plots|tests|benchmarks|docs"
    for path in re.findall(rf"`((?:{folders})/[\w/.*-]+)`", TEXT):
        assert list(ROOT.glob(path.rstrip("/"))), path
    for folder, pages in ((ROOT, [README]), (ROOT / "docs", PAGES.values())):
        for path in re.findall(r"\]\((?!http)([^)]+)\)", "\n".join(pages)):
            assert (folder / path).exists(), path


OUR_OLD_WORDS = re.compile(
    r"by heart|look-?alike|\bclump|garment|kinds? of picture|tells? (\w+ )?apart|\bmirrors?\b"
    r"|\berased|\bshares? of\b|\bsurer? of\b|(is|are) worth\b",
    re.IGNORECASE,
)


def test_texts_figures_and_messages_use_the_words_of_the_field():
    listed = ["git", "ls-tree", "-r", "--name-only", "HEAD", "stages", "sweeps", "report"]
    paths = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    names = [path for path in paths.split() if path.endswith((".py", ".typ", ".md", ".yaml"))]
    assert len(names) > 50
    texts = {name: committed(name) for name in [*names, "params.yaml", "dvc.yaml"]}
    for name, text in {"README and docs": TEXT, **texts}.items():
        assert not (found := OUR_OLD_WORDS.search(text)), f"{name}: {found[0]}"


def test_the_readme_is_short_and_no_page_is_long():
    assert len(README) <= 8_000
    assert {name: len(page) for name, page in PAGES.items() if len(page) > 10_000} == {}


def test_every_page_is_listed_in_the_readme_or_on_a_page_that_is():
    links = set(re.findall(r"\]\((?:docs/)?([\w-]+\.md)\)", TEXT + LOGS))
    assert set(PAGES) <= links


def test_the_diagram_shows_every_stage_and_what_flows_between_chapters():
    chapters = {stage: module(stage).split(".")[1] for stage in STAGES}
    makers = {path: chapters[stage] for stage in STAGES for path in outputs(stage)}
    flows = {
        (maker, chapters[stage])
        for stage in STAGES
        for dep in STAGES[stage]["deps"]
        for path, maker in makers.items()
        if path == dep or path.startswith(f"{dep}/")
        if maker != chapters[stage]
    }
    assert set(re.findall(r"^\t(\w+)-->\|[\w, ]+\| (\w+)$", TEXT, re.MULTILINE)) == flows
    for chapter, stages in re.findall(r"\*\*(\w+)\*\*<br/>(.*)\"\]", TEXT):
        shown = set(re.findall(r"\w+", stages.replace("<br/>", " ")))
        assert shown == {stage for stage in STAGES if chapters[stage] == chapter}


def test_ci_runs_the_test_command_of_the_readme():
    commands = re.findall(r"^python -m pytest.*$", README, re.MULTILINE)
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci/run").read_text().splitlines()


@pytest.mark.parametrize(
    ("message", "cure"),
    [
        ("unexpected error", 'git config --global user.name "Your name"'),
        ("is not a git repository", "git init && git add . && git commit"),
        ("is not owned by current user", 'git config --global --add safe.directory "$PWD"'),
        ("python: command not found", ". .venv/bin/activate"),
        ("python: command not found", r".venv\Scripts\Activate.ps1"),
    ],
)
def test_a_trouble_that_dvc_gives_up_on_begins_with_its_message_and_has_its_cure(message, cure):
    _, *entries = re.split(r"\n(?=\*\*)", PAGES["troubles.md"])
    assert any(message in entry.split("**")[1] and cure in entry for entry in entries)


def test_commands_to_use_run_in_powershell_too():
    for command in re.findall(r"^(?:dvc|python -m (?!venv)|git) .*$", README, re.MULTILINE):
        assert "&&" not in command
        assert "=$" not in command


def test_an_editable_installation_finds_the_packages_and_nothing_else():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found = find_packages(str(ROOT), **project["tool"]["setuptools"]["packages"]["find"])
    assert {"stages.data", "stages.meaning", "sweeps", "benchmarks"} <= set(found)
    assert not {name for name in found if name.startswith(("tests", "data", "metrics", "plots"))}
