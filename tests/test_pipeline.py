"""dvc.yaml against the code: what a stage uses is what it declares, neither more nor less."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers import PIPELINE, ROOT, STAGES, module, outputs, plot_options, source

CONTRACT = [
    "fetch",
    "prepare",
    "train_default",
    "train_improved",
    "describe_networks",
    "evaluate",
    "extract_encoding",
    "pca",
    "kmeans",
    "tsne",
    "scatter",
    "image_grids",
]
DVC_TEMPLATES = {"bar_horizontal", "scatter", "simple"}
WITH_TENSORFLOW = {
    "train_default",
    "train_improved",
    "describe_networks",
    "evaluate",
    "extract_encoding",
}


def imported_modules(path):
    """The project's own modules that a file imports, and those that they import, as paths.

    With `stages/__init__.py`, which every import runs, without the chapters', which say a line.
    """
    modules = {ROOT / "stages/__init__.py"}
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            module = ROOT / (name.replace(".", "/") + ".py")
            if module.exists():
                modules |= {module} | imported_modules(module)
    return modules


def used_params(path):
    """Every `params["block"]["key"]` in a file, as (block, key), or `params["block"]`, as (block,).

    They are used in no other way.
    """
    text = path.read_text()
    used = re.findall(r'\bparams\["(\w+)"\](?:\["(\w+)"\])?', text)
    mentioned = re.findall(r"\bparams\b", re.sub(r"common\.params|params\.yaml", "", text))
    assert len(mentioned) == len(used) + ("params = read_params()" in text)
    return {tuple(filter(None, names)) for names in used}


def documents(stage: str) -> str:
    """The text of the Typst documents that a stage compiles."""
    paths = [path for path in STAGES[stage]["cmd"].split() if path.endswith(".typ")]
    return "\n".join((ROOT / path).read_text() for path in paths)


def used_in_documents(stage: str) -> set[tuple]:
    """Every `params.block.key` in them, or `params.block`, as tuples."""
    found = re.findall(r"\bparams\.(?!yaml)([a-z_]+)(?:\.([a-z_]+))?", documents(stage))
    return {tuple(filter(None, names)) for names in found}


def test_the_stages_of_the_contract_exist():
    assert set(CONTRACT) <= set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_code_deps_are_what_the_script_imports(stage):
    code = {path for path in STAGES[stage]["deps"] if path.startswith("stages/")}
    imported = imported_modules(source(stage)) | {source(stage)}
    assert code == {path.relative_to(ROOT).as_posix() for path in imported}


@pytest.mark.parametrize("stage", STAGES)
def test_declared_params_are_what_the_script_uses(stage):
    *params, environment = STAGES[stage]["params"]
    used = used_params(source(stage)) | used_in_documents(stage)
    needed = {names for names in used if names[:1] not in used or len(names) == 1}
    assert {tuple(name.split(".")) for name in params} == needed
    assert environment == {"pyproject.toml": ["project.dependencies"]}


@pytest.mark.parametrize("stage", STAGES)
def test_every_path_in_a_command_is_declared_and_every_declared_path_is_in_it(stage):
    command = STAGES[stage]["cmd"].split()
    assert module(stage).split(".")[0::2] == ["stages", stage]
    assert source(stage).exists()
    declared = [path for path in STAGES[stage]["deps"] if not path.startswith("stages/")]
    declared += outputs(stage)
    for path in set(command[3:]) - {"pyproject.toml"}:  # of which every stage declares a part
        assert any(one == path or one.startswith(f"{path}/") for one in declared), path
    for path in declared:
        named = any(path == one or path.startswith(f"{one}/") for one in command[3:])
        assert named or f'"{Path(path).name}"' in documents(stage), path


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_says_what_it_does(stage):
    assert STAGES[stage]["desc"]
    docstring = ast.get_docstring(ast.parse(source(stage).read_text()))
    assert all(word in docstring for word in ("Reads", "Does", "Writes"))


def test_the_chapters_themselves_hold_a_line_of_words_alone():
    for path in (ROOT / "stages").glob("*/__init__.py"):
        (words,) = ast.parse(path.read_text()).body
        assert isinstance(words.value.value, str)


def test_the_summary_needs_every_stage_so_that_it_runs_last():
    """Of stages that need one another in no way DVC chooses the order."""
    makers = {path: stage for stage in STAGES for path in outputs(stage)}
    needed, left = set(), ["summary"]
    while left:
        needed.add(stage := left.pop())
        for needs in STAGES[stage]["deps"]:
            makers_of = {
                makers[path] for path in makers if path == needs or path.startswith(f"{needs}/")
            }
            left += makers_of - needed
    assert needed == set(STAGES)


def test_stages_that_need_no_tensorflow_do_not_import_it():
    modules = [module(stage) for stage in STAGES if stage not in WITH_TENSORFLOW]
    code = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\n"
    code += "    assert not {'tensorflow', 'keras'} & set(sys.modules), name"
    subprocess.run([sys.executable, "-c", code, *modules], cwd=ROOT, check=True)


def test_only_fetch_reads_the_twist():
    readers = [path.name for path in (ROOT / "stages").rglob("*.py") if "twist" in path.read_text()]
    assert set(readers) == {"fetch.py", "twists.py"}


def test_only_fetch_and_reveal_see_the_classes():
    files = [path for path in (ROOT / "stages").rglob("*.py") if "find_fashion" in path.read_text()]
    assert {path.name for path in files} == {"fashion_mnist.py", "fetch.py", "reveal.py"}


def test_metrics_and_plots_are_in_git_and_data_is_in_the_cache():
    for stage in STAGES.values():
        for kind in ("metrics", "plots"):
            for entry in stage.get(kind, []):
                assert next(iter(entry.values()))["cache"] is False
        for entry in stage.get("outs", []):
            if isinstance(entry, str):
                assert entry.startswith("data/")


def test_every_template_that_a_plot_names_exists_and_takes_data():
    names = {options["template"] for options in plot_options() if "template" in options}
    assert names == DVC_TEMPLATES | {path.stem for path in (ROOT / ".dvc/plots").glob("*.json")}
    for name in names - DVC_TEMPLATES:
        text = (ROOT / ".dvc/plots" / f"{name}.json").read_text()
        assert json.loads(text)["data"] == {"values": "<DVC_METRIC_DATA>"}


def test_the_plots_page_loads_what_a_stage_makes_or_else_what_dvc_would_load():
    assert "html_template = page.html" in (ROOT / ".dvc/config").read_text()
    page = (ROOT / ".dvc/page.html").read_text()
    script = STAGES["plots_page"]["outs"][0]
    assert f"${{way}}{script}" in page
    for placeholder in ("{scripts}", "{plot_divs}", "{refresh_tag}"):
        assert page.count(placeholder) == 1
    assert page.index(script) < page.index("{scripts}") < page.index("{plot_divs}")


def test_every_plot_has_a_title_and_named_axes():
    for options in plot_options():
        if "template" in options:
            assert {"title", "x_label", "y_label"} <= set(options)


def test_both_networks_are_artifacts():
    paths = {artifact["path"] for artifact in PIPELINE["artifacts"].values()}
    assert paths == {"data/models/default.keras", "data/models/improved.keras"}
    assert all(artifact["type"] == "model" for artifact in PIPELINE["artifacts"].values())


def test_telemetry_is_off():
    assert "analytics = false" in (ROOT / ".dvc/config").read_text()


def test_requirements_pin_every_direct_package_with_a_hash():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    requirements = (ROOT / "requirements.txt").read_text()
    direct = [re.match(r"[\w.-]+", line)[0] for line in project["project"]["dependencies"]]
    assert len(direct) > 10
    for name in direct:
        assert re.search(
            rf"^{name.replace('.', '-')}==\S+ .*\\\n +--hash=sha256:", requirements, re.M
        )
    pins = re.findall(r"^[\w.-]+==.*$", requirements, re.MULTILINE)
    assert all(pin.endswith("\\") for pin in pins)


def test_no_parameter_reaches_a_shell():
    assert "${" not in (ROOT / "dvc.yaml").read_text()
