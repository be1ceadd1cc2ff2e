"""From CSVs to arrays: every variety is read, and what is bad is named."""

import gzip
import io
import os
import re
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest

from stages.common.command import InputError
from stages.data import prepare
from stages.data.audit import are_in
from tests.helpers import ROOT, read_json, set_params, synthetic, write_csvs

NAMES = ("x_train.csv", "y_train.csv", "x_test.csv", "y_test.csv")

OUTPUTS = ("prepared", "images.csv", "audit.json")


def run_prepare(folder):
    prepare.main(*(folder / name for name in NAMES), *(folder / name for name in OUTPUTS))
    return {path.stem: np.load(path) for path in sorted((folder / "prepared").glob("*.npy"))}


def rewrite(path, change):
    path.write_bytes(change(path.read_bytes()))


def with_header(names):
    return lambda content: ",".join(map(str, names)).encode() + b"\n" + content


def with_index(header: bytes):
    def change(content):
        rows = content.splitlines()
        return header + b"".join(b"%d,%s\n" % (i, row) for i, row in enumerate(rows))

    return change


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (with_header([f"pixel{i}" for i in range(784)]), with_header(["label"])),
        (with_header(range(784)), with_header([0])),
        (with_header(range(1, 785)), lambda content: content),
        (with_index(b""), with_index(b"")),
        (with_index(",".join(["", *map(str, range(784))]).encode() + b"\n"), with_index(b",0\n")),
        (with_index(",".join(["id", *"p" * 784]).encode() + b"\n"), with_index(b"id,label\n")),
        (
            lambda content: content.replace(b",", b".0,").replace(b"\n", b".0\n"),
            lambda content: content.replace(b"\n", b".0\n"),
        ),
        (lambda content: content.replace(b"\n", b"\r\n"),) * 2,
        (lambda content: b"\xef\xbb\xbf" + content,) * 2,
        (gzip.compress, gzip.compress),
        (lambda content: content.rstrip(b"\n"),) * 2,
    ],
    ids=[
        "header",
        "numeric header",
        "numeric header from 1",
        "index",
        "index and numeric header",
        "index and header",
        "whole floats",
        "Windows line ends",
        "byte-order mark",
        "gzip",
        "no last line end",
    ],
)
def test_every_variety_of_csv_gives_the_same_arrays(workspace, images, labels):
    write_csvs(workspace)
    expected = run_prepare(workspace)
    for name in NAMES:
        rewrite(workspace / name, images if name.startswith("x") else labels)
    found = run_prepare(workspace)
    assert len(found) == 6
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


def replace_cell(row, column, value):
    def change(content):
        rows = [line.split(b",") for line in content.splitlines()]
        rows[row - 1][column - 1] = value
        return b"\n".join(b",".join(cells) for cells in rows) + b"\n"

    return change


def damaged_gzip(content):
    packed = gzip.compress(content)
    return packed[:2000] + bytes(60) + packed[2060:]


