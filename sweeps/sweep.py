"""Run a named sweep of sweeps.yaml as DVC experiments, here or on a Dask cluster.

    PYTHONPATH=stages python sweeps/sweep.py design
    PYTHONPATH=stages python sweeps/sweep.py design --scheduler tcp://host:8786

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
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cloudpickle
import pandas as pd
from distributed import Client, LocalCluster, as_completed
from distributed.scheduler import KilledWorker
from ruamel.yaml import YAML
from tqdm import tqdm

import worker
from common.command import InputError
from common.files import save_table
from common.params import read_params
from plan import SWEEPS, Experiment, plan, read_sweep
from worker import Home, call, dvc, run_experiment

ROOT = Path(__file__).parent.parent
SOURCES = (".dvc/config", "dvc.yaml", "params.yaml", "stages", "sweeps")
TABLE = ROOT / "metrics/experiments.csv"
RUNTIME = ROOT / "metrics/runtime/experiments.csv"
METRICS = ("validation_accuracy", "validation_loss", "training_accuracy", "training_loss")
COMPARISON = "compare_sweeps"  # the stage that reads the table


def check_sources(stage: str) -> None:
    """Check that what experiments start from is committed, and that their inputs are there.

    Raises:
        InputError: it is not; the message says what to do.
    """
    changed = call(ROOT, "git", "status", "--porcelain", "--", *SOURCES).splitlines()
    if locked((ROOT / "dvc.lock").read_text()) != locked(
        call(ROOT, "git", "show", "HEAD:dvc.lock")
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
    stages = YAML(typ="safe").load(text)["stages"]
    return {name: entry for name, entry in stages.items() if name != COMPARISON}


def home_here() -> Home:
    """Return this project as the place where experiments start from and go to."""
    commit = call(ROOT, "git", "rev-parse", "HEAD").strip()
    return Home(str(ROOT), commit, dvc(ROOT, "cache", "dir").strip())


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
    commit = call(ROOT, "git", "rev-parse", "HEAD").strip()
    call(ROOT, "git", "fetch", "-q", "origin")
    if not call(ROOT, "git", "branch", "--remotes", "--contains", commit):
        raise InputError("a cluster starts from the git remote: first `git push origin HEAD`")
    inputs = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"][stage]["deps"]
    dvc(ROOT, "push", "-q", *(path for path in inputs if path.startswith("data/")))
    return Home(call(ROOT, "git", "remote", "get-url", "origin").strip(), commit)


@contextmanager
def cluster_client(scheduler: str | None, jobs: int) -> Iterator[Client]:
    """Yield a client of the cluster at an address, or of `jobs` processes on this machine."""
    cloudpickle.register_pickle_by_value(worker)  # a cluster's machines do not have the file
    if scheduler:
        with Client(scheduler) as client:
            print(f"sweep: waits for workers at {scheduler}", flush=True)
            client.wait_for_workers(1)
            yield client
    else:
        options = {"n_workers": jobs, "threads_per_worker": 1, "memory_limit": 0}
        with LocalCluster(**options, dashboard_address=None) as cluster, Client(cluster) as client:
            yield client


def run_all(client: Client, stage: str, experiments: list[Experiment], home: Home) -> int:
    """Run experiments on a cluster, with a progress bar; return how many failed.

    The cluster gives what a dead worker had to another one.
    """
    futures = {}
    for experiment in experiments:
        overrides = {name: json.dumps(value) for name, value in experiment.overrides.items()}
        name = experiment.name
        futures[client.submit(run_experiment, name, stage, overrides, home, pure=False)] = name
    failed = 0
    with tqdm(total=len(futures), unit="experiment") as bar:
        for future, message in as_completed(futures, with_results=True):
            failed += bool(message)
            bar.write(f"sweep: {futures[future]}{f' failed: {message}' if message else ''}")
            bar.update()
    return failed


def names_at(home: Home) -> set[str]:
    """Return the names of the commit's experiments."""
    listed = call(ROOT, "git", "ls-remote", home.git, home.ref("*"))
    return {line.rsplit("/", 1)[1] for line in listed.splitlines()}


