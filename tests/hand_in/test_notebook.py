"""The notebook: the stages' own definitions, called in order, with what they show."""

import ast
import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from stages.common.command import InputError
from stages.hand_in import notebook
from tests.helpers import ROOT, STAGES, module, outputs, read_notebook

TEXT = (ROOT / "report/notebook.md").read_text()
CALLED = re.findall(r"^\{\{ (\w+) \}\}$", TEXT, re.MULTILINE)[1:]
SOURCES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path.read_text()
    for path in sorted((ROOT / "stages").rglob("*.py"))
}


@pytest.fixture(scope="module")
def committed():
    return read_notebook(ROOT / "report/notebook.ipynb")


def codes(notebook) -> list[str]:
    return [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]


def defined_in(notebook) -> list[str]:
    """The modules whose definitions a notebook holds, in order."""
    heads = [re.match(r"# (stages/[\w/]+)\.py\n", text) for text in codes(notebook)]
    return [head[1].replace("/", ".") for head in heads if head]


def names_of(text: str) -> set[str]:
    """The names that a module defines at its top."""
    found = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {
                name.id
                for target in targets
                for name in ast.walk(target)
                if isinstance(name, ast.Name)
            }
    return found


def test_every_stage_that_computes_is_called_once_and_after_those_that_it_needs():
    made = {path: name for name in CALLED for path in outputs(name)}
    expected = {name for name in STAGES if ".hand_in." not in module(name)} - {"fetch"}
    assert sorted(CALLED) == sorted(expected)
    for place, name in enumerate(CALLED):
        needs = {made[path] for path in STAGES[name]["deps"] if path in made}
        assert needs <= set(CALLED[:place]), name


def test_the_notebook_holds_the_definitions_of_the_stages_as_they_are(committed):
    text = "\n".join(codes(committed))
    modules = defined_in(committed)
    assert len(modules) == len(set(modules)) >= 30
    for name in modules:
        source = SOURCES[name]
        for node in ast.parse(source).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                assert ast.get_source_segment(source, node) in text, (name, node.name)
    assert "%%writefile" not in text
    assert "subprocess.run" not in "\n".join(codes(committed)[:3])
    assert "from stages" not in text
    assert "__main__" not in text


def test_no_cell_gives_another_meaning_to_a_name_that_is_still_used(committed):
    """All definitions share one namespace: the last one of a name is the one that counts."""
    modules = defined_in(committed)
    names = {name: names_of(SOURCES[name]) for name in modules}
    for stage in CALLED:
        place = modules.index(module(stage))
        needs = notebook.needed(module(stage), SOURCES)
        for helper in set(needs) & set(modules):
            for other in modules[modules.index(helper) + 1 : place + 1]:
                clashes = names[helper] & names[other] - {"main", "layers"}
                assert not clashes, (stage, helper, other)


def test_cells_but_definitions_have_run_and_these_are_collapsed_but_for_the_networks(committed):
    for cell in committed["cells"]:
        if cell["cell_type"] == "code":
            head = re.match(r"# stages/(\w+/\w+)\.py|RESULTS = ", cell["source"])
            assert bool(cell["execution_count"]) != bool(head and head[1])
            shown = head and head[1] in ("networks/train_default", "networks/train_improved")
            hidden = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
            assert hidden == bool(head and not shown)


def test_the_notebook_shows_pictures_in_three_megabytes_and_no_time_of_day(committed):
    path = ROOT / "report/notebook.ipynb"
    assert path.stat().st_size < 3e6
    shown = [output for cell in committed["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in shown) > 30
    assert not [output for output in shown if output.get("name") == "stderr"]
    assert not [output for output in shown if output["output_type"] == "error"]


def test_the_table_of_contents_leads_to_headings(committed):
    texts = [cell["source"] for cell in committed["cells"] if cell["cell_type"] == "markdown"]
    headings = re.findall(r"^##+ (.*)$", "\n".join(texts), re.MULTILINE)
    anchors = {heading.replace(" ", "-") for heading in headings}
    links = re.findall(r"\(#([^)]+)\)", texts[0])
    assert set(links) == anchors
    for question in ("Q1", "Q2", "Q3", "Q4"):
        assert any(heading.startswith(f"{question} ") for heading in headings)


def test_imports_of_the_project_and_the_command_line_are_left_out_and_the_rest_stays():
    text = '''"""Words."""

import numpy as np

from stages.common.files import (
    IMAGES,
)

A = 1


def main():
    return A


if __name__ == "__main__":
    run(main)
'''
    kept = notebook.definitions("stages.data.x", text)
    assert kept.startswith('# stages/data/x.py\n"""Words."""\n\nimport numpy as np')
    assert kept.endswith("def main():\n    return A")
    assert "IMAGES" not in kept


def test_ctrl_c_while_cells_run_is_one_clear_line(monkeypatch):
    def stop(client):
        raise DeadKernelError("Kernel died")

    monkeypatch.setattr(NotebookClient, "execute", stop)
    with pytest.raises(InputError, match="its cells were stopped; `dvc repro` starts anew"):
        notebook.run_beside(nbformat.v4.new_notebook(), [])
