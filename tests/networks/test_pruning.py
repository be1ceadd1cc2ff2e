"""Leaving easy images out: which are left out, what the others count, and that losses are kept."""

import numpy as np
import pytest

from stages.networks.backend import keras
from stages.networks.pruning import EASY, Trainer, draw_epoch
from tests.helpers import synthetic

LOSSES = np.random.default_rng(0).permutation(1_000) / 100


def draw(losses, pruned, seed=1):
    return draw_epoch(losses, pruned, np.random.default_rng(seed))


def test_hard_images_are_all_there_once_and_easy_ones_count_for_those_left_out():
    rows, weights = draw(LOSSES, 0.5)
    assert len(rows) == len(set(rows)) == 500
    hard = np.flatnonzero(LOSSES >= 10 * EASY)
    assert set(hard) <= set(rows)
    is_hard = np.isin(rows, hard)
    assert (weights[is_hard] == 1).all()
    np.testing.assert_allclose(weights[~is_hard], 3)  # 250 of 750 are there
    assert weights.sum() == pytest.approx(1_000)


def test_every_easy_image_has_its_turn():
    seen = {row for seed in range(40) for row in draw(LOSSES, 0.5, seed)[0]}
    assert len(seen) == 1_000


def test_nothing_is_left_out_unless_asked_for():
    rows, weights = draw(LOSSES, 0)
    assert sorted(rows) == list(range(1_000))
    assert (weights == 1).all()


def test_the_first_epoch_is_a_random_part_and_the_second_has_all_that_were_not_in_it():
    losses = np.full(1_000, np.inf)
    first, weights = draw(losses, 0.5)
    assert len(set(first)) == 500
    assert (weights == 1).all()
    losses[first] = 1
    unseen = np.setdiff1d(np.arange(1_000), first)
    second, _ = draw(losses, 0.4)
    hardest = unseen[np.argsort(unseen)][250:]
    assert set(hardest) <= set(second)


def test_training_keeps_the_last_loss_of_each_row_and_weighs_images(network):
    images, labels = synthetic(20)
    one_hot = keras.utils.to_categorical(labels, 5)
    loss = keras.losses.CategoricalCrossentropy(reduction=None)
    trainer = Trainer(network, loss, 30)
    trainer.compile(keras.optimizers.SGD(0.0))
    rows, weights = np.arange(5, 25), np.linspace(0, 2, 20).astype(np.float32)
    history = trainer.fit((images, rows), one_hot, sample_weight=weights, batch_size=20, verbose=0)
    expected = np.asarray(loss(one_hot, network.predict(images, verbose=0)))
    kept = trainer.last_losses.numpy()
    np.testing.assert_allclose(kept[rows], expected, rtol=1e-4)
    assert np.isinf(np.delete(kept, rows)).all()
    assert history.history["loss"][0] == pytest.approx((expected * weights).mean(), rel=1e-4)


def test_validation_leaves_the_losses_of_training_alone(network):
    images, labels = synthetic(20)
    trainer = Trainer(network, keras.losses.CategoricalCrossentropy(reduction=None), 30)
    trainer.compile(keras.optimizers.SGD(0.0))
    trainer.evaluate(images, keras.utils.to_categorical(labels, 5), verbose=0)
    assert np.isinf(trainer.last_losses.numpy()).all()
