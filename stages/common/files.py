"""Writing outputs: whole or not at all, and the same bytes for the same values."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

DECIMALS = 6  # of a figure in a metrics file: finer digits differ between kinds of processor


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` if the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def save_array(path: Path, array: np.ndarray) -> None:
    """Write `array` as .npy."""
    with replacing(path) as part:
        np.save(part, array)


def save_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 with Unix line ends."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def save_json(path: Path, values: dict) -> None:
    """Write a (nested) dict as JSON, floats rounded to `DECIMALS` places."""
    save_text(path, json.dumps(_rounded(values), indent=2) + "\n")


def save_table(path: Path, table: pd.DataFrame) -> None:
    """Write `table` as CSV with a header and without its index, floats to `DECIMALS` places."""
    with replacing(path) as part:
        table.round(DECIMALS).to_csv(part, index=False, lineterminator="\n")


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, DECIMALS) if isinstance(value, float) else value