def read_results(name: str, stage: str, experiments: list[Experiment], home: Home) -> tuple:
    """Return the table of a sweep's experiments, and that of their run times.

    Experiments that failed have no figures and no run time.
    """
    done, rows, runtimes = names_at(home), [], []
    for experiment in experiments:
        row = {"sweep": name, "experiment": experiment.name, "stage": stage}
        figures = dict.fromkeys(METRICS)
        if experiment.name in done:
            ref = home.ref(experiment.name)
            figures = read_json(ref, f"metrics/{stage}/metrics.json")
            seconds = read_json(ref, f"metrics/runtime/{stage}.json")["total_seconds"]
            runtimes.append({"sweep": name, "experiment": experiment.name, "seconds": seconds})
        row |= {"setting": experiment.setting, "seed": experiment.overrides["train.seed"]}
        row |= {key: figures[key] for key in METRICS}
        overrides = experiment.overrides.items()
        rows.append(row | {key: json.dumps(value) for key, value in overrides})
    return pd.DataFrame(rows).drop(columns="train.seed"), pd.DataFrame(runtimes)


def read_json(ref: str, path: str) -> dict:
    """Return a JSON file of a commit."""
    return json.loads(call(ROOT, "git", "show", f"{ref}:{path}"))


def replace_rows(path: Path, name: str, rows: pd.DataFrame) -> None:
    """Put the rows of a sweep into the table at `path`, in place of its earlier ones."""
    if path.exists():
        columns = pd.read_csv(path, nrows=0).columns
        old = pd.read_csv(path, dtype={column: str for column in columns if "." in column})
        rows = pd.concat([old[old["sweep"] != name], rows])
    columns = sorted(rows.columns, key=lambda column: column if "." in column else "")
    save_table(path, rows[columns].sort_values("sweep", kind="stable").dropna(axis=1, how="all"))


def main() -> None:
    parser = argparse.ArgumentParser(description="Run a named sweep as DVC experiments.")
    parser.add_argument("name", help=f"of a sweep in {SWEEPS}")
    parser.add_argument("--scheduler", help="address of a Dask cluster, such as tcp://host:8786")
    parser.add_argument("--jobs", type=int, default=2, help="at a time on this machine; 2 if unset")
    options = parser.parse_args()
    sweep = read_sweep(ROOT, options.name)
    stage, experiments = (
        sweep["stage"],
        plan(options.name, sweep, read_params(ROOT / "params.yaml")),
    )
    check_sources(stage)
    home = home_of_cluster(stage) if options.scheduler else home_here()
    done = names_at(home)
    missing = [experiment for experiment in experiments if experiment.name not in done]
    there = len(experiments) - len(missing)
    print(
        f"sweep: {options.name}: {len(experiments)} experiments of {stage}, {there} of them done",
        flush=True,
    )
    failed = 0
    if missing:
        with cluster_client(options.scheduler, options.jobs) as client:
            failed = run_all(client, stage, missing, home)
    if options.scheduler:
        names = names_at(home) & {experiment.name for experiment in experiments}
        dvc(ROOT, "exp", "pull", "-q", "origin", *sorted(names))
    rows, runtimes = read_results(options.name, stage, experiments, home)
    replace_rows(TABLE, options.name, rows)
    replace_rows(RUNTIME, options.name, runtimes)
    subprocess.run([sys.executable, "-m", "dvc", "repro", COMPARISON], cwd=ROOT, check=True)
    if failed:
        sys.exit(f"sweep: {failed} experiments failed, see above; this command tries them again")


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"sweep: {error}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"sweep: {' '.join(error.cmd[:6])} failed: {(error.stderr or '').strip()}")
    except KilledWorker as error:
        sys.exit(f"sweep: workers died again and again: {error}")
    except KeyboardInterrupt:
        sys.exit("sweep: stopped; the same command goes on where it was")
