"""The training loop: same bytes again, curves, run times, and clear refusals."""

import os
import shutil
import subprocess
import sys
from contextlib import chdir

import numpy as np
import pandas as pd
import pytest

from stages.common.command import InputError
from stages.networks import train_default, train_improved, training
from stages.networks.backend import keras, tensorflow
from tests.helpers import ROOT, read_json, set_params, synthetic

tensorflow.config.threading.set_intra_op_parallelism_threads(2)  # not after the first operation
MODEL = "models/network.keras"
OPTIONS = {
    "train__lr": 0.02,
    "train_default__batch_size": 50,
    "train_improved__batch_size": 50,
}
NETWORKS = {train_default: "default", train_improved: "improved"}


def train(folder, stage, n=200, **params):
    """Run a training stage on synthetic images; return the saved network's path."""
    short = {f"train_{NETWORKS[stage]}__epochs": 2, "train_improved__width": 8}
    set_params(folder, **{"train__precision": "float32"} | short | params)
    paths = []
    for split, size, seed in (("train", n, 1), ("valid", 50, 2)):
        images, labels = synthetic(size, seed)
        for name, array in (("x", images), ("y", labels)):
            paths.append(folder / f"{name}_{split}.npy")
            np.save(paths[-1], array)
    model = folder / MODEL
    keras.utils.clear_session()  # automatic names start anew, as in a process of its own
    stage.main(*paths, model, folder / "live", folder / "runtime.csv")
    return model


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict:
    """Folders of a run of each training stage: parameters, images, network, curves, run times."""
    folders = {stage: tmp_path_factory.mktemp(name) for stage, name in NETWORKS.items()}
    for stage, folder in folders.items():
        shutil.copy(ROOT / "params.yaml", folder)
        with chdir(folder):
            train(folder, stage, **OPTIONS)
    return folders


def test_the_default_network_is_trained_by_plain_sgd_on_cross_entropy(runs):
    network = keras.models.load_model(runs[train_default] / MODEL)
    assert type(network.optimizer) is keras.optimizers.SGD
    assert network.optimizer.momentum == 0
    assert network.optimizer.weight_decay is None
    assert float(network.optimizer.learning_rate) == pytest.approx(0.02 * 50 / 128)
    assert network.loss == "categorical_crossentropy"


def test_saved_networks_predict_raw_pixels_with_keras_alone(runs):
    code = (
        "import sys, keras, numpy as np\n"
        "x = np.full((3, 28, 28, 1), 255, np.uint8)\n"
        "for path in sys.argv[1:]:\n"
        "    network = keras.models.load_model(path)\n"
        "    p = network.predict(x, verbose=0)\n"
        "    assert p.shape == (3, 5) and np.allclose(p.sum(axis=1), 1, atol=1e-5)\n"
        "    floats = network.predict(x.astype('float32'), verbose=0)\n"
        "    assert np.allclose(p, floats, atol=1e-5)\n"
    )
    models = [folder / MODEL for folder in runs.values()]
    subprocess.run([sys.executable, "-c", code, *models], check=True, cwd="/")


@pytest.mark.parametrize(
    ("change", "rates"),
    [
        ({}, [0.1, 0.05]),
        ({"train_improved__cosine": False}, [0.1, 0.1]),
        ({"train_improved__warmup": 0.5}, [0.08, 0.1]),
    ],
)
def test_the_rate_rises_and_falls_as_asked(workspace, monkeypatch, change, rates):
    seen = []

    def record(network, batches, **others):
        schedule, steps = network.optimizer._learning_rate, 2 * len(batches)
        seen.extend(float(schedule(int(share * steps))) for share in (0.4, 0.6))
        raise InputError("seen enough")

    monkeypatch.setattr(train_improved, "fit", record)
    with pytest.raises(InputError, match="seen enough"):
        options = {"train_improved__batch_size": 20, "train_improved__warmup": 0.2} | change
        train(workspace, train_improved, n=2000, train__lr=0.1, **options)
    scaled = [rate * 20 / 128 for rate in rates]
    assert seen == pytest.approx(scaled, rel=0.2)


