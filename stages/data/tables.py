"""Reading CSVs of whole numbers as people really save them, checked value by value."""

import gzip
import zlib
from collections.abc import Iterator
from io import StringIO
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import NamedTuple, TextIO

import numpy as np
import pandas as pd

from stages.common.command import InputError
from stages.common.files import N_LABELS

CHUNK = 2_000  # rows parsed at a time: this bounds the memory beyond the result itself

NO_CSV = (UnicodeError, gzip.BadGzipFile, EOFError, zlib.error, pd.errors.ParserError)
NO_TEXT = {  # how a file begins that is no text in UTF-8, and what to do about it
    b"PK": "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV",
    b"\xff\xfe": "text in UTF-16: save it in UTF-8",
    b"\xfe\xff": "text in UTF-16: save it in UTF-8",
}
ELSEWHERE = "they belong into the CSV of labels"
QUOTES = " \"'"


class Table(NamedTuple):
    """What a CSV holds."""

    values: np.ndarray  # uint8, (rows, columns)
    names: np.ndarray | None  # text, (rows,), of an index column in front
    counted: bool  # whether its header is whole numbers that count up one by one


class Layout(NamedTuple):
    """How the lines of a CSV are to be read."""

    separator: str  # a space stands for any spaces and tabs
    width: int  # values in a row
    indexed: bool  # whether the first of them is an index
    ends_empty: bool  # whether each row ends with a separator
    header: bool  # whether the first line is one
    counted: bool  # and counts up


def read_table(path: Path, columns: int, maximum: int) -> Table:
    """Read a CSV of whole numbers from 0 to `maximum` (255 at most).

    Accepted: commas, semicolons, tabs or spaces between values; blank lines; an empty last column;
    whole numbers written as floats (12.0); any line ends; a byte-order mark; gzip; an index column
    in front, with another value in each row. The first line is a header if none of its values is a
    number, if they count up one by one (0, 1, ...; more than one of them), or if it has nothing
    above an index.

    Raises:
        InputError: the file is missing, empty or not text, has another number of columns, or has
            a value that is no whole number from 0 to `maximum`. The message names the file, the
            row, counted from 1 without header and blank lines, and the file's own column.
    """
    try:
        with _open(path) as file:
            lines = (line for line in file if line.strip())
            first = list(islice(lines, 2))
            layout = _find_layout(path, first, columns)
            rows = chain(first[layout.header :], lines)
            return _read_rows(path, rows, layout, maximum)
    except NO_CSV as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected a CSV, found something else: {reason}") from error
    except FileNotFoundError:
        raise InputError(f"{path}: expected a CSV, found no such file") from None
    except OSError as error:
        raise InputError(f"{path}: expected a CSV that can be read: {error.strerror}") from error


def _open(path: Path) -> TextIO:
    """Open `path` as text, through gzip if its first two bytes say so, whatever its name."""
    with path.open("rb") as file:
        start = file.read(2)
    if start in NO_TEXT:
        raise InputError(f"{path}: expected a CSV, found {NO_TEXT[start]}")
    if start == b"\x1f\x8b":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _find_layout(path: Path, first: list[str], columns: int) -> Layout:
    """Find out from the first two lines that are not blank how a CSV is to be read."""
    if not first:
        raise InputError(f"{path}: expected rows of numbers, found an empty file")
    separator = next((mark for mark in ",;\t" if mark in first[-1]), " ")
    header, row = (_cells(line, separator) for line in (first[0], first[-1]))
    ends_empty = len(row) > 1 and not row[-1] and (len(header) < len(row) or not header[-1])
    width = len(row) - ends_empty
    if ends_empty and len(header) > 1 and not header[-1]:
        header.pop()
    if width not in (columns, columns + 1):
        raise InputError(
            f"{path}: expected {columns} column{'s' * (columns > 1)} (and perhaps an index before),"
            f" found {width}{_cure_of_width(width, columns)}"
        )
    indexed = width > columns
    names = header[-columns:]
    counted = _count_up(names)
    is_header = counted or (any(names) and all(_number(name) is None for name in names))
    is_header |= indexed and len(header) == width and not header[0]
    if is_header and len(header) not in (width, columns):
        raise InputError(
            f"{path}, row 1: expected {len(header)} values as in the header, found {width}"
        )
    if is_header and len(first) == 1:
        raise InputError(f"{path}: expected rows of numbers, found a header alone")
    return Layout(separator, width, indexed, ends_empty, is_header, counted)


