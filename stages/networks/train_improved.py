"""Train the improved network, our own, from scratch.

Reads   training and validation images and labels (.npy)
Does    Muon on smoothed labels with a warm-up and a cosine schedule; leaves easy images out of an
        epoch; flips, shifts and partly cuts out the others
Writes  the network (.keras), its per-epoch curves (DVCLive) and its run times (CSV)
"""

from pathlib import Path

import numpy as np

from stages.common.command import run
from stages.common.params import read_params
from stages.networks.augmentation import augment
from stages.networks.backend import keras
from stages.networks.muon import Muon
from stages.networks.pruning import Trainer, draw_epoch
from stages.networks.training import Batches, fit, load_examples, save_network, set_up

layers = keras.layers


def improved_network(width: int, batch_norm: bool = True, skip: bool = True) -> keras.Model:
    """Build a small residual network: pixels 0-255 (n, 28, 28, 1) to probabilities (n, 5).

    A thin stem at full size, then three stages, each of which halves the side (28, 14, 7, 4) and
    doubles the channels, so that all stages cost alike. The layer `encoding` (n, 4 * width) is
    what is left of each channel at its strongest place.

    Args:
        width: channels of the first stage, an even number
        batch_norm: whether convolutions after the stem are followed by batch normalisation
        skip: whether each stage adds to its input
    """
    pixels = keras.Input((28, 28, 1), name="pixels")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="rescale")(pixels)
    # Not normalised: as accurate, and steps take a twentieth less (docs/log-networks-23.md).
    x = layers.Conv2D(width // 2, 3, padding="same", activation="relu", name="stem")(x)
    for stage, channels in enumerate((width, 2 * width, 4 * width), start=1):
        x = convolution(x, channels, f"stage_{stage}a", batch_norm, pool=True)
        # He et al. 2016, arXiv:1512.03385: a stage learns what to add to its input.
        y = convolution(x, channels, f"stage_{stage}b", batch_norm)
        y = convolution(y, channels, f"stage_{stage}c", batch_norm)
        x = layers.Add(name=f"stage_{stage}_add")([x, y] if skip else [y])
    x = layers.GlobalMaxPooling2D(name="encoding")(x)
    x = layers.Dense(5, use_bias=False, name="scores")(x)
    # Page 2019, "How to train your ResNet": small scores at first keep a high learning rate stable.
    x = layers.Rescaling(1 / 8, name="scale_scores")(x)
    probabilities = layers.Softmax(dtype="float32", name="probabilities")(x)
    return keras.Model(pixels, probabilities, name="improved")


def convolution(
    x: keras.KerasTensor, channels: int, name: str, batch_norm: bool, pool: bool = False
) -> keras.KerasTensor:
    """Convolve 3x3, perhaps halve the side, perhaps batch_norm, and rectify.

    Pooling comes before the rest, which then has a quarter of the values to go through, and keeps
    the last row and column of an odd side. The normalisation (Ioffe and Szegedy 2015,
    arXiv:1502.03167) has a bias of its own, so the convolution needs none; the statistics that it
    predicts with are of the last hundred batches, not of the last few.
    """
    x = layers.Conv2D(channels, 3, padding="same", use_bias=not batch_norm, name=f"{name}_conv")(x)
    if pool:
        x = layers.MaxPooling2D(2, padding="same", name=f"{name}_pool")(x)
    if batch_norm:
        x = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


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
    seed, batch_size = params["train"]["seed"], params["train_improved"]["batch_size"]
    epochs = params["train_improved"]["epochs"]
    set_up(seed, params["train"]["precision"], params["train"]["threads"])
    images, labels = load_examples(x_train, y_train)
    reach, side = params["train_improved"]["shift"], params["train_improved"]["cutout"]
    flips = params["train_improved"]["hflip"]
    # A random half is flipped in even epochs, the other in odd ones (Jordan 2024,
    # arXiv:2404.00498).
    in_even = np.random.default_rng(seed).random(len(images)) < 0.5
    network = improved_network(
        params["train_improved"]["width"],
        params["train_improved"]["batch_norm"],
        params["train_improved"]["skip"],
    )
    # Softer labels keep the network from being more confident than it should be (Szegedy et al.
    # 2016, arXiv:1512.00567).
    loss = keras.losses.CategoricalCrossentropy(
        label_smoothing=params["train_improved"]["label_smoothing"], reduction=None
    )
    pruned = min(params["train_improved"]["prune"], 1 - batch_size / len(images))  # keeps a batch
    trainer = Trainer(network, loss, len(images))

    def inputs(batch: np.ndarray, rows: np.ndarray, epoch: int, rng: np.random.Generator) -> tuple:
        flipped = flips & (in_even[rows] == (epoch % 2 == 0))
        return augment(batch, flipped, reach, side, rng), rows

    batches = Batches(
        images,
        labels,
        batch_size,
        seed,
        inputs,
        draw=lambda n, rng: draw_epoch(trainer.last_losses.numpy(), pruned, rng),
    )
    # Up for a fraction of the steps, which keeps a high learning rate stable at first (Goyal et al.
    # 2017, arXiv:1706.02677), then down to nothing on a cosine (Loshchilov and Hutter 2017,
    # arXiv:1608.03983).
    steps = epochs * len(batches)
    warmup_steps = max(1, int(params["train_improved"]["warmup"] * steps))
    learning_rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        decay_steps=max(1, steps - warmup_steps),
        alpha=0.0 if params["train_improved"]["cosine"] else 1.0,
        warmup_target=params["train"]["lr"] * batch_size / 128,
        warmup_steps=warmup_steps,
    )
    optimizer = Muon(
        learning_rate,
        kernel_rate=params["train_improved"]["kernel_rate"],
        momentum=float(params["train_improved"]["momentum"]),  # Keras refuses a whole 0
        # Apart from the gradient, Loshchilov and Hutter 2019, arXiv:1711.05101.
        weight_decay=params["train_improved"]["weight_decay"],
    )
    trainer.compile(optimizer, weighted_metrics=["accuracy", "categorical_crossentropy"])
    fit(
        trainer,
        batches,
        valid=load_examples(x_valid, y_valid),
        epochs=epochs,
        live_dir=live_dir,
        runtime=runtime,
    )
    save_network(network, model)


if __name__ == "__main__":
    run(main)
