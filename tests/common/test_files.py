"""Arrays, figures and tables: read checked, written whole or not at all."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

from stages.common.command import InputError
from stages.common.files import (
    IMAGES,
    LABELS,
    POINTS,
    load_array,
    replacing,
    save_array,
    save_json,
    save_table,
    save_text,
)
from stages.common.pictures import save_figure
from tests.helpers import QUICK, one_line, read_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), replacing(path) as part:
        part.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_for_an_output(tmp_path):
    save_array(tmp_path / "a/b/c.npy", np.arange(3))
    np.testing.assert_array_equal(np.load(tmp_path / "a/b/c.npy"), [0, 1, 2])


def test_json_keeps_six_digits_of_large_and_small_figures(tmp_path):
    save_json(tmp_path / "m.json", {"a": {"p": 1.23456789e-12}, "b": [0.123456789, 3], "c": None})
    assert read_json(tmp_path / "m.json") == {
        "a": {"p": 1.23457e-12},
        "b": [0.123457, 3],
        "c": None,
    }


def test_tables_have_a_header_and_unix_line_ends(tmp_path):
    save_table(tmp_path / "t.csv", pd.DataFrame({"a": [1], "b": [0.123456789]}))
    assert (tmp_path / "t.csv").read_bytes() == b"a,b\n1,0.123457\n"


class Bomb:
    """An object whose unpickling leaves a file behind."""

    def __reduce__(self):
        return open, ("hacked", "w")


@pytest.mark.parametrize(
    ("kind", "array", "message"),
    [
        (IMAGES, np.zeros((3, 28, 28), np.uint8), r"\(n, 28, 28, 1\), found uint8 \(3, 28, 28\)"),
        (IMAGES, np.zeros((3, 28, 28, 1)), r"uint8 \(n, 28, 28, 1\), found float64"),
        (LABELS, np.zeros((3, 1), np.uint8), r"uint8 \(n\), found uint8 \(3, 1\)"),
        (POINTS, np.zeros(3, np.float32), r"float32 \(n, d\), found float32 \(3\)"),
        (LABELS, np.array([Bomb()], object), "found none: Object arrays"),
    ],
)
def test_an_array_of_another_kind_is_one_clear_line(workspace, kind, array, message):
    np.save("a.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=rf"^a\.npy: expected an array, .*{message}") as error:
        load_array(Path("a.npy"), kind)
    one_line(error)
    assert not (workspace / "hacked").exists()


def test_arrays_of_different_lengths_are_one_clear_line(workspace):
    np.save("a.npy", np.zeros(3, np.uint8))
    assert len(load_array(Path("a.npy"), LABELS, 3)) == 3
    with pytest.raises(InputError, match=r"a\.npy: .* uint8 \(4\), found uint8 \(3\)"):
        load_array(Path("a.npy"), LABELS, 4)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"1,2", b"\x80\x04K\x01."])
def test_what_is_no_array_is_one_clear_line(workspace, content):
    Path("a.npy").write_bytes(content)
    with pytest.raises(
        InputError, match=r"^a\.npy: expected an array, uint8 \(n\), found"
    ) as error:
        load_array(Path("a.npy"), LABELS)
    one_line(error)


HEADER = st.text("{}[]()'\",:descrfotan_pyushu1F48TlmE0 \n\\", max_size=80)


@QUICK
@given(header=HEADER, rest=st.binary(max_size=20))
def test_any_header_of_an_array_is_an_array_or_one_clear_line(tmp_path, header, rest):
    path, text = tmp_path / "a.npy", header.encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + rest)
    try:
        assert load_array(path, LABELS).dtype == np.uint8
    except InputError as error:
        assert str(error).startswith(f"{path}: expected an array")
        assert "\n" not in str(error)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': (",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (10000000000000,)}",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (10**30,)}",
        f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({10**30},)}}",
    ],
)
def test_a_header_that_numpy_trips_over_is_one_clear_line(workspace, header):
    text = header.encode()
    Path("a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text)
    with pytest.raises(InputError, match=r"^a\.npy: expected an array, uint8 \(n\)") as error:
        load_array(Path("a.npy"), LABELS)
    one_line(error)


def save_a_figure(path: Path) -> None:
    figure = Figure()
    figure.subplots().imshow(np.random.default_rng(1).random((50, 50)))
    save_figure(figure, path)


WRITERS = {
    "array.npy": lambda path: save_array(path, np.zeros(20_000)),
    "text.txt": lambda path: save_text(path, "x" * 20_000),
    "figures.json": lambda path: save_json(path, {"a": ["x" * 20_000]}),
    "table.csv": lambda path: save_table(path, pd.DataFrame({"a": range(20_000)})),
    "picture.png": save_a_figure,
}


@pytest.mark.parametrize("name", WRITERS)
def test_on_a_full_disk_a_writer_keeps_the_old_file_and_says_so(tmp_path, full_disk, name):
    path = tmp_path / name
    path.write_text("old")
    with pytest.raises(InputError, match=rf"{name}: could not be written: "):
        WRITERS[name](path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