def zipped(content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_test.csv", content)
    return file.getvalue()


def replace_row(row, value):
    def change(content):
        rows = content.splitlines()
        rows[row - 1] = value
        return b"\n".join(rows) + b"\n"

    return change


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("x_train.csv", lambda c: b"1,2\n3,4\n", "x_train.csv: expected 784 columns .*, found 2"),
        ("x_test.csv", replace_row(7, b"1,2"), "x_test.csv, row 7: expected 784 values, found 2"),
        (
            "x_test.csv",
            replace_row(7, b",".join([b"1"] * 786)),
            "x_test.csv, row 7: expected 784 values, found 786",
        ),
        ("x_train.csv", replace_cell(3, 9, b"256"), "x_train.csv, row 3, column 9: .* found 256"),
        ("x_train.csv", replace_cell(3, 9, b"-1"), "x_train.csv, row 3, column 9: .* found -1"),
        ("x_train.csv", replace_cell(3, 9, b"1.5"), "x_train.csv, row 3, column 9: .* found 1.5"),
        ("x_train.csv", replace_cell(3, 9, b"ink"), "x_train.csv, row 3, column 9: .* found ink"),
        ("x_train.csv", replace_cell(3, 9, b""), "x_train.csv, row 3, column 9: .* found nothing"),
        ("x_train.csv", replace_cell(1, 9, b"ink"), "x_train.csv, row 1, column 9: .* found ink"),
        ("x_train.csv", replace_cell(3, 9, b"True"), "x_train.csv, row 3, column 9: .*found True"),
        ("y_train.csv", replace_cell(4, 1, b"5"), "y_train.csv, row 4, .* 0 to 4, found 5"),
        ("y_test.csv", replace_cell(4, 1, b"-1"), "y_test.csv, row 4, .* 0 to 4, found -1"),
        ("y_train.csv", replace_cell(4, 1, b"0.5"), "y_train.csv, row 4, .* 0 to 4, found 0.5"),
        ("y_test.csv", replace_row(4, b""), "y_test.csv: expected a label for .* 120 .* found 119"),
        (
            "y_train.csv",
            lambda c: c[:-2],
            "y_train.csv: expected a label for each of the 300 images of .*x_train.csv, found 299",
        ),
        (
            "y_train.csv",
            lambda c: b"1\n" + c,
            "y_train.csv: expected a label for each of the 300 images of .*x_train.csv, found 301",
        ),
        ("x_test.csv", lambda c: b"", "x_test.csv: expected rows of numbers, found an empty file"),
        (
            "y_test.csv",
            lambda c: b"label\n",
            "y_test.csv: expected rows of numbers, found a header alone",
        ),
        (
            "x_train.csv",
            replace_cell(3, 9, b"nan"),
            "x_train.csv, row 3, column 9: .* found nothing",
        ),
        ("x_train.csv", replace_cell(3, 9, b"inf"), "x_train.csv, row 3, column 9: .* found inf"),
        ("x_train.csv", replace_cell(3, 9, b"1e999"), "x_train.csv, row 3, column 9: .* found inf"),
        (
            "y_test.csv",
            lambda c: b"label\nlabel\n" + c,
            "y_test.csv, row 1, column 1: .* found label",
        ),
        ("x_test.csv", lambda c: c.replace(b",", b"|"), "x_test.csv: expected 784 .*, found 1"),
        (
            "x_test.csv",
            lambda c: c.decode().encode("utf-16"),
            "x_test.csv: expected a CSV, found text in UTF-16: save it in UTF-8",
        ),
        ("x_test.csv", zipped, "x_test.csv: expected a CSV, found a zip archive .*: unpack it"),
        ("x_test.csv", lambda c: bytes(range(256)) * 9, "x_test.csv: expected a CSV, found"),
        ("x_test.csv", lambda c: bytes(4_000), "x_test.csv: expected"),
        ("x_test.csv", lambda c: b'"' + c, "x_test.csv: expected"),
        ("x_test.csv", lambda c: b"\xff\xff\x00", "x_test.csv: expected a CSV, found something"),
        ("x_test.csv", lambda c: gzip.compress(c)[:-20], "x_test.csv: expected a CSV, found"),
        ("x_test.csv", damaged_gzip, "x_test.csv: expected a CSV, found"),
        (
            "y_train.csv",
            lambda c: c.replace(b"3", b"2"),
            "y_train.csv: expected every label from 0 to 4 among the 270 .*, found no 3",
        ),
        (
            "y_train.csv",
            lambda c: b"".join(b"0," + row + b"\n" for row in c.splitlines()),
            "y_train.csv: expected 1 column, found 2, and the first is no index",
        ),
    ],
)
def test_prepare_rejects_a_bad_file_in_one_line_and_writes_nothing(
    workspace, name, change, message
):
    write_csvs(workspace)
    rewrite(workspace / name, change)
    with pytest.raises(InputError, match=message) as error:
        run_prepare(workspace)
    assert "\n" not in str(error.value)
    assert not (workspace / "prepared").exists()


def test_prepare_rejects_a_missing_file(workspace):
    write_csvs(workspace)
    (workspace / "y_test.csv").unlink()
    with pytest.raises(InputError, match=r"y_test.csv: expected a CSV, found no such file"):
        run_prepare(workspace)


def test_a_folder_in_place_of_a_file_is_one_clear_line(workspace):
    write_csvs(workspace)
    (workspace / "y_test.csv").unlink()
    (workspace / "y_test.csv").mkdir()
    with pytest.raises(InputError, match=r"y_test.csv: expected a CSV that can be read: Is a dir"):
        run_prepare(workspace)


def test_the_split_is_stratified_disjoint_and_complete(workspace):
    write_csvs(workspace)
    arrays = run_prepare(workspace)
    assert {name: array.shape for name, array in arrays.items()} == {
        "x_train": (270, 28, 28, 1),
        "x_valid": (30, 28, 28, 1),
        "x_test": (120, 28, 28, 1),
        "y_train": (270,),
        "y_valid": (30,),
        "y_test": (120,),
    }
    assert all(array.dtype == np.uint8 for array in arrays.values())
    np.testing.assert_array_equal(np.bincount(arrays["y_valid"]), [6] * 5)
    images, _ = synthetic(300, seed=1)
    both = np.concatenate([arrays["x_train"], arrays["x_valid"]]).reshape(300, -1)
    np.testing.assert_array_equal(
        np.unique(both, axis=0), np.unique(images.reshape(300, -1), axis=0)
    )


