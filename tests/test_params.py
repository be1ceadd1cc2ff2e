import json
from pathlib import Path

from stages.common.command import InputError
from stages.common.params import SCHEMA, read_params

import pytest
from conftest import ROOT, set_params


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
        ("prepare__limit", 10, "prepare.limit: 10 is less than the minimum of 200"),
        ("fetch__twist", [0, 1], "fetch.twist: [0, 1] is too short"),
        ("fetch__twist", [9] * 10, "fetch.twist.0: 9 is greater than the maximum of 4"),
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
    (workspace / "params.yaml").write_text(text.replace("  lr: 0.1", "  # lr: 0.1"))
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
    (workspace / "params.yaml").write_text(text.replace("lr: 0.1", "lr: 1e-05"))
    assert read_params(Path("params.yaml"))["train"]["lr"] == 1e-5


def test_every_parameter_has_a_meaning_in_the_schema():
    schema = json.loads(SCHEMA.read_text())
    params = read_params(ROOT / "params.yaml")
    assert set(params) == set(schema["properties"])
    for block, keys in params.items():
        properties = schema["properties"][block]["properties"]
        assert set(keys) == set(properties)
        assert all("description" in properties[key] for key in keys)
