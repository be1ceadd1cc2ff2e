"""Write the notebook: the code of the stages, in order, run, with results and pictures.

Reads   dvc.yaml, params.yaml, the stages' code, and what the stages have made
Does    puts the code of every stage into a cell that writes it to a file, and into the next cell a
        call that runs it unless what it makes is there; then runs all cells beside the results
Writes  the notebook (.ipynb)

Copied alone into an empty folder beside the four CSVs, it makes everything anew.
"""

import ast
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
LEFT_OUT = "hand_in"  # the chapter that only tells what the others have found
QUESTIONS = {  # stages that answer a question of the assignment
    "train_default": "Q1: the default network, defined by `default_network`",
    "train_improved": "Q2: a network of our own, defined by `improved_network`",
    "evaluate": "Q3: results on the test images",
    "extract_encoding": "Q4: an inner layer of our network encodes the test images",
}
INTRODUCTION = """# What do the labels mean?

The code of every stage of the pipeline, in order, with what it finds. To run it, put
`x_train.csv`, `y_train.csv`, `x_test.csv` and `y_test.csv` beside this file; the packages are those
of `requirements.txt`. If the results of an earlier run lie beside it, in `metrics` and `plots`,
they are shown instead of made again: delete both, and `data`, to start anew with other files.

The code of a stage is in a collapsed cell, which writes it to a file; the cell below it runs it."""
SET_UP = '''import subprocess
import sys
from pathlib import Path

import pandas as pd
from IPython.display import Image, display

LONGEST = 60  # lines of a file of figures that is shown


def run_stage(module, arguments, outputs):
    """Run a stage unless its outputs are there, then show its pictures and short texts."""
    if not ALL_IS_THERE and not all(Path(path).exists() for path in outputs):
        command = [sys.executable, "-m", module, *arguments]
        pipe, both = subprocess.PIPE, subprocess.STDOUT
        process = subprocess.Popen(command, stdout=pipe, stderr=both, text=True)
        for line in process.stdout:
            print(line, end="", flush=True)
        if process.wait():
            raise RuntimeError(f"{module} failed")
    for path in map(Path, outputs):
        for file in [path] if path.is_file() else sorted(path.glob("*")):
            if file.suffix == ".png":
                display(Image(file))
            if file.suffix in (".txt", ".json", ".csv") and "custom" not in file.parts:
                text = file.read_text(encoding="utf-8")
                if file.suffix == ".txt" or text.count("\\n") <= LONGEST:
                    print(file)
                    display(pd.read_csv(file)) if file.suffix == ".csv" else print(text)


ALL_IS_THERE = all(Path(path).exists() for path in RESULTS)
for folder in FOLDERS:
    Path(folder).mkdir(parents=True, exist_ok=True)
for name in ("x_train.csv", "y_train.csv", "x_test.csv", "y_test.csv"):
    if Path(name).exists():
        Path("data/raw", name).write_bytes(Path(name).read_bytes())'''

SHOWN_AFTER = {  # a stage: code that shows what `dvc plots` draws of it
    "train_improved": """from matplotlib import pyplot as plt

figure, axes = plt.subplots(2, 2, figsize=(10, 6), layout="constrained")
for row, network in zip(axes, ("default", "improved")):
    for ax, quantity in zip(row, ("loss", "accuracy")):
        table = pd.read_json(f"metrics/{network}/plots/custom/{quantity}.json")
        lines = table.pivot(index="epoch", columns="split", values=quantity)
        lines.plot(ax=ax, marker="o", ms=3, title=f"{network} network", ylabel=quantity)""",
    "evaluate": """for network in ("default", "improved"):
    counts = pd.read_csv(f"plots/evaluate/confusion_{network}.csv")
    display(counts.pivot(index="actual", columns="predicted", values="count"))""",
    "scatter": """figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
for ax, name in zip(axes, ("pca", "tsne")):
    points = pd.read_csv(f"plots/scatter/{name}.csv")
    for label, group in points.groupby("label"):
        ax.plot(group["x"], group["y"], ".", ms=4, label=f"label {label}")
    ax.set(title=name, xticks=[], yticks=[])
    ax.legend()""",
}


