"""Muon: steps with equal singular values, for the kernels of convolutions alone."""

import numpy as np
import pytest

from stages.networks.backend import keras
from stages.networks.muon import Muon, orthogonalise


def variable(*shape):
    return keras.Variable(np.random.default_rng(1).normal(size=shape).astype(np.float32))


def test_a_matrix_becomes_nearly_orthogonal_and_keeps_its_directions():
    rng = np.random.default_rng(0)
    matrix = (rng.normal(size=(72, 8)) * np.linspace(1, 3, 8)).astype(np.float32)
    found = np.asarray(orthogonalise(matrix))
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    inside = left.T @ found @ right.T
    singular = np.linalg.svd(found, compute_uv=False)
    assert singular.min() > 0.5
    assert singular.max() < 1.3
    np.testing.assert_allclose(inside, np.diag(np.diag(inside)), atol=1e-4)


def test_a_kernels_step_has_the_size_asked_for_whatever_the_gradients():
    steps = []
    for scale in (1e-3, 1e3):
        kernel = variable(3, 3, 4, 8)
        before = np.asarray(kernel)
        optimizer = Muon(0.1, kernel_rate=0.5, momentum=0.9)
        optimizer.build([kernel])
        optimizer.apply([scale * np.ones((3, 3, 4, 8), np.float32) + before], [kernel])
        steps.append((before - np.asarray(kernel)).reshape(36, 8))
    for step in steps:
        assert np.linalg.svd(step, compute_uv=False).max() == pytest.approx(0.05, rel=0.3)


@pytest.mark.parametrize("shape", [(8,), (8, 5), (3, 3, 1, 8)])
def test_all_else_takes_the_steps_of_nesterov_sgd(shape):
    ours, theirs = variable(*shape), variable(*shape)
    muon = Muon(0.1, kernel_rate=0.5, momentum=0.9, weight_decay=0.01)
    sgd = keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    rng = np.random.default_rng(2)
    for _ in range(3):
        gradient = rng.normal(size=shape).astype(np.float32)
        muon.apply([gradient], [ours])
        sgd.apply([gradient], [theirs])
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_a_kernel_rate_of_0_is_plain_sgd():
    ours, theirs = variable(3, 3, 4, 8), variable(3, 3, 4, 8)
    gradient = np.asarray(variable(3, 3, 4, 8))
    Muon(0.1, kernel_rate=0, momentum=0.9).apply([gradient], [ours])
    keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True).apply([gradient], [theirs])
    np.testing.assert_array_equal(np.asarray(ours), np.asarray(theirs))


def test_without_momentum_a_kernels_step_is_of_the_gradient_alone():
    kernel = variable(3, 3, 4, 8)
    before, gradient = np.asarray(kernel), np.random.default_rng(3).normal(size=(3, 3, 4, 8))
    optimizer = Muon(0.1, kernel_rate=1.0, momentum=0.0)
    for _ in range(2):
        kernel.assign(before)
        optimizer.apply([gradient.astype(np.float32)], [kernel])
        expected = np.asarray(orthogonalise(gradient.reshape(36, 8).astype(np.float32)))
        step = (before - np.asarray(kernel)).reshape(36, 8)
        np.testing.assert_allclose(step, 0.1 * expected, atol=1e-6)
