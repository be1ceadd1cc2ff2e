"""Fashion-MNIST as it is: found on this machine or fetched, and checked.

Sources in turn: an installed Debian package; Keras' cache or a download; the Debian package,
fetched for the occasion.
"""

import gzip
import hashlib
import os
import subprocess
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import requests
from tqdm import tqdm

from stages.common.command import InputError
from stages.common.files import replacing

# Fashion-MNIST's files (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747) and the SHA-256 of what
# they hold once decompressed; the archives' own bytes differ from packager to packager.
FILES = {
    "x_train": (
        "train-images-idx3-ubyte.gz",
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    ),
    "y_train": (
        "train-labels-idx1-ubyte.gz",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    ),
    "x_test": (
        "t10k-images-idx3-ubyte.gz",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    ),
    "y_test": (
        "t10k-labels-idx1-ubyte.gz",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}
CLASSES = (  # by number, as in the files of labels
    "T-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)
PACKAGE = "dataset-fashion-mnist"
PACKAGE_FOLDER = Path("usr/share/datasets/fashion-mnist")
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
TIMEOUT = 20  # seconds without an answer after which a download is given up


def read_checked(folder: Path) -> dict[str, np.ndarray]:
    """Read Fashion-MNIST's four files: images (n, 784) and labels (n,), uint8.

    Raises one of `UNUSABLE`: a file is missing, damaged or holds something else.
    """
    arrays = {}
    for name, (file, expected) in FILES.items():
        content = gzip.decompress((folder / file).read_bytes())
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise InputError(
                f"{folder / file}: expected SHA-256 {expected}, found {found}: delete it"
            )
        header = 4 + 4 * content[3]  # idx: 0 0 type rank, then each dimension as four bytes
        arrays[name] = np.frombuffer(content, np.uint8, offset=header)
        if name.startswith("x"):
            arrays[name] = arrays[name].reshape(-1, 784)
    return arrays


def installed_package(scratch: Path) -> Path:
    """Where the Debian package keeps its files if it is installed."""
    return "/" / PACKAGE_FOLDER


def keras_cache(scratch: Path) -> Path:
    """Keras' own cache of Fashion-MNIST; files that it lacks are downloaded into it."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    folder = home / "datasets" / "fashion-mnist"
    for file, _ in FILES.values():
        if not (folder / file).exists():
            download(f"{URL}/{file}", folder / file)
    return folder


def fetched_package(scratch: Path) -> Path:
    """The Debian package, fetched with apt-get into `scratch`; needs no root."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    apt = ["apt-get", "-oDebug::NoLocking=1"]
    apt += [f"-oDir::State::Lists={scratch}/lists", f"-oDir::Cache={scratch}/cache"]
    quietly([*apt, "update"], scratch)
    quietly([*apt, "download", PACKAGE], scratch)
    quietly(["dpkg-deb", "-x", str(next(scratch.glob("*.deb"))), "."], scratch)
    return scratch / PACKAGE_FOLDER


def download(url: str, path: Path) -> None:
    """Download `url` to `path` with a progress bar.

    Raises:
        InputError: the download broke off, or `path` could not be written.
        OSError: there is no such server or file.
    """
    with requests.get(url, stream=True, timeout=TIMEOUT) as answer:
        answer.raise_for_status()
        size = int(answer.headers.get("content-length", 0))
        with (
            replacing(path) as part,
            part.open("wb") as file,
            tqdm(total=size, desc=path.name, unit="B", unit_scale=True) as bar,
        ):
            try:
                for block in answer.iter_content(1 << 20):
                    bar.update(file.write(block))
            except requests.RequestException as error:
                raise InputError(f"{url}: the download broke off: {error}") from error


def quietly(command: list[str], folder: Path) -> None:
    """Run `command` in `folder`; raise `OSError` with its last line if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise OSError(f"{command[0]}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")


UNUSABLE = (OSError, EOFError, zlib.error, InputError, subprocess.TimeoutExpired)
SOURCES: dict[str, Callable[[Path], Path]] = {
    f"the installed Debian package {PACKAGE}": installed_package,
    "the Keras cache or download": keras_cache,
    f"the Debian package {PACKAGE}, fetched with apt-get": fetched_package,
}


def find_fashion_mnist() -> dict[str, np.ndarray]:
    """Return the arrays of the first source that has them, as `read_checked` does.

    Raises:
        InputError: no source has them; the message says why and what to do.
    """
    reasons = []
    for name, source in SOURCES.items():
        with tempfile.TemporaryDirectory() as scratch:
            try:
                arrays = read_checked(source(Path(scratch)))
            except UNUSABLE as error:
                reasons.append(f"{name}: {error}")
                print(f"Fashion-MNIST: not from {name}", flush=True)
            else:
                print(f"Fashion-MNIST from {name}", flush=True)
                return arrays
    raise InputError(
        f"no Fashion-MNIST: install the Debian package {PACKAGE}, or put {URL}/*.gz into"
        " ~/.keras/datasets/fashion-mnist, or put your own CSVs into data/course and set"
        f" fetch.source: course. Tried {'; '.join(reasons)}"
    )
