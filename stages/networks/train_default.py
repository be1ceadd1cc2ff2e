"""Train the default network, which the assignment fixes, from scratch.

Reads   training and validation images and labels (.npy)
Does    plain SGD on categorical cross-entropy, without momentum or schedule
Writes  the network (.keras), its per-epoch curves (DVCLive) and its run times (CSV)
"""

from pathlib import Path

from stages.common.command import run
from stages.common.params import read_params
from stages.networks.backend import keras
from stages.networks.training import Batches, fit, load_examples, save_network, set_up

layers = keras.layers


def default_network() -> keras.Model:
    """Build the assignment's network: pixels 0-255 (n, 28, 28, 1) to probabilities (n, 5)."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="pixels"),
            layers.Rescaling(1 / 127.5, offset=-1, name="rescale"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(512, activation="relu", name="dense"),
            layers.Dense(5, activation="softmax", dtype="float32", name="probabilities"),
        ],
        name="default",
    )


def main(
    x_train: Path,
    y_train: Path,
    x_valid: Path,
    y_valid: Path,
    model: Path,
    live_dir: Path,
    runtime: Path,
) -> None:
    params = read_params()
    seed, batch_size = params["train"]["seed"], params["train_default"]["batch_size"]
    set_up(seed, params["train"]["precision"], params["train"]["threads"])
    batches = Batches(*load_examples(x_train, y_train), batch_size, seed)
    network = default_network()
    network.compile(
        keras.optimizers.SGD(params["train"]["lr"] * batch_size / 128),
        loss="categorical_crossentropy",
        weighted_metrics=["accuracy", "categorical_crossentropy"],
    )
    fit(
        network,
        batches,
        valid=load_examples(x_valid, y_valid),
        epochs=params["train_default"]["epochs"],
        live_dir=live_dir,
        runtime=runtime,
    )
    save_network(network, model)


if __name__ == "__main__":
    run(main)
