"""What tests share: synthetic images, parameters, commands in a folder, and the little chain."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
from dvc.utils.serialize import modify_yaml
from hypothesis import HealthCheck, settings
from pypdf import PdfReader

from stages.common.yaml import load_yaml

ROOT = Path(__file__).parent.parent
COURSE = [f"data/course/{name}.csv" for name in ("x_train", "y_train", "x_test", "y_test")]
RUN_TIMES = ("metrics/runtime/", "report/")  # where run times are, or are told
LOCK = {"dvc.lock"}
ELSEWHERE = {  # what may differ on another person's machine and changes no result
    "LC_ALL": "C",
    "LANG": "C",
    "TZ": "Asia/Kolkata",
    "USER": "Jürgen",
    "LOGNAME": "Jürgen",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "7",
    "PYTHONOPTIMIZE": "1",
    "PYTHONUTF8": "0",
}
PIPELINE = load_yaml(ROOT / "dvc.yaml")
STAGES = PIPELINE["stages"]


def module(stage: str) -> str:
    """The module that a stage runs, as in `python -m stages.CHAPTER.STAGE`."""
    python, m, name, *_ = STAGES[stage]["cmd"].split()
    assert (python, m) == ("python", "-m")
    return name


def source(stage: str) -> Path:
    """The file of the code that a stage runs."""
    return ROOT / (module(stage).replace(".", "/") + ".py")


def outputs(stage: str) -> list[str]:
    """The paths that a stage declares as outs, metrics or plots."""
    entries = [
        entry for kind in ("outs", "metrics", "plots") for entry in STAGES[stage].get(kind, [])
    ]
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def plot_options():
    """The options of every plot in dvc.yaml that has any."""
    entries = [entry for stage in STAGES.values() for entry in stage.get("plots", [])]
    return [
        options for entry in entries + PIPELINE["plots"] for options in entry.values() if options
    ]


def synthetic(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Make `n` noisy images, uint8 (n, 28, 28, 1), bright in a band that tells the label, (n,)."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 5).astype(np.uint8)
    images = rng.integers(0, 100, (n, 28, 28, 1), dtype=np.uint8)
    for label in range(5):
        images[labels == label, 5 * label : 5 * label + 6] += 120
    return images, labels


def write_csvs(folder: Path, n_train: int = 300, n_test: int = 120) -> None:
    """Write the four CSVs of synthetic images, without headers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, n, seed in (("train", n_train, 1), ("test", n_test, 2)):
        images, labels = synthetic(n, seed)
        for array, path in ((images.reshape(n, -1), f"x_{name}.csv"), (labels, f"y_{name}.csv")):
            pd.DataFrame(array).to_csv(folder / path, header=False, index=False)


def set_params(folder: Path, **values) -> None:
    """Change params.yaml in `folder` as `dvc exp run -S` does: block__key=value."""
    with modify_yaml(folder / "params.yaml") as params:
        for name, value in values.items():
            block, key = name.split("__")
            assert key in params[block], name
            params[block][key] = value


def words_of(path: Path) -> str:
    """The text of a PDF, on one line."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def read_notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def captions_of(figure) -> list[str]:
    """The titles and texts of a figure's axes."""
    texts = [[ax.get_title(), *(text.get_text() for text in ax.texts)] for ax in figure.axes]
    return [text for of_axes in texts for text in of_axes if text]


def read_json(path: Path) -> dict:
    return json.loads(path.read_text())


def environment(folder: Path) -> dict[str, str]:
    """Return variables for a command in `folder`: this environment's programs, no network."""
    variables = os.environ | {"DVC_NO_ANALYTICS": "1", "KERAS_HOME": str(folder.parent / "nowhere")}
    variables |= dict.fromkeys(("http_proxy", "https_proxy"), "http://127.0.0.1:9")
    variables["APT_CONFIG"] = str(Path(__file__).with_name("no_sources.conf"))  # else apt waits
    return variables | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{variables['PATH']}"}


def attempt(folder: Path, *command: str) -> subprocess.CompletedProcess:
    """Run a command in `folder`, with the programs of this environment."""
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        env=environment(folder),
        timeout=900,
    )


def call(folder: Path, *command: str) -> str:
    """Run a command in `folder`; return what it prints, and fail with it if it fails."""
    done = attempt(folder, *command)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def project_files() -> list[str]:
    """The paths of the project's files as it lies here, committed or not."""
    listed = call(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard")
    return [name for name in listed.splitlines() if (ROOT / name).exists()]


def copy_project(folder: Path, **values) -> None:
    """Make a repository of the project as it lies here, with 300 images of a course.

    Args:
        values: of params.yaml, see `set_params`
    """
    call(folder, "git", "init", "-q", "-b", "main")
    call(folder, "git", "config", "user.name", "Test")
    call(folder, "git", "config", "user.email", "test@example.com")
    for name in project_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    write_csvs(folder / "data/course")
    set_params(folder, fetch__source="course", train_default__epochs=2, **values)
    call(folder, "dvc", "add", "-q", *COURSE)
    commit(folder, "Course data")


def commit(folder: Path, message: str) -> None:
    """Commit all changes."""
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", message)


def stages_run(output: str) -> set[str]:
    return set(re.findall(r"Running stage '(\w+)'", output))


def changed(folder: Path) -> set[str]:
    return {line[3:] for line in call(folder, "git", "status", "--porcelain").splitlines()}


def restore(clone: Path) -> None:
    """Go back to the committed state."""
    call(clone, "git", "checkout", "-q", "--", ".")
    call(clone, "git", "clean", "-fdq")
    call(clone, "dvc", "checkout", "-q", "--force")


def locked_hashes(folder: Path) -> dict[str, str]:
    """The hash of every output in dvc.lock."""
    lock = load_yaml(folder / "dvc.lock")
    return {
        out["path"]: out["md5"]
        for stage in lock["stages"].values()
        for out in stage.get("outs", [])
    }


def clone_with_data(source: Path, folder: Path) -> Path:
    """Clone the repository of a project into `folder`; return where the project is there.

    The DVC cache is shared, and the data are checked out.
    """
    top, place = (
        call(source, "git", "rev-parse", what).strip()
        for what in ("--show-toplevel", "--show-prefix")
    )
    call(source, "git", "clone", "-q", top, str(folder))
    project = folder / place
    cache = call(source, "dvc", "cache", "dir").strip()
    call(project, "dvc", "config", "--local", "cache.dir", cache)
    call(project, "dvc", "checkout", "-q")
    call(project, "git", "config", "user.name", "Test")
    call(project, "git", "config", "user.email", "test@example.com")
    return project


def clumps(n_clumps, size, seed=0):
    """Points (n, 8) in clumps far from each other, and the clump of each, (n,)."""
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(n_clumps), size)
    points = 10 * rng.permutation(np.eye(8))[numbers % 8] * (1 + numbers[:, None] // 8)
    return (points + rng.normal(0, 0.3, (len(numbers), 8))).astype(np.float32), numbers


def pairs_of(*flips):
    names = [f"{first}-{second}" for first in range(5) for second in range(first + 1, 5)]
    no, yes = (
        {"jump": jump, "statistic": "width", "threshold": 12.5, "flips": jump == 1.0}
        for jump in (0.4, 1.0)
    )
    return [{"pair": name} | (yes if name in flips else no) for name in names]


QUICK = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def one_line(error) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)