def _cells(line: str, separator: str) -> list[str]:
    cells = line.split() if separator == " " else line.strip("\r\n").split(separator)
    return [cell.strip(QUOTES) for cell in cells]


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _count_up(names: list[str]) -> bool:
    """Whether names are whole numbers, more than one, that count up one by one."""
    if len(names) < 2 or not all(name.isdecimal() for name in names):
        return False
    return all(int(b) - int(a) == 1 for a, b in pairwise(names))


def _cure_of_width(width: int, columns: int) -> str:
    """Say what a file with `width` columns in place of `columns` may hold, if that is known."""
    if columns == 1 and width == N_LABELS:
        return ": one-hot labels? write the number of the column that holds the 1, from 0 on"
    if columns == 1 and width > N_LABELS + 1:
        return ": images? perhaps the CSVs of images and of labels are exchanged"
    if columns > 1 and width == columns + 2:
        return f": an index and the labels? {ELSEWHERE}"
    return ""


def _read_rows(path: Path, rows: Iterator[str], layout: Layout, maximum: int) -> Table:
    """Parse and check the rows below the header, `CHUNK` at a time."""
    separator, width, indexed, ends_empty, _, counted = layout
    values = bytearray()  # grows in place, so that the values are never held twice
    index: list[str] = []
    while chunk := list(islice(rows, CHUNK)):
        for number, line in enumerate(chunk, start=len(index) + 1):
            found = len(line.split()) if separator == " " else line.count(separator) + 1
            if found != width + ends_empty:
                raise InputError(f"{path}, row {number}: expected {width} values, found {found}")
        table = pd.read_csv(
            StringIO("".join(chunk)),
            sep=r"\s+" if separator == " " else separator,
            header=None,
            low_memory=False,
        )
        if table.shape != (len(chunk), width + ends_empty):  # lines or values end elsewhere, too
            raise InputError(f"{path}: expected a CSV of numbers, found control characters")
        if ends_empty and table.pop(width).notna().any():
            raise InputError(f"{path}: expected an empty last column as in row 1, found values")
        values += _checked(
            table.iloc[:, int(indexed) :], path, len(index), indexed, maximum
        ).tobytes()
        mark = None if separator == " " else separator
        index += [line.split(mark, 1)[0].strip(QUOTES) if indexed else "" for line in chunk]
    if indexed and len(set(index)) < len(index):
        one = width == 2
        raise InputError(
            f"{path}: expected {width - 1} column{'' if one else 's'}, found {width}, and the first"
            f" is no index: its values repeat{'' if one else f': the labels? {ELSEWHERE}'}"
        )
    array = np.frombuffer(values, np.uint8).reshape(-1, width - indexed)
    return Table(array, np.array(index) if indexed else None, counted)


def _checked(
    chunk: pd.DataFrame, path: Path, rows_before: int, columns_before: int, maximum: int
) -> np.ndarray:
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
            f"{path}, row {rows_before + row + 1}, column {columns_before + column + 1}: expected a"
            f" whole number from 0 to {maximum}, found {'nothing' if pd.isna(found) else found}"
            f"{_cure_of_values(values, maximum)}"
        )
    return values.astype(np.uint8)


def _cure_of_values(values: np.ndarray, maximum: int) -> str:
    """Say what to do about values out of range, if that is known."""
    numbers = values[np.isfinite(values)]
    least, most = numbers.min(initial=np.inf), numbers.max(initial=-np.inf)
    if maximum > N_LABELS and least >= 0 and most <= 1:
        return ": pixels from 0 to 1? multiply them by 255"
    if maximum < N_LABELS and (least, most) == (1, N_LABELS):
        return f": labels from 1 to {N_LABELS}? subtract 1"
    return ""
