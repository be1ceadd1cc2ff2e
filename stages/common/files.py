"""Reading arrays, checked, and writing outputs: whole or not at all, same bytes for same values."""

import json
import tokenize
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.command import InputError

IMAGES = (np.uint8, (28, 28, 1))  # kinds of arrays: type, and shape of a row; a letter: any number
LABELS = (np.uint8, ())  # or clusters, or groups
POINTS = (np.float32, ("d",))
N_LABELS = 5
DIGITS = 6  # significant ones of a figure: finer ones differ between kinds of processor


def load_array(path: Path, kind: tuple, rows: int | None = None) -> np.ndarray:
    """Read an array (rows, ...) from .npy.

    Args:
        kind: IMAGES, LABELS or POINTS
        rows: how many there shall be, if that is known

    Raises:
        InputError: the file is no array of this kind and size. Pickled objects are never loaded.
    """
    dtype, shape = kind
    wanted = ("n" if rows is None else rows, *shape)
    expected = f"{np.dtype(dtype)} {_in_words(wanted)}"
    try:
        with path.open("rb") as file:
            array = np.lib.format.read_array(file, allow_pickle=False)
    except (ValueError, OverflowError, MemoryError, tokenize.TokenError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected an array, {expected}, found none: {reason}") from error
    if (
        array.dtype != dtype
        or array.ndim != len(wanted)
        or any(
            not isinstance(n, str) and n != found
            for n, found in zip(wanted, array.shape, strict=True)
        )
    ):
        found = f"{array.dtype} {_in_words(array.shape)}"
        raise InputError(f"{path}: expected an array, {expected}, found {found}")
    return array


def _in_words(shape: tuple) -> str:
    return f"({', '.join(map(str, shape))})"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it onto `path` if the block succeeds.

    Raises:
        InputError: an `OSError` in the block, such as that of a full disk, with the path.
    """
    part = path.with_name(f"part-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: could not be written: {error}") from error
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


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