@pytest.mark.parametrize("stage", NETWORKS)
def test_training_again_gives_the_same_bytes(runs, workspace, stage):
    first = runs[stage]
    assert train(workspace, stage, **OPTIONS).read_bytes() == (first / MODEL).read_bytes()
    for path in ("loss.json", "accuracy.json"):
        curves = [folder / "live/plots/custom" / path for folder in (first, workspace)]
        assert curves[0].read_bytes() == curves[1].read_bytes()
    other = train(workspace, stage, train__seed=2, **OPTIONS).read_bytes()
    assert other != (first / MODEL).read_bytes()


@pytest.mark.lengthy
@pytest.mark.parametrize("stage", NETWORKS)
def test_training_again_in_mixed_bfloat16_gives_the_same_bytes(runs, workspace, stage):
    options = OPTIONS | {"train__precision": "mixed_bfloat16"}
    first = train(workspace, stage, **options).read_bytes()
    curves = (workspace / "live/plots/custom/loss.json").read_bytes()
    assert train(workspace, stage, **options).read_bytes() == first
    assert (workspace / "live/plots/custom/loss.json").read_bytes() == curves
    assert first != (runs[stage] / MODEL).read_bytes()


def test_a_trained_network_has_learned_the_labels(workspace):
    options = {"train_default__epochs": 6, "train_default__batch_size": 50}
    network = keras.models.load_model(train(workspace, train_default, **options))
    images, labels = synthetic(100, seed=3)
    assert (network.predict(images, verbose=0).argmax(axis=1) == labels).mean() > 0.9


def test_every_epoch_is_on_the_curves_and_the_last_in_the_metrics(runs):
    rows = read_json(runs[train_default] / "live/plots/custom/accuracy.json")
    assert [(row["epoch"], row["split"]) for row in rows] == [
        (1, "training"),
        (1, "validation"),
        (2, "training"),
        (2, "validation"),
    ]
    assert {row["network"] for row in rows} == {"default"}
    metrics = read_json(runs[train_default] / "live/metrics.json")
    assert metrics["accuracy"] == rows[-1]["accuracy"]
    assert set(metrics) == {"accuracy", "loss"}


def test_run_times_hold_every_epoch(runs):
    times = pd.read_csv(runs[train_default] / "runtime.csv")
    assert times["epoch"].tolist() == [1, 2]
    assert times["seconds"].gt(0).all()
    np.testing.assert_allclose(times["seconds"] * times["images_per_second"], 200, rtol=1e-4)


@pytest.mark.parametrize(
    ("slowdown", "faster"), [(0.5, "mixed_bfloat16"), (1, "float32"), (16, "float32")]
)
def test_auto_takes_the_precision_that_is_faster_here_and_says_so(
    monkeypatch, capsys, slowdown, faster
):
    monkeypatch.setattr(training, "bfloat16_slowdown", lambda: slowdown)
    training.set_up(1, "auto", 2)
    assert keras.config.dtype_policy().name == faster
    assert f"in {faster}" in capsys.readouterr().out


def test_auto_takes_every_core_that_the_process_may_use(monkeypatch, capsys):
    taken = []
    monkeypatch.setattr(
        tensorflow.config.threading, "set_intra_op_parallelism_threads", taken.append
    )
    training.set_up(1, "float32", "auto")
    assert taken == [len(os.sched_getaffinity(0))]
    training.set_up(1, "float32", 3)
    assert taken[1:] == [3]
    assert "on 3 threads" in capsys.readouterr().out


def test_bfloat16_is_timed():
    assert training.bfloat16_slowdown() > 0


def test_the_improved_network_is_saved_without_what_trained_it(runs):
    network = keras.models.load_model(runs[train_improved] / MODEL)
    assert not network.compiled


