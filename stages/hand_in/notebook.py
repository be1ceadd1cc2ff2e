"""Write the notebook: text, the stages' own definitions, calls of them, and what these show.

Reads   the notebook's text (Markdown), dvc.yaml, params.yaml, the stages' code, and what the stages
        have made
Does    puts, where the text says {{ stage }}, the definitions of the stage, and before them those
        that it needs and that are not there yet, and a cell that calls it unless what it makes is
        there; then runs the cells beside the results, but for definitions, which nothing calls
Writes  the notebook (.ipynb)

Copied alone into an empty folder beside the four CSVs, it makes everything anew.
"""

import ast
import pprint
import re
import shutil
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from stages.common.command import InputError, run
from stages.common.files import save_text
from stages.common.yaml import load_yaml

# No stage may depend on it; all that is taken from it is the paths that this stage depends on.
PIPELINE = Path("dvc.yaml")
SHOWN = ("train_default", "train_improved")  # stages whose definitions are not collapsed
PARTS = re.compile(
    r"^(\{\{ \w+ \}\}|```python\n.*?\n```)$|\n(?=##)", re.MULTILINE | re.DOTALL
)  # a stage, code, and where a heading begins a cell
UNUSED = ("fetch", "report")  # blocks of params.yaml
RAW = "data/raw/"  # of which the four CSVs lie beside the notebook
DEFINES = "defines"  # tag of the cells of definitions
GIVEN = {"stages.common.command", "stages.common.params"}  # what SET_UP has instead
SET_UP = '''from pathlib import Path

import pandas as pd
from IPython.display import Markdown, display
from PIL import Image

LONGEST = 50  # lines of a file of figures that is shown
main = None  # of a stage, when its cell has run


class InputError(ValueError):
    """Bad input. The message names the file, what was expected and what was found."""


def read_params():
    """Return the parameters by stage and name."""
    return PARAMS


def call(main, *paths, makes):
    """Call a stage's main with paths unless what it makes is there; then show that."""
    if not ALL_IS_THERE and not all(Path(path).exists() for path in makes):
        main(*map(Path, paths))
    for path in map(Path, makes):
        for file in [path] if path.is_file() else sorted(path.glob("*")):
            if file.suffix == ".png":
                display(Image.open(file).convert("RGB").quantize(16))  # a fourth of the bytes
            elif file.suffix in (".txt", ".json", ".csv"):
                text = file.read_text(encoding="utf-8")
                is_long = file.suffix != ".txt" and text.count("\\n") > LONGEST
                if is_long or ",count\\n" in text:  # of which there is a picture
                    continue
                display(Markdown(f"`{file}`"))
                display(pd.read_csv(file)) if file.suffix == ".csv" else print(text)


ALL_IS_THERE = all(Path(path).exists() for path in RESULTS)'''


def assemble(text: str, pipeline: dict, settings: dict, sources: dict) -> nbformat.NotebookNode:
    """Put text, definitions and calls into a notebook that has not run yet.

    Args:
        text: Markdown with {{ stage }} and fenced Python on lines of their own
        pipeline: stages of dvc.yaml
        settings: of params.yaml
        sources: texts of the code by module, such as stages.common.files
    """
    cells: list[nbformat.NotebookNode] = []
    defined: set[str] = set()
    for part in re.split(PARTS, text):
        if found := re.fullmatch(r"\{\{ (\w+) \}\}", part or ""):
            if found[1] == "set_up":
                used = {key: value for key, value in settings.items() if key not in UNUSED}
                made = outputs_of(pipeline, text)
                results = written([path for path in made if not path.startswith("data/")])
                values = pprint.pformat(used, width=96, sort_dicts=False)
                cells += [
                    collapsed(f"RESULTS = {results}\n\n{SET_UP}"),
                    code(f"PARAMS = {values}"),
                ]
            else:
                cells += cells_of(found[1], pipeline[found[1]], sources, defined)
        elif part and part.startswith("```python\n"):
            cells.append(code(part[len("```python\n") : -len("\n```")]))
        elif part and part.strip():
            cells.append(nbformat.v4.new_markdown_cell(part.strip()))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # not by chance
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def cells_of(name: str, stage: dict, sources: dict, defined: set) -> list[nbformat.NotebookNode]:
    """Return a stage's cells: definitions that are not in `defined`, which grows, and a call."""
    module, *arguments = stage["cmd"].split()[2:]
    *helpers, own = [other for other in needed(module, sources) if other not in defined]
    defined |= {*helpers, own}
    cells = [collapsed(definitions(helper, sources[helper])) for helper in helpers]
    cells.append((code if name in SHOWN else collapsed)(definitions(own, sources[own])))
    for cell in cells:
        cell["metadata"].setdefault("tags", []).append(DEFINES)
    lines = "".join(f'    "{argument.removeprefix(RAW)}",\n' for argument in arguments)
    makes = written(made_by(stage)).replace("\n", "\n    ")
    return [*cells, code(f"call(\n    main,\n{lines}    makes={makes},\n)")]


