"""Train a network on for two epochs by Keras' `fit` alone, on arrays in memory.

    python -m benchmarks.plain_fit FOLDER NAME BATCH_SIZE

What a stage's training is compared with: no callbacks, no augmentation, other bytes every time.
"""

import sys
from pathlib import Path

import numpy as np

from stages.networks.backend import keras
from stages.networks.training import VALIDATION_BATCH, one_hot


def load(folder: Path) -> list[np.ndarray]:
    """Return training images and labels, validation images and labels."""
    names = ("x_train", "y_train", "x_valid", "y_valid")
    return [np.load(folder / f"data/prepared/{name}.npy") for name in names]


def main(folder: Path, name: str, batch_size: int) -> None:
    network = keras.models.load_model(folder / f"data/models/{name}.keras")
    if not network.compiled:  # the improved one is saved without its optimizer
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
        network.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    x, y, x_valid, y_valid = load(folder)
    network.fit(
        x,
        one_hot(y),
        batch_size=batch_size,
        epochs=2,
        validation_data=(x_valid, one_hot(y_valid)),
        validation_batch_size=VALIDATION_BATCH,
        verbose=2,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