def test_other_test_rows_change_no_byte_of_what_is_trained_on(workspace):
    write_csvs(workspace)
    first = run_prepare(workspace)
    for name in ("x_test.csv", "y_test.csv"):
        rows = (workspace / name).read_bytes().splitlines(keepends=True)
        (workspace / name).write_bytes(b"".join(reversed(rows[:100])))
    other = run_prepare(workspace)
    for name in ("x_train", "y_train", "x_valid", "y_valid"):
        np.testing.assert_array_equal(first[name], other[name])
    assert len(first["y_test"]) != len(other["y_test"])


def test_images_keep_their_labels(workspace):
    write_csvs(workspace)
    for name, (n, seed) in {"train": (300, 1), "test": (120, 2)}.items():
        images, labels = synthetic(n, seed)
        label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
        arrays = run_prepare(workspace)
        for image, label in zip(arrays[f"x_{name}"], arrays[f"y_{name}"], strict=True):
            assert label_of[image.tobytes()] == label


def test_the_seed_decides_the_split(workspace):
    write_csvs(workspace)
    first, again = run_prepare(workspace), run_prepare(workspace)
    set_params(workspace, prepare__seed=2)
    other = run_prepare(workspace)
    np.testing.assert_array_equal(first["x_valid"], again["x_valid"])
    assert not np.array_equal(first["x_valid"], other["x_valid"])


def test_limit_keeps_a_stratified_part_of_both_sets(workspace):
    write_csvs(workspace)
    set_params(workspace, prepare__limit=200)
    arrays = run_prepare(workspace)
    assert [len(arrays[f"y_{name}"]) for name in ("train", "valid", "test")] == [180, 20, 80]
    np.testing.assert_array_equal(np.bincount(arrays["y_train"]), [36] * 5)
    np.testing.assert_array_equal(np.bincount(arrays["y_test"]), [16] * 5)


def test_a_limit_above_the_number_of_images_keeps_all(workspace):
    write_csvs(workspace)
    set_params(workspace, prepare__limit=10_000)
    assert len(run_prepare(workspace)["y_test"]) == 120


def test_too_few_validation_images_are_one_clear_line(workspace):
    write_csvs(workspace)
    set_params(workspace, prepare__valid_fraction=0.05)
    with pytest.raises(InputError, match=r"x_train.csv: .* 20 images to validate on, found 15; p"):
        run_prepare(workspace)


def test_too_few_test_images_are_one_clear_line(workspace):
    write_csvs(workspace, n_test=19)
    with pytest.raises(InputError, match=r"x_test.csv: .* 20 images to test on, found 19; "):
        run_prepare(workspace)


def test_a_label_that_the_limit_leaves_out_is_one_clear_line(workspace):
    write_csvs(workspace, n_train=600)
    rare = np.repeat([0, 1, 2, 3, 4], [150, 150, 150, 149, 1])
    pd.Series(rare).to_csv(workspace / "y_train.csv", header=False, index=False)
    set_params(workspace, prepare__limit=200)
    with pytest.raises(InputError, match=r"y_train.csv: .* 180 images to train on, found no 4"):
        run_prepare(workspace)


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak from /proc")
@pytest.mark.parametrize("cell", ["7", "7.0"])
def test_memory_stays_within_the_arrays_and_300_megabytes(workspace, cell):
    n = 20_000
    row = ",".join([cell] * 781) + "\n"
    for name, rows in (("train", n), ("test", n // 10)):
        with (workspace / f"x_{name}.csv").open("w") as file:
            file.writelines(f"{i % 250},{i // 250},{cell},{row}" for i in range(rows))
        (workspace / f"y_{name}.csv").write_text("0\n1\n2\n3\n4\n" * (rows // 5))
    code = (
        "import sys; from pathlib import Path; from stages.data import prepare;"
        "prepare.main(*map(Path, sys.argv[1:]));"
        "print(Path('/proc/self/status').read_text())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *NAMES, *OUTPUTS],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    peak = int(re.search(r"VmHWM:\s+(\d+) kB", done.stdout)[1])
    assert peak * 1024 < 1.1 * n * 784 + 300e6


def test_copies_of_an_image_are_never_parted_and_told(workspace, capsys):
    write_csvs(workspace)
    for kind in "xy":
        rows = (workspace / f"{kind}_train.csv").read_bytes().splitlines(keepends=True)
        (workspace / f"{kind}_train.csv").write_bytes(b"".join(rows[:200] + rows[:100]))
    arrays = run_prepare(workspace)
    assert len(arrays["x_train"]) + len(arrays["x_valid"]) == 300
    assert not are_in(arrays["x_valid"], arrays["x_train"]).any()
    assert "prepare: 100 training images are copies of other training" in capsys.readouterr().out
    assert read_json(workspace / "audit.json")["train_copies"] == 100