def written(paths: list[str]) -> str:
    """Write a list of paths as Python."""
    return "[\n" + "".join(f'    "{path}",\n' for path in paths) + "]"


def needed(module: str, sources: dict[str, str]) -> list[str]:
    """Return the modules that a module imports from the project, each after those that it needs."""
    found: list[str] = []
    for node in ast.parse(sources[module]).body:
        if isinstance(node, ast.ImportFrom) and node.module in sources.keys() - GIVEN:
            found += [other for other in needed(node.module, sources) if other not in found]
    return [*found, module]


def definitions(module: str, text: str) -> str:
    """Return a module's code without imports from the project and without its command line."""
    lines = text.splitlines()
    for node in ast.parse(text).body:
        of_project = isinstance(node, ast.ImportFrom) and str(node.module).startswith("stages.")
        if of_project or isinstance(node, ast.If):
            for number in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                lines[number - 1] = ""
    kept = re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).strip()
    return f"# {module.replace('.', '/')}.py\n{kept}"


def code(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(text)


def collapsed(text: str) -> nbformat.NotebookNode:
    cell = code(text)
    cell["metadata"] = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    return cell


def outputs_of(pipeline: dict, text: str) -> list[str]:
    """Return the paths that the stages of a text make."""
    names = re.findall(r"^\{\{ (\w+) \}\}$", text, re.MULTILINE)
    return [path for name in names if name in pipeline for path in made_by(pipeline[name])]


def made_by(stage: dict) -> list[str]:
    """Return the paths that a stage of dvc.yaml makes."""
    entries = [entry for kind in ("outs", "metrics", "plots") for entry in stage.get(kind, [])]
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def run_beside(notebook: nbformat.NotebookNode, folders: list[Path]) -> None:
    """Run a notebook's cells in an empty folder that has copies of folders of results.

    Raises:
        InputError: the process that runs the cells was stopped, as nbclient does on Ctrl-C.
    """
    with tempfile.TemporaryDirectory() as name:
        for folder in folders:
            shutil.copytree(folder, Path(name) / folder.name)
        client = NotebookClient(
            notebook,
            timeout=None,
            skip_cells_with_tag=DEFINES,  # TensorFlow, to begin with, takes seconds to load
            resources={"metadata": {"path": name}},
            record_timing=False,
            coalesce_streams=True,  # what is printed is split by chance
            extra_arguments=["--IPKernelApp.log_level=40"],  # errors alone
        )
        try:
            client.execute()
        except DeadKernelError as error:
            raise InputError("its cells were stopped; `dvc repro` starts anew") from error


def main(
    text: Path, settings: Path, stages: Path, metrics: Path, plots: Path, notebook_path: Path
) -> None:
    sources = {
        ".".join(path.with_suffix("").parts): path.read_text(encoding="utf-8")
        for path in sorted(stages.rglob("*.py"))
    }
    pipeline = load_yaml(PIPELINE)["stages"]
    document = text.read_text(encoding="utf-8")
    notebook = assemble(document, pipeline, load_yaml(settings), sources)
    run_beside(notebook, [metrics, plots])
    save_text(notebook_path, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    run(main)
