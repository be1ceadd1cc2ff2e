"""What a Dask worker does: run one DVC experiment in its own clone and send it home.

Home is a git remote, for the experiment's commit, and a DVC remote, for its data: a worker on an
empty machine needs nothing but the installed requirements. On the project's own machine its
repository and DVC cache take their places.
"""

import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from distributed import get_worker

TOLD = 4  # last lines that are told of what a failed experiment printed


@dataclass(frozen=True)
class Home:
    """Where experiments start from and go to.

    Attributes:
        git: address of the git remote
        commit: hash of the commit that all experiments start from
        folder: the project's in the repository, if it is not the whole
        cache: folder of a DVC cache to share; if empty, data go by the default DVC remote
    """

    git: str
    commit: str
    folder: str
    cache: str = ""

    def ref(self, name: str) -> str:
        """Return the git reference under which DVC keeps an experiment of this commit."""
        return f"refs/exps/{self.commit[:2]}/{self.commit[2:]}/{name}"


def run_experiment(name: str, stage: str, overrides: dict[str, str], home: Home) -> str:
    """Run a stage with other parameters as an experiment, and push it.

    Safe to repeat, as after a worker has died. The experiment's reference goes home last, so an
    experiment that is there is whole, and is left as it is.

    Args:
        overrides: values in YAML by parameter, as for `dvc exp run -S`

    Returns:
        the last lines that DVC printed if the stage failed, or nothing

    Raises:
        subprocess.CalledProcessError: git or DVC could not fetch or push.
    """
    folder, ref = clone_of(home), home.ref(name)
    if call(folder, "git", "ls-remote", "origin", ref):
        return ""
    call(folder, "git", "update-ref", "-d", ref)  # of a run that could not be pushed
    call(folder, "git", "fetch", "-q", "origin")
    call(folder, "git", "checkout", "-q", "--force", "--detach", home.commit)
    options = ["--single-item", *([] if home.cache else ["--pull"]), "--name", name]
    for key, value in overrides.items():
        options += ["-S", f"{key}={value}"]
    try:
        dvc(folder, "exp", "run", *options, stage)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines()[-TOLD:]
        return "\n".join([*lines, f"exit status {error.returncode}"])
    if not home.cache:
        dvc(folder, "push", stage)
    dvc(folder, "exp", "push", "--no-cache", "origin", ref)
    return ""


def clone_of(home: Home) -> Path:
    """Return the project in this thread's clone of the git remote; make it if it is not there."""
    scratch = Path(get_worker().local_directory)
    folder = scratch / f"clone-{threading.get_ident()}"
    if not folder.exists():
        part = Path(tempfile.mkdtemp(dir=scratch))
        call(part, "git", "clone", "-q", home.git, ".")
        if home.cache:
            dvc(part / home.folder, "config", "-q", "--local", "cache.dir", home.cache)
        part.rename(folder)
    return folder / home.folder


def dvc(folder: Path, *arguments: str) -> str:
    """Run a DVC command of this Python's environment, like `call`."""
    return call(folder, sys.executable, "-m", "dvc", *arguments)


def call(folder: Path, *command: str) -> str:
    """Run a command in `folder` and return what it prints on standard output.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    done = subprocess.run(
        command, cwd=folder, env=environment(), check=True, capture_output=True, text=True
    )
    return done.stdout


def environment() -> dict[str, str]:
    """Return variables with which a stage's `python` is this one, activated or not."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
