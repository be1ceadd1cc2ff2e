"""Turn the four CSVs into checked arrays and split a validation set off the training images.

Reads   x_train.csv y_train.csv x_test.csv y_test.csv
Does    checks every value, keeps a stratified part of the data if asked to, splits stratified, but
        never parts copies of an image; looks for what is odd
Writes  {x,y}_{train,valid,test}.npy: uint8 images (n, 28, 28, 1), uint8 labels (n,); rows keep
        the order of the CSVs; how many images each has of each label (CSV); what is odd (JSON)
"""

from pathlib import Path

import numpy as np
import pandas as pd

from stages.common.command import InputError, run
from stages.common.files import N_LABELS, save_array, save_json, save_table
from stages.common.params import read_params
from stages.data.audit import audit, in_words, number_images
from stages.data.pairs import read_pairs
from stages.data.sampling import draw_rows

FEWEST = 20  # images to validate, or to test on


def count_labels(split: str, labels: np.ndarray) -> pd.DataFrame:
    """Return how many images of a split have each label, (n,): split, label and count."""
    counts = np.bincount(labels, minlength=N_LABELS)
    return pd.DataFrame({"split": split, "label": range(N_LABELS), "count": counts})


def main(
    x_train_csv: Path,
    y_train_csv: Path,
    x_test_csv: Path,
    y_test_csv: Path,
    prepared: Path,
    table: Path,
    audited: Path,
) -> None:
    params = read_params()
    limit, seed = params["prepare"]["limit"], params["prepare"]["seed"]
    print(f"prepare: reading {x_train_csv.parent}", flush=True)
    (x, y), (x_test, y_test) = read_pairs([(x_train_csv, y_train_csv), (x_test_csv, y_test_csv)])
    numbers = number_images(np.concatenate([x, x_test]))
    kept, _ = draw_rows(y, limit or len(y), seed)
    valid_size = round(len(kept) * params["prepare"]["valid_fraction"])
    valid, train = (kept[part] for part in draw_rows(y[kept], valid_size, seed, numbers[kept]))
    test_size = round(len(y_test) * limit / len(y)) if limit else len(y_test)
    test, _ = draw_rows(y_test, test_size, seed)
    for path, use, rows in ((x_train_csv, "validate", valid), (x_test_csv, "test", test)):
        if len(rows) < FEWEST:
            raise InputError(
                f"{path}: expected at least {FEWEST} images to {use} on, found {len(rows)};"
                " prepare.limit and prepare.valid_fraction in params.yaml say how many are kept"
            )
    if missing := set(range(N_LABELS)) - set(y[train].tolist()):
        raise InputError(
            f"{y_train_csv}: expected every label from 0 to {N_LABELS - 1} among the"
            f" {len(train)} images to train on, found no {min(missing)}"
        )

    counts = []
    for name, images, labels, rows in (
        ("train", x, y, train),
        ("valid", x, y, valid),
        ("test", x_test, y_test, test),
    ):
        save_array(prepared / f"x_{name}.npy", images[rows])
        save_array(prepared / f"y_{name}.npy", labels[rows])
        counts.append(count_labels(name, labels[rows]))
        print(f"prepare: {len(rows)} images for {name}", flush=True)
    save_table(table, pd.concat(counts))
    found = audit(x, y, x_test, y_test, numbers)
    save_json(audited, found)
    for line in in_words(found):
        print(f"prepare: {line}", flush=True)


if __name__ == "__main__":
    run(main)
