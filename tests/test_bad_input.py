"""Whatever is in a CSV: numbers or one clear line, never another exception."""

import numpy as np
from conftest import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.command import InputError
from common.tables import read_whole_numbers

QUICK = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def reads_or_says_why(path, columns: int) -> None:
    """Read a file as numbers; fail unless it is a valid result or one line naming the file."""
    try:
        numbers = read_whole_numbers(path, columns, 4)
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


def test_no_parameter_reaches_a_shell():
    assert "${" not in (ROOT / "dvc.yaml").read_text()