def test_an_epoch_leaves_images_out_as_asked_but_always_keeps_a_batch(workspace, monkeypatch):
    kept = []
    monkeypatch.setattr(
        train_improved, "fit", lambda network, batches, **others: kept.append(len(batches.rows))
    )
    for pruned, batch_size in ((0.5, 50), (0, 50), (0.5, 150)):
        options = {"train_improved__prune": pruned, "train_improved__batch_size": batch_size}
        train(workspace, train_improved, **options)
    assert kept == [100, 200, 150]


def test_the_curves_of_the_improved_network_show_the_loss_on_true_labels(runs):
    network = keras.models.load_model(runs[train_improved] / MODEL)
    images, labels = synthetic(50, seed=2)
    probabilities = network.predict(images, verbose=0)
    loss = -np.log(probabilities[np.arange(50), labels]).mean()
    metrics = read_json(runs[train_improved] / "live/metrics.json")
    assert metrics["loss"] == pytest.approx(loss, rel=1e-2)


def test_too_few_images_for_a_batch_is_one_clear_line(workspace):
    with pytest.raises(InputError, match="at least one batch of 512 images, found 200"):
        train(workspace, train_improved, train_improved__batch_size=512)


def test_a_rate_that_makes_the_loss_infinite_is_one_clear_line(workspace):
    with pytest.raises(InputError, match=r"train\.lr: expected the loss to stay finite, found"):
        options = {"train_default__epochs": 20, "train_default__batch_size": 128}
        train(workspace, train_default, n=400, train__lr=10.0, **options)
    assert not (workspace / "models").exists()


def test_saving_the_same_weights_gives_the_same_bytes(tmp_path):
    keras.utils.set_random_seed(1)
    network = train_improved.improved_network(32)
    for name in ("a", "b"):
        training.save_network(network, tmp_path / f"{name}.keras")
    assert (tmp_path / "a.keras").read_bytes() == (tmp_path / "b.keras").read_bytes()
    loaded = keras.models.load_model(tmp_path / "a.keras")
    for ours, theirs in zip(network.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_every_image_is_seen_once_an_epoch_and_flipped_in_every_other(workspace, monkeypatch):
    seen = []

    def record(images, flipped, *others):
        seen.append(dict(zip((image.tobytes() for image in images), flipped, strict=True)))
        return images

    monkeypatch.setattr(train_improved, "augment", record)
    monkeypatch.setattr(train_improved, "fit", lambda network, batches, **others: drain(batches))
    train(workspace, train_improved, train_improved__batch_size=200, train_improved__prune=0)
    first, second = seen
    assert len(first) == 200
    assert all(first[image] != second[image] for image in first)
    assert 0 < sum(first.values()) < 200


def drain(batches):
    """Take two epochs of batches, as `fit` does."""
    for _ in range(2):
        for batch in range(len(batches)):
            batches[batch]
        batches.on_epoch_end()


def test_a_batch_depends_on_seed_epoch_and_number_alone():
    images, labels = synthetic(40)
    add_noise = lambda batch, rows, epoch, rng: rng.integers(0, 9, batch.shape)  # noqa: E731
    first, other = (training.Batches(images, labels, 10, 1, add_noise) for _ in range(2))
    other[0]
    for part in range(2):
        np.testing.assert_array_equal(first[3][part], other[3][part])
    before = first[3][0]
    first.on_epoch_end()
    assert not np.array_equal(first[3][0], before)


def test_a_batch_keeps_images_and_labels_together():
    images, labels = synthetic(40)
    label_of = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    batches = training.Batches(images, labels, 10, 1)
    pairs = [pair for batch in range(4) for pair in zip(*batches[batch][:2], strict=True)]
    assert len({image.tobytes() for image, _ in pairs}) == 40
    assert all(label_of[image.tobytes()] == label for image, label in pairs)


def test_on_a_full_disk_a_network_is_not_half_saved_and_the_old_file_is_kept(tmp_path, full_disk):
    path = tmp_path / "network.keras"
    path.write_text("old")
    inputs = keras.Input((50,))
    with pytest.raises(InputError, match=r"network\.keras: could not be written: "):
        training.save_network(keras.Model(inputs, keras.layers.Dense(500)(inputs)), path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
