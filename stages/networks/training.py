"""The training loop that both networks share: precision and threads, fit with curves and run times,
and saving with the same bytes for the same weights.
"""

import json
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from dvclive import Live
from joblib import cpu_count

from stages.common.command import InputError
from stages.common.files import IMAGES, LABELS, N_LABELS, load_array, replacing, save_table
from stages.networks.backend import keras, tensorflow

VALIDATION_BATCH = 1_000  # images; changes speed alone


def set_up(seed: int, precision: str, threads: int | str) -> None:
    """Make what follows repeatable on one kind of processor, and set the layers' precision.

    Args:
        seed: of initial weights and the order of the images
        precision: a Keras dtype policy, `float32` or `mixed_bfloat16`, or `auto`: the faster one,
            by a short measurement
        threads: that share a training step, or `auto`: as many as there are cores for this process;
            the sums of each are added up
    """
    if threads == "auto":
        threads = cpu_count()
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    if precision == "auto":
        precision = "mixed_bfloat16" if bfloat16_slowdown() < 1 else "float32"
    keras.utils.set_random_seed(seed)
    tensorflow.config.experimental.enable_op_determinism()
    keras.config.set_dtype_policy(precision)
    print(f"training: in {precision}, on {threads} threads", flush=True)


def bfloat16_slowdown() -> float:
    """Time a convolution's gradient in bfloat16 over the same in float32, the best of five each.

    Under 1 with bfloat16 instructions, 10 and more without. Forwards there may be no difference.
    """

    def gradient(dtype: str) -> Callable[[], object]:
        images = tensorflow.ones((64, 14, 14, 64), dtype)
        kernel = tensorflow.Variable(tensorflow.ones((3, 3, 64, 64), dtype))

        def step() -> object:
            with tensorflow.GradientTape() as tape:
                convolved = tensorflow.nn.conv2d(images, kernel, 1, "SAME")
            return tape.gradient(convolved, kernel).numpy()

        return step

    bfloat16, float32 = fastest(gradient("bfloat16"), gradient("float32"))
    return bfloat16 / float32


def fastest(*calls: Callable[[], object]) -> list[float]:
    """Return the seconds of the fastest of five turns of each call, taken in turns.

    A turn before them pays for the set-up.
    """
    times: list[list[float]] = []
    for _ in range(6):
        times.append([])
        for call in calls:
            start = time.perf_counter()
            call()
            times[-1].append(time.perf_counter() - start)
    return [min(turns) for turns in zip(*times[1:], strict=True)]


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Turn labels (n,) into float32 (n, 5), as categorical cross-entropy wants them."""
    return keras.utils.to_categorical(labels, N_LABELS).astype(np.float32)


def load_examples(x: Path, y: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read images, uint8 (n, 28, 28, 1), and labels, one-hot, float32 (n, 5)."""
    images = load_array(x, IMAGES)
    return images, one_hot(load_array(y, LABELS, len(images)))


