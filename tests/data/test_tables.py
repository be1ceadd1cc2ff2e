"""CSVs of whole numbers: a valid result or one clear line, whatever is in them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.common.command import InputError
from stages.data.tables import read_table
from tests.helpers import QUICK, write_csvs


def test_a_file_that_may_not_be_read_is_one_clear_line(workspace, monkeypatch):
    write_csvs(workspace)

    def refuse(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    with pytest.raises(InputError, match=r"x_train.csv: expected .* read: Permission denied"):
        read_table(workspace / "x_train.csv", 784, 255)


def test_a_ragged_row_deep_in_a_file_is_named(tmp_path):
    rows = ["3,2,1"] * 5_000
    rows[4_321] = "3,2,1,0"
    (tmp_path / "t.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match=r"t.csv, row 4322: expected 3 values, found 4"):
        read_table(tmp_path / "t.csv", 3, 255)
    rows[4_321] = "3,2"
    (tmp_path / "t.csv").write_text("\n".join(rows))
    with pytest.raises(InputError, match=r"t.csv, row 4322: expected 3 values, found 2"):
        read_table(tmp_path / "t.csv", 3, 255)


def test_a_header_of_another_width_than_the_rows_is_rejected(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c,d,e\n1,2,3,4\n")
    with pytest.raises(InputError, match="row 1: expected 5 values as in the header, found 4"):
        read_table(tmp_path / "t.csv", 3, 255)


def test_rows_beyond_the_first_chunk_are_read_and_counted(tmp_path):
    table = pd.DataFrame({"a": np.arange(5_000) % 256})
    table.to_csv(tmp_path / "t.csv", index=False, header=False)
    np.testing.assert_array_equal(
        read_table(tmp_path / "t.csv", 1, 255).values[:, 0], table["a"].to_numpy()
    )
    table.iloc[4_321] = 256
    table.to_csv(tmp_path / "t.csv", index=False, header=False)
    with pytest.raises(InputError, match=r"row 4322, column 1: .* found 256"):
        read_table(tmp_path / "t.csv", 1, 255)


def test_one_bad_value_far_down_gives_one_line_and_no_warning(tmp_path, recwarn):
    rows = [["9"] * 784 for _ in range(1_900)]
    rows[1_500][8] = "ink"
    (tmp_path / "t.csv").write_text("\n".join(map(",".join, rows)))
    with pytest.raises(InputError, match=r"row 1501, column 9: .* found ink"):
        read_table(tmp_path / "t.csv", 784, 255)
    assert [str(warning.message) for warning in recwarn] == []


def reads_or_says_why(path, columns: int) -> None:
    """Read a file as numbers; fail unless it is a valid result or one line naming the file."""
    try:
        numbers = read_table(path, columns, 4).values
    except InputError as error:
        assert str(error).startswith(str(path))
        assert "expected" in str(error)
    else:
        assert numbers.dtype == np.uint8
        assert numbers.shape[1] == columns
        assert numbers.max() <= 4


CELLS = st.sampled_from(
    ["0", "1", "4", "5", "-1", "2.0", "2.5", "", " 3", "nan", "inf", "1e999", "x", '"', '"1"']
) | st.sampled_from(["True", "0x1", "1_0", "é", "\0", "1e30", "-", "#", "None", "2020-01-01"])


@QUICK
@given(
    rows=st.lists(st.lists(CELLS, min_size=0, max_size=4), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n", ";", ""]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
    columns=st.integers(1, 3),
)
def test_rows_of_odd_cells_are_numbers_or_one_clear_line(tmp_path, rows, end, encoding, columns):
    path = tmp_path / "t.csv"
    path.write_bytes(end.join(map(",".join, rows)).encode(encoding))
    reads_or_says_why(path, columns)


@QUICK
@given(content=st.binary(max_size=300), columns=st.integers(1, 3))
def test_any_bytes_are_numbers_or_one_clear_line(tmp_path, content, columns):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    reads_or_says_why(path, columns)


@QUICK
@given(content=st.binary(max_size=300))
def test_any_bytes_called_gzip_are_numbers_or_one_clear_line(tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(b"\x1f\x8b" + content)
    reads_or_says_why(path, 1)


@pytest.mark.parametrize(
    ("text", "columns", "maximum", "message"),
    [
        ("id,a,b\n7,1,2\n8,3,ink\n", 2, 255, "row 2, column 3: .* found ink"),
        ("0.5,1\n0,0.25\n", 2, 255, r"row 1, column 1: .*: pixels from 0 to 1\? multiply"),
        ("1\n5\n3\n", 1, 4, r"row 2, column 1: .* found 5: labels from 1 to 5\? subtract 1"),
        ("0\n5\n3\n", 1, 4, "row 2, column 1: .* found 5$"),
        ("0,0,1,0,0\n1,0,0,0,0\n", 1, 4, "found 5: one-hot labels"),
        ("1,2,3,4,5,6,7,8,9\n", 1, 4, "found 9: images.* exchanged"),
        ("label,a,b\n1,7,8\n1,9,9\n", 2, 255, "first is no index: .*: the labels.* they belong"),
        ("id,label,a,b\n1,2,7,8\n", 2, 255, "found 4: an index and the labels"),
    ],
)
def test_what_is_wrong_is_said_with_its_cure(tmp_path, text, columns, maximum, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        read_table(tmp_path / "t.csv", columns, maximum)


def test_a_last_column_that_is_empty_in_the_first_row_alone_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("1,2,\n3,4,\n5,6,7\n")
    with pytest.raises(InputError, match="expected an empty last column as in row 1"):
        read_table(tmp_path / "t.csv", 2, 255)
