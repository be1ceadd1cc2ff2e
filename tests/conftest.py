"""Fixtures: small synthetic images, five labels that a network can tell apart, and parameters."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent


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


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the project's params.yaml, made the current one."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def set_params(folder: Path, **values) -> None:
    """Change params.yaml in `folder`: block__key=value."""
    yaml = YAML()
    params = yaml.load(folder / "params.yaml")
    for name, value in values.items():
        block, key = name.split("__")
        assert key in params[block], name
        params[block][key] = value
    yaml.dump(params, folder / "params.yaml")


def read_json(path: Path) -> dict:
    return json.loads(path.read_text())