def draw_all(n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of `n` images in random order and the weight of each, which is 1."""
    return rng.permutation(n), np.ones(n, np.float32)


class Batches(keras.utils.PyDataset):
    """Batches of images, one-hot labels and weights, in a new order each epoch.

    What a batch holds depends on the seed, the epoch (from 1) and the batch's number alone. The
    last images of an order that do not fill a batch are left out.

    Two workers make the batches, since one is slow: Keras hands its batches on through `tf.data`
    with automatic tuning, whose thread sleeps through its own end, so that every other epoch
    starts by waiting for as long as the last one took (TensorFlow 2.21).
    """

    def __init__(
        self,
        x: np.ndarray,
        y: np.ndarray,
        batch_size: int,
        seed: int,
        inputs: Callable[..., Any] = lambda images, rows, epoch, rng: images,
        draw: Callable[..., tuple[np.ndarray, np.ndarray]] = draw_all,
    ):
        """Take uint8 images (n, 28, 28, 1) and one-hot labels (n, 5).

        Args:
            inputs: makes what is trained on of the images of some rows in an epoch, with a random
                generator
            draw: chooses the images of an epoch out of `n`, as many each time, with a random
                generator: rows in order, and the weight of each, float32

        Raises:
            InputError: the images do not fill one batch.
        """
        super().__init__(workers=2)
        if len(x) < batch_size:
            raise InputError(
                f"training images: expected at least one batch of {batch_size} images, found"
                f" {len(x)}: raise prepare.limit or lower the network's batch_size in params.yaml"
            )
        self.x, self.y, self.batch_size, self.seed = x, y, batch_size, seed
        self.inputs, self.draw = inputs, draw
        self.epoch = 0
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self.rows) // self.batch_size

    def __getitem__(self, batch: int) -> tuple[Any, np.ndarray, np.ndarray]:
        rng = np.random.default_rng([self.seed, self.epoch, batch])
        places = slice(batch * self.batch_size, (batch + 1) * self.batch_size)
        rows = self.rows[places]
        inputs = self.inputs(self.x[rows], rows, self.epoch, rng)
        return inputs, self.y[rows], self.weights[places]

    def on_epoch_end(self) -> None:
        self.epoch += 1
        rng = np.random.default_rng([self.seed, self.epoch])
        self.rows, self.weights = self.draw(len(self.x), rng)


def fit(
    network: keras.Model,
    batches: Batches,
    valid: tuple[np.ndarray, np.ndarray],
    epochs: int,
    live_dir: Path,
    runtime: Path,
) -> None:
    """Fit a compiled network; write its curves to `live_dir` and its run times to `runtime`.

    Run times are a row an epoch: epoch, seconds of wall time, validation included, and training
    images a second.

    Args:
        valid: images and one-hot labels for validation, which are not augmented

    Raises:
        InputError: the loss is not finite any more, because the rate is too high.
    """
    print("training: from scratch; if it is stopped, `dvc repro` starts it again", flush=True)
    with Live(str(live_dir), dvcyaml=False, save_dvc_exp=False) as live:
        clock = Clock()
        network.fit(
            batches,
            validation_data=valid,
            validation_batch_size=VALIDATION_BATCH,
            epochs=epochs,
            callbacks=[clock, Curves(live)],
            verbose=1 if sys.stdout.isatty() else 2,  # a log file gets a line an epoch, no bars
        )
    times = pd.DataFrame({"epoch": range(1, epochs + 1), "seconds": clock.seconds})
    images = len(batches) * batches.batch_size
    save_table(runtime, times.assign(images_per_second=images / times["seconds"]))


class Clock(keras.callbacks.Callback):
    """Keeps the wall time of each epoch, validation included, in `seconds`."""

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.seconds: list[float] = []
        self.start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        now = time.perf_counter()
        self.seconds.append(now - self.start)
        self.start = now


class Curves(keras.callbacks.Callback):
    """Logs loss and accuracy, for training and validation, after every epoch.

    The loss is the cross-entropy on the true labels, whatever the network minimises, so that
    networks can be compared. One plot file a quantity, with a row for each epoch and split, so
    that both splits share a plot; the last epoch's values on validation images are the metrics.
    """

    KEYS = (("loss", "categorical_crossentropy"), ("accuracy", "accuracy"))  # ours, Keras'

    def __init__(self, live: Live):
        super().__init__()
        self.live = live
        self.rows: dict[str, list[dict]] = {"loss": [], "accuracy": []}

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if not np.isfinite(list(logs.values())).all():
            raise InputError(
                f"params.yaml: train.lr: expected the loss to stay finite, found {logs['loss']}"
                f" in epoch {epoch + 1}: lower the rate"
            )
        for quantity, key in self.KEYS:
            for split, value in (("training", logs[key]), ("validation", logs[f"val_{key}"])):
                row = {"epoch": epoch + 1, "split": split, "network": self.model.name}
                self.rows[quantity].append(row | {quantity: value})
            self.live.log_plot(quantity, self.rows[quantity], x="epoch", y=quantity)
            self.live.summary[quantity] = logs[f"val_{key}"]
        self.live.make_summary()


def save_network(network: keras.Model, path: Path) -> None:
    """Save a network as .keras, the same bytes for the same weights.

    Keras stamps the archive with the time, in `date_saved` and in the zip entries, and with the
    memory addresses of objects that layers share. Without them DVC sees that a network is
    unchanged and does not rerun what follows.
    """
    with replacing(path) as part:
        network.save(part)
        with zipfile.ZipFile(part) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        metadata = json.loads(contents["metadata.json"]) | {"date_saved": ""}
        contents["metadata.json"] = json.dumps(metadata).encode()
        contents["config.json"] = number_shared_objects(contents["config.json"])
        with zipfile.ZipFile(part, "w") as archive:
            for name, content in contents.items():
                archive.writestr(zipfile.ZipInfo(name), content)


def number_shared_objects(config: bytes) -> bytes:
    """Replace the addresses of shared objects in a network's JSON by 0, 1, ... as they appear."""
    numbers: dict[int, int] = {}

    def renumber(entry: dict) -> dict:
        if "shared_object_id" in entry:
            address = entry["shared_object_id"]
            entry["shared_object_id"] = numbers.setdefault(address, len(numbers))
        return entry

    return json.dumps(json.loads(config, object_hook=renumber)).encode()
