"""The notebook: the stages' own code, run, and able to run alone."""

import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from stages.common.command import InputError
from stages.hand_in import notebook
from tests.helpers import ROOT, read_notebook

CODE = re.compile(r"%%writefile (\S+)\n(.*)", re.DOTALL)


def files_in(notebook) -> dict[str, str]:
    """The texts that the notebook's cells write, by path."""
    cells = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return {match[1]: match[2] for match in map(CODE.match, cells) if match}


def test_the_notebook_holds_the_code_of_the_stages_as_it_is():
    texts = files_in(read_notebook(ROOT / "report/notebook.ipynb"))
    stages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "stages").rglob("*.py")}
    left_out = {path for path in stages if f"/{notebook.LEFT_OUT}/" in path}
    left_out.add("stages/data/fetch.py")  # the four CSVs lie beside it
    assert stages | {"params.yaml", "stages/common/params.schema.json"} == set(texts) | left_out
    for path, text in texts.items():
        assert text == (ROOT / path).read_text().rstrip(), path


def test_cells_have_run_and_long_ones_are_collapsed_but_for_the_networks():
    for cell in read_notebook(ROOT / "report/notebook.ipynb")["cells"]:
        if cell["cell_type"] == "code":
            assert cell["execution_count"]
            network = re.match(r"%%writefile stages/networks/train_", cell["source"])
            hidden = cell["metadata"].get("jupyter", {}).get("source_hidden", False)
            assert hidden == bool(CODE.match(cell["source"]) and not network)


def test_the_notebook_shows_pictures_and_says_where_the_questions_are():
    notebook = read_notebook(ROOT / "report/notebook.ipynb")
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", [])]
    assert sum("image/png" in output.get("data", {}) for output in outputs) > 30
    words = "\n".join(cell["source"] for cell in notebook["cells"])
    for heading in ("## Q1: the default network", "## Q2: a network of our own", "## Q3", "## Q4"):
        assert heading in words


def test_ctrl_c_while_cells_run_is_one_clear_line(monkeypatch):
    def stop(client):
        raise DeadKernelError("Kernel died")

    monkeypatch.setattr(NotebookClient, "execute", stop)
    with pytest.raises(InputError, match="its cells were stopped; `dvc repro` starts anew"):
        notebook.run_beside(nbformat.v4.new_notebook(), [])
