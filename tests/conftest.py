"""Fixtures: a folder to work in, a little network, a full disk, and the little chain."""

import hashlib
import shutil
import sys
from pathlib import Path

import pytest
from filelock import FileLock

from tests.helpers import ROOT, call, commit, copy_project, project_files


@pytest.fixture(scope="module")
def network():
    """A little network that has not been trained."""
    from stages.networks.backend import keras  # which takes seconds: not where it is not needed

    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Conv2D(3, 3, activation="relu", name="features"),
            layers.GlobalMaxPooling2D(name="encoding"),
            layers.Dense(5, activation="softmax", name="probabilities"),
        ]
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the project's params.yaml, made the current one."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.hookimpl(trylast=True)  # after `-m` has left out what does not run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process make the little chain and the other meanwhile do what needs none.

    They take files in order: one of those with tests that need the chain, those without, the rest.
    """
    with_chain = [item.path for item in items if "little_chain" in item.fixturenames]
    items.sort(key=lambda item: 2 * (item.path != with_chain[0]) if item.path in with_chain else 1)


@pytest.fixture(scope="session")
def little_chain() -> Path:
    """The project with images of a course, after `dvc repro`.

    It is made once for all processes, and kept until a file of the project changes.
    """
    files = hashlib.sha256(sys.version.encode())
    for name in project_files():
        files.update(name.encode() + b"\0" + (ROOT / name).read_bytes())
    kept = ROOT / ".pytest_cache/little_chain"
    folder, done = kept / files.hexdigest()[:12], kept / "done"
    kept.mkdir(parents=True, exist_ok=True)
    with FileLock(kept / "lock"):
        if not done.exists() or done.read_text() != folder.name:
            for path in kept.iterdir():
                if path.is_dir():
                    shutil.rmtree(path)
            folder.mkdir()
            copy_project(
                folder,
                train__precision="float32",  # on any processor about as fast
                train_improved__epochs=1,
                train_improved__batch_size=128,
                train_improved__width=8,
                evaluate__mistakes=4,
                kmeans__n_init=1,
                kmeans_range__n_init=1,
                label_errors__images=2,
                scatter__points=100,
                image_grids__images=4,
            )
            call(folder, "dvc", "repro")
            commit(folder, "Results")
            done.write_text(folder.name)
    return folder


@pytest.fixture(scope="session")
def clone(little_chain, tmp_path_factory) -> Path:
    """This process's copy of the little chain, with the DVC cache; tests leave it as it was."""
    folder = tmp_path_factory.mktemp("copies") / "clone"
    shutil.copytree(little_chain, folder, symlinks=True)
    return folder


@pytest.fixture
def full_disk():
    """Let files grow to 8 kB alone, which programs see as they see a full disk."""
    resource = pytest.importorskip("resource")  # not on Windows
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, old[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, old)
