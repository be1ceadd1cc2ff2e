"""Run a named sweep of sweeps.yaml as DVC experiments, here or on a Dask cluster.

    python -m sweeps.sweep design
    python -m sweeps.sweep design --scheduler tcp://host:8786

Reads   sweeps/sweeps.yaml, dvc.yaml, params.yaml, the last commit
Does    runs each experiment of the sweep that this commit does not have yet, in clones of their
        own; on a cluster in clones of the git remote `origin`, which share data by DVC's default
        remote
Writes  the experiments (`dvc exp show` lists them)
        metrics/experiments.csv: a row an experiment, in place of the sweep's earlier rows
        metrics/runtime/experiments.csv: how long each trained, in seconds
        what the stage compare_sweeps makes of the table

What is done is not repeated: after an interruption the same command goes on.
"""

import argparse
import json
import logging
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pandas as pd
from distributed import Client, LocalCluster, as_completed
from tqdm import tqdm

from stages.common.command import InputError
from stages.common.files import save_table
from stages.common.params import read_params
from stages.common.yaml import load_yaml, parse_yaml
from sweeps.plan import SEED, SWEEPS, Experiment, in_yaml, plan, read_sweep
from sweeps.worker import Home, call, dvc, environment, run_experiment

ROOT = Path(__file__).parent.parent
SOURCES = (".dvc/config", "dvc.yaml", "params.yaml", "stages", "sweeps")
TABLE = ROOT / "metrics/experiments.csv"
RUNTIME = ROOT / "metrics/runtime/experiments.csv"
COMPARED = ROOT / "metrics/sweeps.json"
METRICS = ("validation_accuracy", "validation_loss", "training_accuracy", "training_loss")
BY_MACHINE = ("train.precision", "train.threads")  # which change digits, not what is learned
RETRIES = 2  # after git or DVC could not fetch or push
COMPARISON = "compare_sweeps"  # the stage that reads the table


def check_sources(stage: str) -> None:
    """Check that what experiments start from is committed, and that their inputs are there.

    Raises:
        InputError: it is not; the message says what to do.
    """
    changed = call(ROOT, "git", "status", "--short", "--", *SOURCES).splitlines()
    if locked((ROOT / "dvc.lock").read_text("utf-8")) != locked(
        call(ROOT, "git", "show", "HEAD:./dvc.lock")
    ):
        changed.append(" M dvc.lock")
    if changed:
        names = ", ".join(line[3:] for line in changed)
        raise InputError(f"experiments start from the last commit: first commit {names}")
    status = json.loads(dvc(ROOT, "status", "--json", "--with-deps", stage))
    stale = [name for name in status if name != stage]
    if stale:
        raise InputError(f"{stage} needs what is not up to date: first `dvc repro {stale[-1]}`")


def locked(text: str) -> dict:
    """Return the stages of a dvc.lock without the one that reads the table of experiments."""
    stages = parse_yaml(text)["stages"]
    return {name: entry for name, entry in stages.items() if name != COMPARISON}


def home_here() -> Home:
    """Return this project as the place where experiments start from and go to."""
    commit, folder, repository = place_in_git()
    return Home(repository, commit, folder, dvc(ROOT, "cache", "dir").strip())


def place_in_git() -> list[str]:
    """Return the last commit, the project's folder in its repository, and that of the latter."""
    asked = ("HEAD", "--show-prefix", "--show-toplevel")
    return [call(ROOT, "git", "rev-parse", what).strip() for what in asked]


def home_of_cluster(stage: str) -> Home:
    """Push the stage's inputs to the DVC remote, and return where a cluster finds all.

    Raises:
        InputError: there is no git remote `origin`, or it lacks the last commit, or there is no
            default DVC remote in .dvc/config.
    """
    if "origin" not in call(ROOT, "git", "remote").split():
        raise InputError("a cluster needs a git remote: `git remote add origin ADDRESS`")
    if "core.remote=" not in dvc(ROOT, "config", "--project", "--list"):
        raise InputError(
            "a cluster needs a DVC remote: `dvc remote add --default store ADDRESS`, and commit"
        )
    store = dvc(ROOT, "config", "core.remote").strip()
    url = dvc(ROOT, "config", f"remote.{store}.url").strip()
    if url not in (ROOT / ".dvc/config").read_text(
        "utf-8"
    ):  # DVC has made a relative path absolute
        raise InputError(f"DVC remote {store}: expected an absolute address in .dvc/config")
    commit, folder, _ = place_in_git()
    call(ROOT, "git", "fetch", "-q", "--prune", "origin")
    if not call(ROOT, "git", "branch", "--remotes", "--contains", commit, "--list", "origin/*"):
        raise InputError("a cluster starts from the git remote: first `git push origin HEAD`")
    inputs = load_yaml(ROOT / "dvc.yaml")["stages"][stage]["deps"]
    dvc(ROOT, "push", *(path for path in inputs if path.startswith("data/")))
    return Home(call(ROOT, "git", "remote", "get-url", "origin").strip(), commit, folder)


