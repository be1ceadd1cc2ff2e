"""Writing outputs: whole or not at all, and the same bytes for the same values."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

DIGITS = 6  # significant ones of a figure: finer ones differ between kinds of processor


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
    """Write a (nested) dict as JSON, floats rounded to `DIGITS` digits."""
    save_text(path, json.dumps(_rounded(values), indent=2) + "\n")


def save_table(path: Path, table: pd.DataFrame) -> None:
    """Write `table` as CSV with a header, without its index, floats rounded to `DIGITS` digits."""
    with replacing(path) as part:
        table.to_csv(part, index=False, float_format=f"%.{DIGITS}g", lineterminator="\n")


def _rounded(value):
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
