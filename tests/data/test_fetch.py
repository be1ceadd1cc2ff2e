"""The four CSVs: from Fashion-MNIST with a twist, or from a course."""

import gzip
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

from stages.common.command import InputError
from stages.common.params import check_params
from stages.common.yaml import load_yaml
from stages.data import fashion_mnist, fetch
from stages.data.twists import LABELS, THRESHOLDS, give_labels
from tests.helpers import ROOT, set_params, write_csvs

FETCH = {"source": "fashion-mnist"}
CLASSES = np.arange(10, dtype=np.uint8)


@pytest.fixture
def fashion(tmp_path, monkeypatch):
    """A folder like Fashion-MNIST's: ten images, one a class, in both sets."""
    folder = tmp_path / "fashion"
    folder.mkdir()
    images = np.arange(7840).astype(np.uint8)
    contents = {
        "x_train": bytes([0, 0, 8, 3]) + np.array([10, 28, 28], ">i4").tobytes() + images.tobytes(),
        "y_train": bytes([0, 0, 8, 1]) + np.array([10], ">i4").tobytes() + CLASSES.tobytes(),
    }
    contents |= {"x_test": contents["x_train"], "y_test": contents["y_train"]}
    files = {}
    for name, content in contents.items():
        file = fashion_mnist.FILES[name][0]
        (folder / file).write_bytes(gzip.compress(content))
        files[name] = (file, hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(fashion_mnist, "FILES", files)
    return folder


@pytest.fixture
def offline(monkeypatch):
    """No source has the data unless a test provides it."""

    def no_network(*args, **kwargs):
        raise requests.ConnectionError("no network")

    def no_program(command, **kwargs):
        raise FileNotFoundError(f"{command[0]} not found")

    monkeypatch.setattr(requests, "get", no_network)
    monkeypatch.setattr(subprocess, "run", no_program)
    monkeypatch.setattr(fashion_mnist, "PACKAGE_FOLDER", Path("nowhere/fashion-mnist"))


def read_labels(folder):
    return pd.read_csv(folder / "raw/y_test.csv", header=None)[0].tolist()


def test_each_class_gets_the_label_that_the_twist_gives_it(workspace, fashion, monkeypatch):
    set_params(workspace, fetch__twist=[4, 3, 2, 1, 0, 4, 3, 2, 1, 0])
    monkeypatch.setattr(fashion_mnist, "SOURCES", {"a test": lambda scratch, patience: fashion})
    fetch.main(workspace / "course", workspace / "raw")
    assert read_labels(workspace) == [4, 3, 2, 1, 0, 4, 3, 2, 1, 0]
    pixels = pd.read_csv(workspace / "raw/x_train.csv", header=None).to_numpy()
    np.testing.assert_array_equal(pixels, np.arange(7840).astype(np.uint8).reshape(10, 784))


def test_a_term_is_known_by_its_name(workspace, fashion, monkeypatch):
    set_params(workspace, fetch__twist="winter-2022")
    monkeypatch.setattr(fashion_mnist, "SOURCES", {"a test": lambda scratch, patience: fashion})
    fetch.main(workspace / "course", workspace / "raw")
    assert read_labels(workspace) == [0, 2, 2, 4, 4, 1, 0, 3, 3, 4]


def test_every_term_is_a_value_of_the_parameter_and_gives_labels_from_0_to_4():
    images = np.zeros((10, 784), np.uint8)
    images[:, :400] = 200
    for name in LABELS | THRESHOLDS:
        check_params(load_yaml(ROOT / "params.yaml") | {"fetch": FETCH | {"twist": name}}, "here")
        labels = give_labels(name, images, CLASSES)
        assert labels.dtype == np.uint8
        assert labels.shape == (10,)
        assert labels.max() < 5


def test_the_label_by_brightness_counts_the_thresholds_below_the_sum_of_greys():
    images = np.zeros((5, 784), np.uint8)
    images[:, 0] = [0, 1, 0, 1, 255]
    images[2:4, :400] = 255  # 102,000 and 102,001
    images[4, :401] = 255  # 102,255
    dress, trouser = np.full(5, 3, np.uint8), np.full(5, 1, np.uint8)
    assert give_labels("winter-2020", images, dress).tolist() == [0, 0, 3, 3, 4]
    # The thresholds of trousers are 28,356 higher: 62,862, 89,008, 108,715 and 130,443.
    assert give_labels("winter-2020", images, trouser).tolist() == [0, 0, 2, 2, 2]
    assert give_labels("winter-2020", images[:1], np.array([8])).tolist() == [3]  # bags: -48,943 on


def test_the_keras_cache_is_used_and_named(workspace, fashion, offline, monkeypatch, capsys):
    monkeypatch.setenv("KERAS_HOME", str(workspace / "keras"))
    (workspace / "keras/datasets").mkdir(parents=True)
    fashion.rename(workspace / "keras/datasets/fashion-mnist")
    fetch.main(workspace / "course", workspace / "raw")
    assert read_labels(workspace) == [2, 1, 2, 2, 2, 4, 2, 0, 3, 1]
    out = capsys.readouterr().out
    assert "looking for the installed Debian package" in out
    assert "Fashion-MNIST from the Keras cache" in out


class Answer:
    """What `requests.get` returns, as far as `download` uses it: a context and its blocks."""

    def __init__(self, blocks):
        self.blocks = blocks
        self.headers = {"content-length": "10"}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def raise_for_status(self):
        pass

    def iter_content(self, size):
        yield from self.blocks


def test_what_the_keras_cache_lacks_is_downloaded_into_it(workspace, fashion, offline, monkeypatch):
    def get(url, stream, timeout):
        assert timeout > 0
        return Answer([(fashion / url.rsplit("/", 1)[1]).read_bytes()])

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setenv("KERAS_HOME", str(workspace / "keras"))
    fetch.main(workspace / "course", workspace / "raw")
    assert len(list((workspace / "keras/datasets/fashion-mnist").iterdir())) == 4
    assert len(read_labels(workspace)) == 10


def test_a_damaged_file_in_the_keras_cache_is_named_and_fetched_anew(
    workspace, fashion, offline, monkeypatch, capsys
):
    monkeypatch.setattr(
        requests, "get", lambda url, **_: Answer([(fashion / url.rsplit("/", 1)[1]).read_bytes()])
    )
    monkeypatch.setenv("KERAS_HOME", str(workspace / "keras"))
    folder = workspace / "keras/datasets/fashion-mnist"
    shutil.copytree(fashion, folder)
    file, _ = fashion_mnist.FILES["y_train"]
    for content in (b"<html>Sign in</html>", (fashion / file).read_bytes()[:30]):
        (folder / file).write_bytes(content)
        fetch.main(workspace / "course", workspace / "raw")
        assert f"{folder / file} is damaged, and is fetched anew" in capsys.readouterr().out
        assert (folder / file).read_bytes() == (fashion / file).read_bytes()
        assert len(list(folder.iterdir())) == 4


def test_what_apt_fetched_is_kept_where_the_next_stage_finds_it(
    workspace, fashion, offline, monkeypatch
):
    def unpack(command, cwd, **kwargs):
        if "download" in command:
            (cwd / "dataset.deb").touch()
        if command[0] == "dpkg-deb":
            shutil.copytree(fashion, cwd / fashion_mnist.PACKAGE_FOLDER)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", unpack)
    monkeypatch.setenv("KERAS_HOME", str(workspace / "keras"))
    fetch.main(workspace / "course", workspace / "raw")
    kept = workspace / "keras/datasets/fashion-mnist"
    assert len(fashion_mnist.read_checked(kept)) == len(list(kept.iterdir())) == 4


def test_a_download_that_breaks_off_leaves_nothing(workspace, monkeypatch):
    def half():
        yield b"half"
        raise requests.ConnectionError("gone")

    monkeypatch.setattr(requests, "get", lambda *args, **kwargs: Answer(half()))
    with pytest.raises(InputError, match=r"^http://x/file\.gz: the download broke off: gone"):
        fashion_mnist.download("http://x/file.gz", workspace / "cache/file.gz", 1)
    assert list((workspace / "cache").iterdir()) == []


def test_apt_needs_no_root_and_writes_to_the_scratch_folder_alone(tmp_path, monkeypatch):
    commands = []

    def record(command, cwd, **kwargs):
        commands.append(command)
        assert cwd == tmp_path
        if "download" in command:
            (cwd / "dataset.deb").touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", record)
    assert fashion_mnist.fetched_package(tmp_path, 1) == tmp_path / fashion_mnist.PACKAGE_FOLDER
    assert [command[0] for command in commands] == ["apt-get", "apt-get", "dpkg-deb"]
    assert f"-oDir::State::Lists={tmp_path}/lists" in commands[0]
    assert f"-oDir::Cache={tmp_path}/cache" in commands[1]


def test_a_failing_program_is_reported_by_its_last_line(tmp_path):
    with pytest.raises(OSError, match=r": second$"):
        fashion_mnist.quietly(
            [sys.executable, "-c", "import sys; sys.exit('first\\nsecond')"], tmp_path, 60
        )


def test_wrong_content_is_not_taken_for_fashion_mnist(fashion):
    file, _ = fashion_mnist.FILES["y_test"]
    (fashion / file).write_bytes(gzip.compress(b"something else"))
    with pytest.raises(InputError, match=f"{file}: expected SHA-256 .*, found "):
        fashion_mnist.read_checked(fashion)


def test_a_damaged_file_counts_as_no_source(fashion):
    file, _ = fashion_mnist.FILES["x_test"]
    content = (fashion / file).read_bytes()
    (fashion / file).write_bytes(content[:100] + bytes(60) + content[160:])
    with pytest.raises(fashion_mnist.UNUSABLE):
        fashion_mnist.read_checked(fashion)


def test_with_no_source_one_message_says_what_to_do(workspace, offline, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(workspace / "keras"))
    with pytest.raises(InputError) as error:
        fetch.main(workspace / "course", workspace / "raw")
    message = str(error.value)
    assert "\n" not in message
    for hint in ("install the Debian package", "data/course", "no network", "apt-get not found"):
        assert hint in message
    assert not (workspace / "raw").exists()


def test_course_files_are_copied_and_gzip_is_accepted(workspace, capsys):
    set_params(workspace, fetch__source="course")
    write_csvs(workspace / "course")
    plain = (workspace / "course/x_test.csv").read_bytes()
    (workspace / "course/x_test.csv.gz").write_bytes(gzip.compress(plain))
    (workspace / "course/x_test.csv").unlink()
    fetch.main(workspace / "course", workspace / "raw")
    assert gzip.decompress((workspace / "raw/x_test.csv").read_bytes()) == plain
    assert len(list((workspace / "raw").iterdir())) == 4
    assert "the course's CSVs" in capsys.readouterr().out


def test_course_never_falls_back_to_another_source(workspace, fashion, monkeypatch):
    set_params(workspace, fetch__source="course")
    write_csvs(workspace / "course")
    (workspace / "course/y_test.csv").unlink()
    monkeypatch.setattr(fashion_mnist, "SOURCES", {"a test": lambda scratch, patience: fashion})
    with pytest.raises(
        InputError, match=r"y_test\.csv is missing: .*`dvc add .*/\*\.csv` and `git add"
    ):
        fetch.main(workspace / "course", workspace / "raw")
    assert not (workspace / "raw").exists()


def test_a_course_file_both_plain_and_gzip_is_rejected(workspace):
    write_csvs(workspace)
    (workspace / "x_test.csv.gz").touch()
    with pytest.raises(InputError, match="keep one of them"):
        fetch.find_course_file(workspace, "x_test")


@pytest.mark.parametrize(
    ("file", "cure"),
    [
        ("X_test.csv", "rename it"),
        ("x-test.CSV", "rename it"),
        ("xtest.txt", "rename it"),
        ("x_test.csv.zip", "unpack it"),
    ],
)
def test_a_course_file_of_nearly_the_right_name_is_named(workspace, file, cure):
    (workspace / file).touch()
    with pytest.raises(InputError, match=rf"x_test.csv is missing, found {file}: {cure}"):
        fetch.find_course_file(workspace, "x_test")
