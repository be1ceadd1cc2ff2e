"""Fashion-MNIST as it is: found on this machine or fetched, and checked.

Sources in turn: an installed Debian package; Keras' cache, or a download into it; the Debian
package, fetched for the occasion and kept in that cache.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
PATIENCE = 600  # seconds after which apt-get is given up


def read_file(path: Path, expected: str) -> bytes:
    """Return what a gzip file holds, of which the SHA-256 is known.

    Raises one of `UNUSABLE`: the file is missing, damaged or holds something else.
    """
    content = gzip.decompress(path.read_bytes())
    if (found := hashlib.sha256(content).hexdigest()) != expected:
        raise InputError(f"{path}: expected SHA-256 {expected}, found {found}")
    return content


def read_checked(folder: Path) -> dict[str, np.ndarray]:
    """Read Fashion-MNIST's four files: images (n, 784) and labels (n,), uint8.

    Raises as `read_file` does.
    """
    arrays = {}
    for name, (file, expected) in FILES.items():
        content = read_file(folder / file, expected)
        header = 4 + 4 * content[3]  # idx: 0 0 type rank, then each dimension as four bytes
        arrays[name] = np.frombuffer(content, np.uint8, offset=header)
        if name.startswith("x"):
            arrays[name] = arrays[name].reshape(-1, 784)
    return arrays


def installed_package(scratch: Path, patience: float) -> Path:
    """Where the Debian package keeps its files if it is installed."""
    return "/" / PACKAGE_FOLDER


def cache() -> Path:
    """Keras' own cache of Fashion-MNIST."""
    home = Path(os.environ.get("KERAS_HOME", "~/.keras")).expanduser()
    return home / "datasets" / "fashion-mnist"


@contextmanager
def cached(file: str) -> Iterator[Path]:
    """Yield a path of this process alone; move it into Keras' cache if the block succeeds."""
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache(), prefix="part-") as own:
        yield Path(own) / file
        (Path(own) / file).replace(cache() / file)


def keras_cache(scratch: Path, patience: float) -> Path:
    """Keras' cache; files that it lacks, or that are damaged there, are downloaded into it."""
    for file, expected in FILES.values():
        path = cache() / file
        try:
            read_file(path, expected)
        except UNUSABLE as error:
            if path.exists():
                print(f"{path} is damaged, and is fetched anew: {error}", flush=True)
            with cached(file) as part:
                download(f"{URL}/{file}", part, min(TIMEOUT, patience))
    return cache()


def fetched_package(scratch: Path, patience: float) -> Path:
    """The Debian package, fetched with apt-get; needs no root. Keras' cache keeps it."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    apt = ["apt-get", "-oDebug::NoLocking=1"]
    apt += [f"-oDir::State::Lists={scratch}/lists", f"-oDir::Cache={scratch}/cache"]
    quietly([*apt, "update"], scratch, patience)
    quietly([*apt, "download", PACKAGE], scratch, patience)
    quietly(["dpkg-deb", "-x", str(next(scratch.glob("*.deb"))), "."], scratch, patience)
    with suppress(OSError):  # that nothing can be kept is no reason to fail
        for file, _ in FILES.values():
            with cached(file) as part:
                shutil.copy(scratch / PACKAGE_FOLDER / file, part)
    return scratch / PACKAGE_FOLDER


def download(url: str, path: Path, timeout: float) -> None:
    """Download `url` to `path` with a progress bar.

    Raises:
        InputError: the download broke off, or `path` could not be written.
        OSError: there is no such server or file, or no answer for `timeout` seconds.
    """
    with requests.get(url, stream=True, timeout=timeout) as answer:
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


def quietly(command: list[str], folder: Path, patience: float) -> None:
    """Run `command` in `folder`; raise `OSError` with its last line if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=patience)
    if done.returncode:
        raise OSError(f"{command[0]}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")


UNUSABLE = (OSError, EOFError, zlib.error, InputError, subprocess.TimeoutExpired)
SOURCES: dict[str, Callable[[Path, float], Path]] = {
    f"the installed Debian package {PACKAGE}": installed_package,
    "the Keras cache or download": keras_cache,
    f"the Debian package {PACKAGE}, fetched with apt-get": fetched_package,
}


def find_fashion_mnist(patience: float = PATIENCE) -> dict[str, np.ndarray]:
    """Return the arrays of the first source that has them, as `read_checked` does.

    Args:
        patience: seconds that a server or program may keep us waiting

    Raises:
        InputError: no source has them; the message says why and what to do.
    """
    reasons = []
    for name, source in SOURCES.items():
        print(f"Fashion-MNIST: looking for {name}", flush=True)
        with tempfile.TemporaryDirectory() as scratch:
            try:
                arrays = read_checked(source(Path(scratch), patience))
            except UNUSABLE as error:
                reasons.append(f"{name}: {error}")
            else:
                print(f"Fashion-MNIST from {name}", flush=True)
                return arrays
    raise InputError(
        f"no Fashion-MNIST: install the Debian package {PACKAGE}, or put {URL}/*.gz into"
        " ~/.keras/datasets/fashion-mnist, or put your own CSVs into data/course and set"
        f" fetch.source: course. Tried {'; '.join(reasons)}"
    )