@contextmanager
def cluster_client(scheduler: str | None, jobs: int) -> Iterator[Client]:
    """Yield a client of the cluster at an address, or of `jobs` processes on this machine."""
    if scheduler:
        with Client(scheduler) as client, tempfile.TemporaryDirectory() as folder:
            # Its machines do not have the project.
            client.upload_file(shutil.make_archive(f"{folder}/sweeps", "zip", ROOT, "sweeps"))
            print(f"sweep: waits for workers at {scheduler}", flush=True)
            client.wait_for_workers(1)
            yield client
    else:
        options: dict = {"n_workers": jobs, "threads_per_worker": 1, "memory_limit": 0}
        options |= {"dashboard_address": None, "silence_logs": logging.ERROR}
        # Ctrl-C reaches this process alone, which ends the others.
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        with LocalCluster(**options) as cluster, Client(cluster) as client:
            signal.signal(signal.SIGINT, interrupt)
            yield client


def run_all(client: Client, stage: str, experiments: list[Experiment], home: Home) -> int:
    """Run experiments with a progress bar; return how many failed.

    Dask gives what a dead worker had to another one, and tries again where git or DVC could not
    fetch or push.
    """
    futures = {}
    for experiment in experiments:
        overrides = {name: in_yaml(value) for name, value in experiment.overrides.items()}
        arguments = (experiment.name, stage, overrides, home)
        future = client.submit(run_experiment, *arguments, pure=False, retries=RETRIES)
        futures[future] = experiment.name
    failed = 0
    with tqdm(total=len(futures), unit="experiment") as bar:
        for future in as_completed(futures):
            error = future.exception()
            message = why(error) if error else future.result()
            failed += bool(message)
            bar.write(f"sweep: {futures[future]}{f' failed: {message}' if message else ''}")
            bar.update()
    return failed


def why(error: BaseException) -> str:
    """Say in a line why a command failed, or what else went wrong."""
    if isinstance(error, subprocess.CalledProcessError):
        return f"{' '.join(error.cmd)}: {(error.stderr or '').strip()}"
    return f"{type(error).__name__}: {error}"


def names_at(home: Home) -> set[str]:
    """Return the names of the commit's experiments."""
    listed = call(ROOT, "git", "ls-remote", home.git, home.ref("*"))
    return {line.rsplit("/", 1)[1] for line in listed.splitlines()}


def exchange(direction: str, names: set[str], home: Home) -> None:
    """Push experiments to the git remote, or pull them from there, with what they made."""
    if names:
        dvc(ROOT, "exp", direction, "origin", *map(home.ref, sorted(names)))


