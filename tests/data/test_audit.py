"""What is odd about images and labels is found and told."""

import numpy as np
import pytest

from stages.data.audit import USUAL, are_in, audit, how_images_look, in_words, number_images
from tests.helpers import synthetic


@pytest.fixture
def examples():
    return [*synthetic(40, seed=1), *synthetic(30, seed=2)]


def audited(x, y, x_test, y_test):
    return audit(x, y, x_test, y_test, number_images(np.concatenate([x, x_test])))


def garments(n=50):
    """Noisy images, uint8 (n, 28, 28, 1), whose mean is the usual one."""
    noise = np.random.default_rng(1).normal(0, 20, (n, 28, 28))
    images = np.kron(USUAL, np.ones((4, 4))) + noise
    return images.clip(0, 255).astype(np.uint8)[..., None]


def test_images_have_the_same_number_where_every_pixel_is_the_same():
    images, _ = synthetic(6)
    images[4] = images[1]
    assert number_images(images).tolist() == [0, 1, 2, 3, 1, 4]


def test_nothing_odd_is_told_in_one_line(examples):
    found = audited(*examples)
    assert not any(found.values())
    assert in_words(found) == ["no image has a copy, and none is of one grey"]


def test_copies_are_counted_within_and_across_files_and_with_other_labels(examples):
    x, y, x_test, y_test = examples
    x[7], y[7] = x[2], y[2]
    x[8], y[8] = x[3], (y[3] + 1) % 5
    x_test[4] = x_test[9]
    y_test[4] = y_test[9]
    x_test[5], y_test[5] = x[2], y[2]
    x[11] = 9
    found = audited(x, y, x_test, y_test)
    assert found == {
        "train_copies": 2,
        "test_copies": 1,
        "test_in_train": 1,
        "contradictions": 2,
        "constant": 1,
        "looks": [],
    }
    (line,) = in_words(found)
    assert line.startswith("2 training images are copies of other training images; 1 test")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda x: x, []),
        (lambda x: 255 - x, ["inverted"]),
        (lambda x: x.transpose(0, 2, 1, 3), ["transposed"]),
        (lambda x: x[:, :, ::-1], ["mirrored"]),
        (lambda x: 255 - x[:, ::-1], ["inverted", "upside down"]),
        (lambda x: np.random.default_rng(1).permuted(x, axis=1), []),
        (lambda x: np.full_like(x, 3), []),
    ],
)
def test_how_images_look_beside_the_usual_ones_is_named(change, names):
    assert how_images_look(change(garments())) == names


def test_test_images_that_are_training_images_are_found(examples):
    x, _, x_test, _ = examples
    x_test[[3, 20]] = x[[30, 0]]
    assert np.flatnonzero(are_in(x_test, x)).tolist() == [3, 20]
