"""Whatever is in a file: a valid result or one clear line, never another exception."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from stages.common.command import InputError
from stages.networks.backend import keras, load_network
from stages.common.files import IMAGES, LABELS, POINTS, load_array
from stages.common.params import SCHEMA, read_params
from stages.data.tables import read_whole_numbers

import numpy as np
import pytest
from conftest import ROOT, set_params
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

SCHEMAS = json.loads(SCHEMA.read_text())["properties"]
KEYS = [f"{block}__{key}" for block, schema in SCHEMAS.items() for key in schema["properties"]]
QUICK = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def one_line(error) -> str:
    assert "\n" not in str(error.value)
    return str(error.value)


# CSVs


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


# Parameters


def wrong_values(schema: dict) -> list:
    """Values that a parameter's schema forbids: of another type, too low, too high."""
    values = [{"a": 1}]
    if schema.get("type") in ("integer", "number"):
        values += ["1", True, [1], float("nan"), float("inf"), None]
    if "minimum" in schema:
        values.append(schema["minimum"] - 1)
    if "exclusiveMinimum" in schema:
        values.append(schema["exclusiveMinimum"])
    if "maximum" in schema:
        values.append(schema["maximum"] + 1)
    if "exclusiveMaximum" in schema:
        values.append(schema["exclusiveMaximum"])
    if "enum" in schema:
        values.append("another")
    if schema.get("type") == "boolean":
        values += [0, "yes"]
    if schema.get("type") == "string":
        values.append(1)
    return values


@pytest.mark.parametrize("name", KEYS)
def test_every_key_rejects_what_its_schema_forbids(workspace, name):
    block, key = name.split("__")
    for value in wrong_values(SCHEMAS[block]["properties"][key]):
        set_params(workspace, **{name: value})
        with pytest.raises(InputError, match=rf"^params\.yaml: {block}\.{key}") as error:
            read_params()
        one_line(error)


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_required_and_no_other_is_allowed(workspace, name):
    block, key = name.split("__")
    yaml = YAML(typ="safe")
    params = yaml.load(workspace / "params.yaml")
    value = params[block].pop(key)
    yaml.dump(params, workspace / "params.yaml")
    with pytest.raises(InputError, match=f"{block}: '{key}' is a required property"):
        read_params()
    params[block] |= {key: value, f"{key}s_": value}
    yaml.dump(params, workspace / "params.yaml")
    with pytest.raises(InputError, match=f"{block}: .*'{key}s_' was unexpected"):
        read_params()


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@QUICK
@given(name=st.sampled_from(KEYS), value=ANYTHING)
def test_any_value_of_a_key_is_taken_or_one_clear_line(workspace, name, value):
    yaml = YAML(typ="safe")
    params = yaml.load(ROOT / "params.yaml")
    block, key = name.split("__")
    params[block][key] = value
    yaml.dump(params, workspace / "params.yaml")
    parameters_or_one_line()


@QUICK
@given(content=st.binary(max_size=100) | st.text(max_size=100).map(str.encode))
def test_any_bytes_in_params_yaml_are_one_clear_line(workspace, content):
    (workspace / "params.yaml").write_bytes(content)
    with pytest.raises(InputError, match=r"^params\.yaml: ") as error:
        read_params()
    one_line(error)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5_000,
        "a: &a [*a]",
        "a: &a {b: *a}",
        "!!python/object/apply:os.system ['touch hacked']",
        "a: !!binary x",
        "? [a, b]\n: 1",
        "- 1",
        "1: 2",
        "a: 2020-13-45",
        "\u2028",
        "%YAML 9.9\n---\na: 1",
        "a: 1\n---\nb: 2",
        "<<: 1",
    ],
)
def test_hostile_yaml_is_one_clear_line_and_runs_nothing(workspace, text):
    (workspace / "params.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"^params\.yaml: ") as error:
        read_params()
    one_line(error)
    assert [path.name for path in workspace.iterdir()] == ["params.yaml"]


def parameters_or_one_line() -> None:
    """Read params.yaml; fail unless it is taken or refused in one line."""
    try:
        assert read_params()
    except InputError as error:
        assert str(error).startswith("params.yaml: ")
        assert "\n" not in str(error)


# Arrays


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


# Networks


def small_network(*extra) -> keras.Model:
    """Return a network from pixels to five probabilities, with more layers before its last."""
    layers = [keras.Input((28, 28, 1)), *extra, keras.layers.Flatten()]
    return keras.Sequential([*layers, keras.layers.Dense(5, activation="softmax")])


def refused(path: Path) -> str:
    with pytest.raises(InputError, match=rf"^{path}: expected a network from 28 x 28") as error:
        load_network(path)
    return one_line(error)


def test_a_network_that_is_missing_is_called_so(workspace):
    with pytest.raises(FileNotFoundError) as error:
        load_network(Path("a.keras"))
    assert error.value.filename == "a.keras"


def test_a_network_of_the_right_kind_is_loaded(workspace):
    small_network().save("a.keras")
    assert load_network(Path("a.keras")).output_shape == (None, 5)


def test_a_truncated_network_is_one_clear_line(workspace):
    small_network().save("a.keras")
    content = Path("a.keras").read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 10):
        Path("a.keras").write_bytes(content[:size])
        refused(Path("a.keras"))


def test_a_network_whose_parts_are_garbage_is_one_clear_line(workspace):
    small_network().save("a.keras")
    with zipfile.ZipFile("a.keras") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for broken in parts:
        with zipfile.ZipFile("b.keras", "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, b"garbage" if name == broken else content)
        if broken != "metadata.json":  # which says nothing of the network
            refused(Path("b.keras"))


def test_a_network_with_other_inputs_or_outputs_is_one_clear_line(workspace):
    network = keras.Sequential([keras.Input((784,)), keras.layers.Dense(5)])
    network.save("a.keras")
    assert "found one from (None, 784) to (None, 5)" in refused(Path("a.keras"))


def test_code_in_a_network_is_refused_and_not_run(workspace):
    bomb = keras.layers.Lambda(lambda x: (Path("hacked").touch(), x)[1], output_shape=(28, 28, 1))
    small_network(bomb).save("a.keras")
    Path("hacked").unlink(missing_ok=True)
    refused(Path("a.keras"))
    assert not Path("hacked").exists()


# Stages


def test_a_stage_that_dvc_runs_says_how_to_get_earlier_results_back(workspace, monkeypatch):
    def message(**variables) -> str:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        Path("a.npy").write_bytes(b"")
        command = [sys.executable, ROOT / "stages/pca.py", "a.npy", "out.npy", "metrics.json"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        return done.stderr

    assert "dvc checkout" not in message()
    assert message(DVC_STAGE="pca").endswith(
        "(earlier results: `git checkout metrics plots report`, `dvc checkout`)\n"
    )
    assert sorted(path.name for path in workspace.iterdir()) == ["a.npy", "params.yaml"]


def test_no_parameter_reaches_a_shell():
    assert "${" not in (ROOT / "dvc.yaml").read_text()
