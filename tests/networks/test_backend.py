"""Networks in files: loaded, or refused in one line and never run."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stages.common.command import InputError
from stages.networks.backend import keras, load_network
from stages.networks.train_improved import improved_network
from tests.helpers import ROOT, one_line


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


def test_a_users_keras_settings_change_no_network(tmp_path):
    settings = {"image_data_format": "channels_first", "floatx": "float16", "backend": "torch"}
    (tmp_path / "keras.json").write_text(json.dumps(settings))
    code = (
        "import sys; from stages.networks.train_improved import improved_network;"
        "network = improved_network(4);"
        "print(network.count_params(), network.compute_dtype, network.layers[1].compute_dtype)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"KERAS_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{improved_network(4).count_params()} float32 float32\n"
