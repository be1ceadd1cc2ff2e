"""The plane: principal components, t-SNE, and the tables that are drawn."""

import base64
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages.common.command import InputError
from stages.encoding import pca, scatter, tsne
from tests.helpers import synthetic


def test_pca_finds_the_plane_that_holds_the_variance():
    rng = np.random.default_rng(0)
    points = np.zeros((200, 6), np.float32)
    points[:, 2] = 3 * rng.standard_normal(200)
    points[:, 4] = rng.standard_normal(200)
    coordinates, shares = pca.project(points)
    assert coordinates.shape == (200, 2)
    assert shares.sum() == pytest.approx(1)
    assert abs(np.corrcoef(coordinates[:, 0], points[:, 2])[0, 1]) > 0.99


def test_tsne_repeats_exactly_and_keeps_far_groups_apart():
    rng = np.random.default_rng(0)
    points = rng.standard_normal((60, 8)).astype(np.float32)
    points[:30] += 20
    first, divergence = tsne.project(points, 5, seed=1)
    again, _ = tsne.project(points, 5, seed=1)
    np.testing.assert_array_equal(first, again)
    assert divergence > 0
    gap = np.linalg.norm(first[:30].mean(axis=0) - first[30:].mean(axis=0))
    assert gap > first[:30].std()


def test_tsne_needs_more_images_than_its_perplexity():
    with pytest.raises(InputError, match=r"tsne.perplexity: expected less than the 20 .* found 30"):
        tsne.project(np.zeros((20, 4), np.float32), 30, seed=1)


def test_scatter_joins_by_test_row(workspace):
    n = 200
    labels = (np.arange(n) % 5).astype(np.uint8)
    for name, array in {
        "pca": np.stack([np.arange(n), -np.arange(n)], axis=1).astype(np.float32),
        "tsne": np.zeros((n, 2), np.float32),
        "labels": labels,
        "clusters": labels[::-1],
        "predicted": (labels + 1) % 5,
        "images": synthetic(n)[0],
    }.items():
        np.save(f"{name}.npy", array)
    names = ("pca", "tsne", "labels", "clusters", "predicted", "images")
    scatter.main(*(workspace / f"{name}.npy" for name in names), workspace / "scatter")
    table = pd.read_csv(workspace / "scatter/pca.csv")
    row = table["test_row"]
    assert (table["x"] == row).all()
    assert (table["y"] == -row).all()
    assert (table["label"] == row % 5).all()
    assert (table["cluster"] == (n - 1 - row) % 5).all()
    assert (table["prediction"] == (row + 1) % 5).all()
    for row in (0, len(table) - 1):
        image = synthetic(n)[0][table["test_row"][row]]
        assert table["image"][row] == scatter.to_data_url(image)


def test_a_data_url_holds_the_image_dark_on_white():
    image = np.zeros((28, 28, 1), np.uint8)
    image[3, 7] = 255
    kind, data = scatter.to_data_url(image).split(",")
    assert kind == "data:image/png;base64"
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("L"))
    assert shown.shape == (28 * scatter.SCALE, 28 * scatter.SCALE)
    expected = np.full((28, 28), 255)
    expected[3, 7] = 0
    np.testing.assert_array_equal(shown[:: scatter.SCALE, :: scatter.SCALE], expected)
