"""Images and labels that may not belong together are refused, whatever each file alone holds."""

import contextlib
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.common.command import InputError
from stages.data.pairs import read_pairs
from tests.helpers import QUICK, synthetic

FEWER = settings(QUICK, max_examples=40)

N = {"train": 12, "test": 10}
EXPECTED = {name: synthetic(n, seed) for seed, (name, n) in enumerate(N.items())}
ORDER = np.random.default_rng(1).permutation(12)


def lines_of(name):
    """The lines of a CSV without header or index, each a list of cells."""
    kind, split = name.split("_")
    array = EXPECTED[split]["xy".index(kind)]
    return [list(map(str, row)) for row in array.reshape(len(array), -1)]


def save(folder, name, lines, separator=",", end="\n"):
    (folder / f"{name}.csv").write_text(end.join(map(separator.join, lines)) + end, newline="")


def read(folder):
    return read_pairs([(folder / f"x_{s}.csv", folder / f"y_{s}.csv") for s in N])


def numbered(lines, index):
    return [[str(number), *line] for number, line in zip(index, lines, strict=True)]


def with_header(name, lines):
    """Lines below a header that counts up, as pandas writes it."""
    return [list(map(str, range(784 if name.startswith("x") else 1))), *lines]


NAMES = ("x_train", "y_train", "x_test", "y_test")


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        save(tmp_path, name, lines_of(name))
    return tmp_path


def test_a_lost_last_image_is_refused_though_the_first_label_might_be_a_header(folder):
    save(folder, "x_train", lines_of("x_train")[:-1])
    with pytest.raises(InputError, match=r"label for each of the 11 images of .*, found 12"):
        read(folder)


@pytest.mark.parametrize("lost", [0, -1])
def test_a_lost_row_is_refused_where_every_file_has_a_header_that_counts_up(folder, lost):
    for name in NAMES:
        save(folder, name, with_header(name, lines_of(name)))
    assert [len(labels) for _, labels in read(folder)] == [12, 10]
    for name in NAMES:
        lines = with_header(name, lines_of(name))
        del lines[lost if lost else 1]
        save(folder, name, lines)
        with pytest.raises(InputError, match="expected a label for each"):
            read(folder)
        save(folder, name, with_header(name, lines_of(name)))


def test_a_header_0_of_labels_alone_is_refused_and_the_message_says_what_to_do(folder):
    for name in ("y_train", "y_test"):
        save(folder, name, with_header(name, lines_of(name)))
    with pytest.raises(InputError, match="found 13"):
        read(folder)
    save(folder, "x_train", with_header("x_train", lines_of("x_train")))
    with pytest.raises(InputError, match="found 13; if its first 0 is a header, call it label"):
        read(folder)


def test_the_same_index_in_any_order_pairs_rows_and_another_one_is_named(folder):
    for name in ("x_train", "y_train"):
        save(folder, name, numbered(lines_of(name), ORDER))
    images, labels = read(folder)[0]
    np.testing.assert_array_equal(images, EXPECTED["train"][0])
    np.testing.assert_array_equal(labels, EXPECTED["train"][1])
    other = [*ORDER[:7], ORDER[8], ORDER[7], *ORDER[9:]]
    save(folder, "y_train", numbered(lines_of("y_train"), other))
    message = rf"y_train.csv, row 8: expected the index {ORDER[7]} as in .*, found {ORDER[8]}"
    with pytest.raises(InputError, match=message):
        read(folder)


@pytest.mark.parametrize(("with_index", "without"), [("x", "y"), ("y", "x")])
def test_an_index_in_no_order_needs_one_in_the_other_file(folder, with_index, without):
    name = f"{with_index}_train"
    save(folder, name, numbered(lines_of(name), 3 * np.arange(12)))
    assert len(read(folder)) == 2
    save(folder, name, numbered(lines_of(name), ORDER))
    message = rf"{without}_train.csv: expected an index as in .*{name}.csv, whose rows are in no"
    with pytest.raises(InputError, match=message):
        read(folder)


