"""Reading CSVs of whole numbers as people really save them, checked value by value."""

import gzip
import re
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.command import InputError

CHUNK = 2_000  # rows parsed at a time: this bounds the memory beyond the result itself

NO_CSV = (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error, pd.errors.ParserError)


def read_whole_numbers(path: Path, columns: int, maximum: int) -> np.ndarray:
    """Read a CSV of whole numbers from 0 to `maximum` (255 at most).

    Accepted: with or without a header, a header that is itself numeric (whole numbers that count
    up, such as 0, 1, ...; not where there is one column alone, see `drop_numeric_header`), an index
    column in front, whole numbers written as floats (12.0), Windows line ends, a byte-order mark,
    gzip.

    Returns:
        uint8, (rows, columns)

    Raises:
        InputError: the file is missing, empty or not text, has another number of columns, or has
            a value that is no whole number from 0 to `maximum`. The message names the file and,
            counted from 1 without the header (but for one that `drop_numeric_header` would find),
            the row.
    """
    first_row = _first_row(path)
    width = len(first_row)
    if width not in (columns, columns + 1):
        raise InputError(
            f"{path}: expected {columns} column{'s' * (columns > 1)}"
            f" (and perhaps an index before), found {width}"
        )
    pixels = bytearray()  # grows in place, so that the values are never held twice
    index = []
    rows = 0
    for chunk in _chunks(path, _is_header(first_row, columns), width):
        if width > columns:
            index.append(chunk.iloc[:, 0])
            chunk = chunk.iloc[:, 1:]
        pixels += _checked(chunk, path, rows, maximum).tobytes()
        rows += len(chunk)
    if rows == 0:
        raise InputError(f"{path}: expected rows of numbers, found a header alone")
    if index and pd.concat(index).duplicated().any():
        raise InputError(
            f"{path}: expected {columns} column{'s' * (columns > 1)}, found {width}, and the first"
            " is no index: its values repeat"
        )
    return np.frombuffer(pixels, np.uint8).reshape(rows, columns)


def drop_numeric_header(labels: np.ndarray, rows: int) -> np.ndarray:
    """Drop a first label 0 that is pandas' default header: where `labels` has one row too many."""
    return labels[1:] if len(labels) == rows + 1 and labels[0] == 0 else labels


def _open(path: Path) -> BufferedIOBase:
    """Open `path` in binary, through gzip if its first two bytes say so, whatever its name."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if is_gzip else path.open("rb")


def _first_row(path: Path) -> pd.Series:
    """Return the cells of the first line as text."""
    if not path.exists():
        raise InputError(f"{path}: expected a CSV, found no such file")
    try:
        with _open(path) as file:
            return pd.read_csv(file, header=None, nrows=1, dtype=str, encoding="utf-8-sig").iloc[0]
    except pd.errors.EmptyDataError:
        raise InputError(f"{path}: expected rows of numbers, found an empty file") from None
    except NO_CSV as error:
        raise InputError(f"{path}: expected a CSV, found something else: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: expected a CSV that can be read: {error.strerror}") from error


def _is_header(first_row: pd.Series, columns: int) -> bool:
    """Whether the first line is a header: no cell is a number, or they count up one by one."""
    cells = pd.to_numeric(first_row.iloc[-columns:], errors="coerce")
    return bool(cells.isna().all() or (columns > 1 and (cells.diff().iloc[1:] == 1).all()))


def _chunks(path: Path, header: bool, width: int) -> Iterator[pd.DataFrame]:
    """Yield the rows below the header, `CHUNK` at a time, each `width` cells wide."""
    try:
        with (
            _open(path) as file,
            pd.read_csv(
                file,
                header=None,
                skiprows=int(header),
                chunksize=CHUNK,
                low_memory=False,
                skip_blank_lines=False,
                encoding="utf-8-sig",
            ) as chunks,
        ):
            for chunk in chunks:
                if chunk.shape[1] != width:
                    raise InputError(
                        f"{path}, row 1: expected {width} values as in the header,"
                        f" found {chunk.shape[1]}"
                    )
                yield chunk
    except pd.errors.EmptyDataError:
        return
    except NO_CSV as error:
        if long_row := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error)):
            expected, line, found = map(int, long_row.groups())
            raise InputError(
                f"{path}, row {line - header}: expected {expected} values, found {found}"
            ) from error
        raise InputError(f"{path}: expected a CSV, found something else: {error}") from error


def _checked(chunk: pd.DataFrame, path: Path, rows_before: int, maximum: int) -> np.ndarray:
    """Return the chunk as uint8, or raise `InputError` for its first bad value."""
    text = chunk.select_dtypes(exclude="number").columns
    values = chunk.copy(deep=False)
    for column in text:  # only where a value is no number: to find out which
        values[column] = pd.to_numeric(chunk[column].astype(str), errors="coerce")
    values = values.to_numpy(np.float64)
    good = (values >= 0) & (values <= maximum) & (values == np.floor(values))
    if not good.all():
        row, column = np.argwhere(~good)[0]
        found = chunk.iat[row, column]
        raise InputError(
            f"{path}, row {rows_before + row + 1}, column {column + 1}: expected a whole number"
            f" from 0 to {maximum}, found {'nothing' if pd.isna(found) else found}"
        )
    return values.astype(np.uint8)
