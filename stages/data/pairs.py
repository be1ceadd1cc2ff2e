"""Images with their labels: that rows of two CSVs belong together, and pixels are on one scale.

Whatever could give an image another image's label is refused, since nothing later would show it.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.command import InputError
from stages.common.files import N_LABELS
from stages.data.tables import Table, read_table

SIDE = 28  # pixels


def read_pairs(paths: list[tuple[Path, Path]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Read CSVs of images and of their labels, training before test.

    That a first label 0 is a header needs three witnesses: images with a header that counts up,
    as pandas writes both, a label too many, and the same in the other pair of files.

    Returns:
        images (n, 28, 28, 1) and labels (n,), both uint8, of each pair

    Raises:
        InputError: as `read_table` does, or images and labels do not belong together, or the
            images are not of grey values from 0 to 255.
    """
    tables = [(read_table(x, SIDE * SIDE, 255), read_table(y, 1, N_LABELS - 1)) for x, y in paths]
    begins = [
        x.counted and y.names is None and len(y.values) == len(x.values) + 1 and y.values[0, 0] == 0
        for x, y in tables
    ]
    if all(begins):
        tables = [(x, y._replace(values=y.values[1:])) for x, y in tables]
    for (x, y), of_files, begins_with_0 in zip(tables, paths, begins, strict=True):
        check_pair(x, y, of_files, begins_with_0 and not all(begins))
    check_scale([x.values for x, _ in tables], [x for x, _ in paths])
    return [(x.values.reshape(-1, SIDE, SIDE, 1), y.values[:, 0]) for x, y in tables]


def check_pair(x: Table, y: Table, paths: tuple[Path, Path], begins_with_0: bool) -> None:
    """Raise `InputError` where images and labels may not belong together row by row."""
    x_csv, y_csv = paths
    if len(x.values) != len(y.values):
        hint = "; if its first 0 is a header, call it label" * begins_with_0
        raise InputError(
            f"{y_csv}: expected a label for each of the {len(x.values)} images of {x_csv},"
            f" found {len(y.values)}{hint}"
        )
    if x.names is not None and y.names is not None:
        if (differ := x.names != y.names).any():
            row = int(differ.argmax())
            raise InputError(
                f"{y_csv}, row {row + 1}: expected the index {x.names[row]} as in {x_csv}, found"
                f" {y.names[row]}: bring both into the same order"
            )
    elif (index := x.names if y.names is None else y.names) is not None:
        numbers = pd.to_numeric(pd.Series(index), errors="coerce")
        if (numbers.diff() < 0).any():
            with_index, without = paths if y.names is None else reversed(paths)
            raise InputError(
                f"{without}: expected an index as in {with_index}, whose rows are in no order,"
                " found none: nothing says which image has which label"
            )


def check_scale(images: list[np.ndarray], paths: list[Path]) -> None:
    """Raise `InputError` where images (n, 784) are not of grey values from 0 to 255 alike."""
    brightest = [int(of_file.max()) for of_file in images]
    for path, most in zip(paths, brightest, strict=True):
        if most <= 1:
            raise InputError(
                f"{path}: expected pixels from 0 to 255, found none above {most}: multiply by 255?"
            )
        if most < max(brightest) / 2:
            raise InputError(
                f"{path}: expected pixels on one scale in all files, found none above {most}, but"
                f" {max(brightest)} in {paths[brightest.index(max(brightest))]}"
            )