def assemble(pipeline: dict, settings: str, sources: dict[str, str]) -> nbformat.NotebookNode:
    """Put the pipeline's code into a notebook that has not run yet, chapter by chapter.

    Args:
        pipeline: stages of dvc.yaml, in order
        settings: the text of params.yaml
        sources: texts of the code by path, such as stages/common/files.py
    """
    chapters: dict[str, dict] = {}  # by folder: the stages, each by the path of its code
    for name, stage in pipeline.items():
        path = Path(stage["cmd"].split()[2].replace(".", "/") + ".py")
        if name != "fetch" and path.parent.name != LEFT_OUT:
            chapters.setdefault(path.parent.as_posix(), {})[path.as_posix()] = stage
    outputs = [path for stages in chapters.values() for path in outputs_of(*stages.values())]
    results = [path for path in outputs if not path.startswith("data/")]
    folders = ["data/raw", "stages/common", *chapters]
    cells = [
        markdown(INTRODUCTION),
        code(f"RESULTS = {results}\nFOLDERS = {folders}\n\n{SET_UP}"),
        markdown("## Parameters"),
        file_cell("params.yaml", settings),
        file_cell("stages/__init__.py", sources["stages/__init__.py"]),
    ]
    for folder, stages in {"stages/common": {}, **chapters}.items():
        of_folder = {path: text for path, text in sources.items() if path.startswith(f"{folder}/")}
        title = ast.get_docstring(ast.parse(of_folder[f"{folder}/__init__.py"]))
        cells.append(markdown(f"## {title}"))
        cells += [
            file_cell(path, text)
            for path, text in of_folder.items()
            if path not in stages and path != "stages/data/fetch.py"
        ]
        for path, stage in stages.items():
            cells += cells_of(path, of_folder[path], stage)
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # not by chance
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def cells_of(path: str, text: str, stage: dict) -> list[nbformat.NotebookNode]:
    """Return the cells of a stage: what it does, its code, a call, and what `dvc plots` draws."""
    name = Path(path).stem
    title = f"### {QUESTIONS[name]}\n\nStage {name}." if name in QUESTIONS else f"### {name}"
    module, *arguments = stage["cmd"].split()[2:]
    return [
        markdown(f"{title}\n\n```text\n{ast.get_docstring(ast.parse(text))}\n```"),
        file_cell(path, text),
        code(f"run_stage({module!r}, {arguments}, {outputs_of(stage)})"),
        *([code(SHOWN_AFTER[name])] if name in SHOWN_AFTER else []),
    ]


def markdown(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_markdown_cell(text)


def code(text: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_code_cell(text)


def file_cell(path: str, text: str) -> nbformat.NotebookNode:
    """Return a cell that writes a text to a file, collapsed unless it defines a network."""
    cell = code(f"%%writefile {path}\n{text.rstrip()}")
    if not path.startswith("stages/networks/train_"):
        cell["metadata"] = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    return cell


def outputs_of(*stages: dict) -> list[str]:
    """Return the paths that stages of dvc.yaml make."""
    kinds = ("outs", "metrics", "plots")
    entries = [entry for stage in stages for kind in kinds for entry in stage.get(kind, [])]
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
    settings: Path,
    stages: Path,
    metrics: Path,
    plots: Path,
    notebook_path: Path,
) -> None:
    paths = sorted([*stages.rglob("*.py"), *stages.rglob("*.json")])
    sources = {path.as_posix(): path.read_text(encoding="utf-8") for path in paths}
    chain = load_yaml(PIPELINE)["stages"]
    notebook = assemble(chain, settings.read_text(encoding="utf-8"), sources)
    run_beside(notebook, [metrics, plots])
    save_text(notebook_path, nbformat.writes(notebook) + "\n")


if __name__ == "__main__":
    run(main)