@pytest.mark.parametrize("cells", ["0", "0.0"])
def test_pixels_of_0_and_1_are_refused(folder, cells):
    lines = [["1" if int(cell) > 127 else cells for cell in row] for row in lines_of("x_test")]
    save(folder, "x_test", lines)
    with pytest.raises(InputError, match=r"x_test.csv: .* found none above 1: multiply by 255"):
        read(folder)


def test_training_and_test_images_on_different_scales_are_refused(folder):
    save(folder, "x_train", [[str(int(cell) // 3) for cell in row] for row in lines_of("x_train")])
    with pytest.raises(InputError, match=r"x_train.csv: .* one scale in all files, found none ab"):
        read(folder)


@FEWER
@given(data=st.data())
def test_every_dialect_of_the_four_files_gives_the_same_arrays(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("dialect")
    for split in N:
        headers = data.draw(st.sampled_from(["none", "text", "counted"]), "header")
        for name in (f"x_{split}", f"y_{split}"):
            lines = lines_of(name)
            separator = data.draw(st.sampled_from([",", ";", "\t", " "]), "separator")
            quote = data.draw(st.sampled_from(["", '"']), "quote")
            index = data.draw(st.sampled_from(["no", "named", "unnamed", "shorter"]), "index")
            columns = len(lines[0])
            header = {"none": None, "text": [f"c{i}" for i in range(columns)]}.get(
                headers, list(map(str, range(columns)))
            )
            if columns == 1 and headers == "counted":
                header = ["label"]  # that a 0 is a header has tests of its own
            if index != "no":
                lines = numbered(lines, range(len(lines)))
            if header and index == "named":
                header = ["id", *header]
            if header and index == "unnamed":
                header = ['""' if separator == " " else "", *header]
            lines = [[f"{quote}{cell}{quote}" for cell in line] for line in lines]
            lines = [*([header] if header else []), *lines]
            if separator != " " and data.draw(st.booleans(), "empty last column"):
                lines = [[*line, ""] for line in lines]
            for _ in range(data.draw(st.integers(0, 3), "blank lines")):
                lines.insert(data.draw(st.integers(0, len(lines)), "where"), [])
            save(folder, name, lines, separator, data.draw(st.sampled_from(["\n", "\r\n", "\r"])))
            content = (folder / f"{name}.csv").read_bytes()
            if data.draw(st.booleans(), "byte-order mark"):
                content = b"\xef\xbb\xbf" + content
            if data.draw(st.booleans(), "gzip"):
                content = gzip.compress(content)
            (folder / f"{name}.csv").write_bytes(content)
    for (images, labels), (x, y) in zip(read(folder), EXPECTED.values(), strict=True):
        np.testing.assert_array_equal(images, x)
        np.testing.assert_array_equal(labels, y)


@FEWER
@given(data=st.data())
def test_no_damage_to_one_file_gives_an_image_the_label_of_another(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damage")
    headers = data.draw(st.sampled_from(["none", "text", "counted"]), "header")
    indexed = data.draw(st.booleans(), "index")
    damaged = data.draw(st.sampled_from(NAMES), "damaged")
    for name in NAMES:
        lines = lines_of(name)
        width = len(lines[0])
        if indexed:
            lines = numbered(lines, range(len(lines)))
        if headers != "none":
            names = [f"c{i}" if headers == "text" else str(i) for i in range(width)]
            lines.insert(0, [*([""] * indexed), *names])
        if name == damaged:
            place = st.integers(0, len(lines) - 1)
            for _ in range(data.draw(st.integers(1, 2), "lines lost")):
                del lines[min(data.draw(place, "lost"), len(lines) - 1)]
            kind = data.draw(st.sampled_from(["none", "blank", "cut", "swap indexes"]), "and")
            row = min(data.draw(place, "row"), len(lines) - 2)
            if kind == "blank":
                lines[row] = []
            if kind == "cut":
                lines = lines[: row + 1]
            if kind == "swap indexes" and indexed:
                lines[row][0], lines[row + 1][0] = lines[row + 1][0], lines[row][0]
        save(folder, name, lines)
    pairs = {
        image.tobytes(): label
        for x, y in EXPECTED.values()
        for image, label in zip(x, y, strict=True)
    }
    with contextlib.suppress(InputError):
        for images, labels in read(folder):
            for image, label in zip(images, labels, strict=True):
                assert pairs[image.tobytes()] == label