def read_results(
    name: str, stage: str, experiments: list[Experiment], home: Home
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of a sweep's experiments, and that of their run times.

    Experiments that failed have no figures and no run time.

    Returns:
        sweep, experiment, stage, setting, seed, data and kept (see `data_of` and `kept_of`),
        METRICS and the other overrides as in YAML; sweep, experiment, seconds
    """
    done, rows, runtimes = names_at(home), [], []
    network = stage.removeprefix("train_")
    for experiment in experiments:
        row: dict = {"sweep": name, "experiment": experiment.name, "stage": stage}
        row |= {"setting": experiment.setting, "seed": experiment.overrides[SEED]}
        row |= {"data": None, "kept": None}
        figures, seconds = dict.fromkeys(METRICS), None
        if experiment.name in done:
            ref = home.ref(experiment.name)
            lock = parse_yaml(show(ref, "dvc.lock"))
            row["data"] = data_of(lock["stages"][stage])
            row["kept"] = kept_of(lock["stages"][stage], experiment.overrides)
            for quantity in ("accuracy", "loss"):
                curve = json.loads(show(ref, f"metrics/{network}/plots/custom/{quantity}.json"))
                # A later epoch's row takes the place of an earlier one's: the last ones stay.
                figures |= {f"{row['split']}_{quantity}": row[quantity] for row in curve}
            epochs = pd.read_csv(StringIO(show(ref, f"metrics/runtime/{stage}.csv")))
            seconds = epochs["seconds"].sum()
        row |= {key: figures[key] for key in METRICS}
        row |= {key: in_yaml(value) for key, value in experiment.overrides.items() if key != SEED}
        rows.append(row)
        runtimes.append({"sweep": name, "experiment": experiment.name, "seconds": seconds})
    return pd.DataFrame(rows), pd.DataFrame(runtimes)


def data_of(stage: dict) -> str:
    """Return what a stage of dvc.lock was trained on, as compare_sweeps.py knows data."""
    sums = {dep["path"]: dep["md5"] for dep in stage["deps"]}
    return "-".join(sums[f"data/prepared/{name}_train.npy"][:8] for name in "xy")


def kept_of(stage: dict, overrides: dict) -> str:
    """Return what a stage of dvc.lock took from params.yaml, `block.key=value block.key=value`."""
    params = stage["params"]["params.yaml"]
    return " ".join(
        f"{key}={in_yaml(value)}"
        for key, value in params.items()
        if key not in overrides and key not in BY_MACHINE
    )


def show(ref: str, path: str) -> str:
    """Return the text of one of the project's files of a commit."""
    return call(ROOT, "git", "show", f"{ref}:./{path}")


def replace_rows(path: Path, name: str, rows: pd.DataFrame) -> None:
    """Put the rows of a sweep into the table at `path`, in place of its earlier ones."""
    if path.exists():
        columns = pd.read_csv(path, nrows=0).columns
        old = pd.read_csv(path, dtype={column: str for column in columns if "." in column})
        rows = pd.concat([old[old["sweep"] != name], rows])
    unused = [column for column in rows if "." in column and rows[column].isna().all()]
    parameters = sorted(column for column in rows if "." in column and column not in unused)
    first = [column for column in rows if "." not in column]
    save_table(path, rows[first + parameters].sort_values("sweep", kind="stable"))


def tell_winner(name: str, home: Home) -> None:
    """Print how to have the experiment with which the comparison says that a sweep was won."""
    figures = json.loads(COMPARED.read_text("utf-8")).get(name)
    if figures:
        experiment = figures["winner"]["experiment"]
        commit = call(ROOT, "git", "rev-parse", "--short", home.ref(experiment)).strip()
        print(
            f"sweep: to have {experiment}, with the sweep's schedule: commit the table, then\n"
            f"  dvc exp apply {commit}"
        )


def main(name: str, scheduler: str | None, jobs: int) -> None:
    sweep = read_sweep(ROOT, name)
    stage = sweep["stage"]
    experiments = plan(name, sweep, read_params(ROOT / "params.yaml"))
    names = {experiment.name for experiment in experiments}
    check_sources(stage)
    here = home_here()
    home = home_of_cluster(stage) if scheduler else here
    if scheduler:
        exchange("push", names & (names_at(here) - names_at(home)), home)
    done = names & names_at(home)
    print(
        f"sweep: {name}: {len(names)} experiments of {stage}, {len(done)} of them done", flush=True
    )
    missing = [experiment for experiment in experiments if experiment.name not in done]
    failed = 0
    if missing:
        with cluster_client(scheduler, jobs) as client:
            failed = run_all(client, stage, missing, home)
    exchange("pull", names & (names_at(home) - names_at(here)), home)
    rows, runtimes = read_results(name, stage, experiments, home)
    replace_rows(TABLE, name, rows)
    replace_rows(RUNTIME, name, runtimes)
    comparison = [sys.executable, "-m", "dvc", "repro", COMPARISON]
    subprocess.run(comparison, cwd=ROOT, check=True, env=environment())
    tell_winner(name, home)
    if failed:
        sys.exit(f"sweep: {failed} experiments failed, see above; this command tries them again")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run a named sweep as DVC experiments.")
    parser.add_argument("name", help=f"of a sweep in {SWEEPS}")
    parser.add_argument("--scheduler", help="address of a Dask cluster, such as tcp://host:8786")
    parser.add_argument(
        "--jobs",
        type=int,
        choices=range(1, 65),
        metavar="N",
        default=2,
        help="at a time; 2 if unset",
    )
    try:
        main(**vars(parser.parse_args()))
    except (InputError, OSError) as error:
        sys.exit(f"sweep: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"sweep: {why(error)}")
    except KeyboardInterrupt:
        sys.exit("sweep: stopped; the same command goes on where it was")
