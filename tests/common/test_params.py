"""params.yaml: taken as a whole, or refused in one line that names the key."""

import json
from pathlib import Path

import pytest
from dvc.utils import serialize as dvc_yaml
from hypothesis import example, given
from hypothesis import strategies as st

from stages.common.command import InputError
from stages.common.params import SCHEMA, read_params
from stages.common.yaml import load_yaml
from tests.helpers import QUICK, ROOT, one_line, set_params


def test_the_committed_params_are_valid():
    assert read_params(ROOT / "params.yaml")["train"]["lr"] > 0


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("train__lr", -1, "params.yaml: train.lr: -1 is less than or equal to the minimum of 0"),
        ("train__lr", "fast", "params.yaml: train.lr: 'fast' is not of type 'number'"),
        ("train__lr", float("nan"), "params.yaml: train.lr: nan is not of type 'number'"),
        ("train__precision", "float8", "params.yaml: train.precision: 'float8' is not one of"),
        ("train_default__epochs", 1.0, "train_default.epochs: 1.0 is not of type 'integer'"),
        ("train_default__epochs", True, "train_default.epochs: True is not of type 'integer'"),
        ("kmeans__n_clusters", 1, "kmeans.n_clusters: 1 is less than the minimum of 2"),
        ("prepare__limit", "", "(prepare.limit is null, or how many training images to keep"),
        ("prepare__limit", 10, "prepare.limit: 10 is less than the minimum of 200"),
        ("fetch__twist", [0, 1], "fetch.twist: [0, 1] is too short"),
        ("fetch__twist", [9] * 10, "fetch.twist.0: 9 is greater than the maximum of 4"),
        ("fetch__twist", "winter-2021", "fetch.twist: 'winter-2021' does not match '^winter-"),
        ("train__threads", "all", "train.threads: 'all' does not match '^auto$' (train.threads is"),
        ("train__threads", 0, "train.threads: 0 is less than the minimum of 1"),
    ],
)
def test_a_wrong_value_is_one_line_naming_file_and_key(workspace, name, value, message):
    set_params(workspace, **{name: value})
    with pytest.raises(InputError) as error:
        read_params()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_unknown_key_is_rejected(workspace):
    text = (workspace / "params.yaml").read_text()
    (workspace / "params.yaml").write_text(text.replace("  n_clusters:", "  clusters:"))
    with pytest.raises(InputError, match=r"kmeans: .*'clusters' was unexpected"):
        read_params()


def test_an_unknown_block_is_rejected(workspace):
    with (workspace / "params.yaml").open("a") as file:
        file.write("\ntraining:\n  lr: 1\n")
    with pytest.raises(InputError, match=r"params\.yaml: .*'training' was unexpected"):
        read_params()


def test_a_missing_key_is_rejected(workspace):
    text = (workspace / "params.yaml").read_text()
    (workspace / "params.yaml").write_text(text.replace("  lr: 0.3", "  # lr: 0.3"))
    with pytest.raises(InputError, match=r"train: 'lr' is a required property"):
        read_params()


@pytest.mark.parametrize("text", [b"a: [1", b"a: 1\na: 2\n", b"", b"\xff", b"a: \x01"])
def test_what_is_no_params_file_is_one_line_naming_it(workspace, text):
    (workspace / "params.yaml").write_bytes(text)
    with pytest.raises(InputError, match=r"^params\.yaml") as error:
        read_params()
    assert "\n" not in str(error.value)


def test_dvcs_notation_of_small_numbers_is_a_number(workspace):
    text = (workspace / "params.yaml").read_text()
    (workspace / "params.yaml").write_text(text.replace("lr: 0.3", "lr: 1e-05"))
    assert read_params(Path("params.yaml"))["train"]["lr"] == 1e-5


def test_every_parameter_has_a_meaning_in_the_schema():
    schema = json.loads(SCHEMA.read_text())
    params = read_params(ROOT / "params.yaml")
    assert set(params) == set(schema["properties"])
    for block, keys in params.items():
        properties = schema["properties"][block]["properties"]
        assert set(keys) == set(properties)
        assert all("description" in properties[key] for key in keys)


SCHEMAS = json.loads(SCHEMA.read_text())["properties"]
KEYS = [f"{block}__{key}" for block, schema in SCHEMAS.items() for key in schema["properties"]]


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
    params = read_params()
    value = params[block].pop(key)
    (workspace / "params.yaml").write_text(json.dumps(params))
    with pytest.raises(InputError, match=f"{block}: '{key}' is a required property"):
        read_params()
    params[block] |= {key: value, f"{key}s_": value}
    (workspace / "params.yaml").write_text(json.dumps(params))
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
    write_as_dvc(workspace / "params.yaml", name, value)
    parameters_or_one_line()


def write_as_dvc(path, name, value) -> None:
    """Write the project's parameters with another value, by DVC's own writer."""
    params = read_params(ROOT / "params.yaml")
    block, key = name.split("__")
    params[block][key] = value
    dvc_yaml.dump_yaml(path, params)


def same(ours, dvcs) -> bool:
    """Whether two readers of YAML have found the same values of the same types."""
    if isinstance(ours, dict):
        return list(ours) == list(dvcs) and all(same(ours[key], dvcs[key]) for key in ours)
    if isinstance(ours, list):
        return len(ours) == len(dvcs) and all(map(same, ours, dvcs))
    return type(ours) is type(dvcs) and (ours == dvcs or (ours != ours and dvcs != dvcs))


# What YAML 1.1, which PyYAML reads by itself, takes for something else.
ODD = ["yes", "off", "1:30", "010", "0o7", "1_000", "~", "1e5", ".5", ".1e5", "1e-05"]


@QUICK
@given(name=st.sampled_from(KEYS), value=ANYTHING | st.sampled_from(ODD))
@example(name="train__lr", value=1e-5)
def test_what_dvc_writes_is_read_as_dvc_reads_it(workspace, name, value):
    path = workspace / "params.yaml"
    write_as_dvc(path, name, value)
    assert same(load_yaml(path), dvc_yaml.load_yaml(path))


@pytest.mark.parametrize("text", [*ODD, "0b11", "-0x1F", "+.5", "1.", "-.inf", ".NaN", "TRUE", "n"])
def test_a_plain_word_is_what_dvc_takes_it_for(tmp_path, text):
    path = tmp_path / "a.yaml"
    path.write_text(f"a: {text}\n")
    assert same(load_yaml(path), dvc_yaml.load_yaml(path))


@pytest.mark.parametrize(
    ("block", "old", "new"),
    [
        ("train_improved", "mirror", "hflip"),
        ("train_improved", "erase", "cutout"),
        ("train_improved", "normalise", "batch_norm"),
        ("evaluate", "views", "tta_views"),
    ],
)
def test_an_old_name_is_told_its_new_one(workspace, block, old, new):
    params = read_params()
    params[block][old] = params[block].pop(new)
    (workspace / "params.yaml").write_text(json.dumps(params))
    with pytest.raises(InputError, match=f"{block}.{old} is called {new} now: rename it"):
        read_params()


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
