import base64
import io

from stages.networks import evaluate
from stages.encoding import image_grids
from stages.encoding import kmeans
from stages.encoding import pca
from stages.encoding import scatter
from stages.encoding import tsne
from stages.common.command import InputError
from stages.networks.backend import keras
from stages.encoding.layers import encode

import numpy as np
import pandas as pd
import pytest
from conftest import synthetic
from PIL import Image
from sklearn.metrics import adjusted_rand_score

NOT_THERE = dict.fromkeys("234")  # labels without images have no scores


def confident(labels, share=0.9):
    """Probabilities (n, 5) that give each image its label."""
    probabilities = np.full((len(labels), 5), (1 - share) / 4)
    probabilities[np.arange(len(labels)), labels] = share
    return probabilities


def test_score_gives_the_figures_counted_by_hand():
    labels = np.array([0] * 6 + [1] * 4)
    predicted = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 0])
    scores = evaluate.score(confident(predicted), labels)
    assert scores["accuracy"] == pytest.approx(0.7)
    # Wilson's interval for 7 of 10, as tabulated.
    assert scores["accuracy_low"] == pytest.approx(0.3968, abs=1e-4)
    assert scores["accuracy_high"] == pytest.approx(0.8922, abs=1e-4)
    assert scores["loss"] == pytest.approx(-0.7 * np.log(0.9) - 0.3 * np.log(0.025))
    assert scores["precision"] == pytest.approx({"0": 5 / 7, "1": 2 / 3} | NOT_THERE)
    assert scores["recall"] == pytest.approx({"0": 5 / 6, "1": 1 / 2} | NOT_THERE)
    assert scores["f1"] == pytest.approx({"0": 10 / 13, "1": 4 / 7} | NOT_THERE)
    assert scores["macro_f1"] == pytest.approx((10 / 13 + 4 / 7) / 2)


def test_mcnemar_counts_only_images_on_which_the_networks_differ():
    labels = np.zeros(100, int)
    default, improved = labels.copy(), labels.copy()
    default[:9] = 1
    improved[8:10] = 1
    result = evaluate.compare(default, improved, labels)
    assert (result["only_improved_right"], result["only_default_right"]) == (8, 1)
    assert result["accuracy_gain"] == pytest.approx(0.07)
    assert result["mcnemar_p"] == pytest.approx(2 * (1 + 9) / 2**9)


def test_networks_that_agree_everywhere_are_not_told_apart():
    labels = np.arange(5)
    assert evaluate.compare(labels, labels, labels)["mcnemar_p"] == 1


def test_predictions_are_timed_and_are_the_networks_probabilities(network):
    images, _ = synthetic(10)
    probabilities, seconds = evaluate.predict(network, images, 1)
    np.testing.assert_allclose(probabilities, network.predict(images, verbose=0), rtol=1e-5)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert seconds > 0


def test_two_views_are_the_mean_of_an_image_and_its_mirror(network):
    images, _ = synthetic(30)
    probabilities, _ = evaluate.predict(network, images, 2)
    both = [network.predict(x, verbose=0) for x in (images, images[:, :, ::-1])]
    np.testing.assert_allclose(probabilities, np.mean(both, axis=0), rtol=1e-5)


def test_six_views_are_six_different_pictures():
    assert len(set(evaluate.VIEWS)) == 6
    assert evaluate.VIEWS[:2] == [(False, (0, 0)), (True, (0, 0))]


def test_the_majority_baseline_gives_the_shares_of_training():
    probabilities = evaluate.majority_probabilities(np.array([0, 2, 2, 2], np.uint8), 3)
    np.testing.assert_allclose(probabilities, [[0.25, 0, 0.75, 0, 0]] * 3)


def test_logistic_regression_learns_what_is_linear():
    images, labels = synthetic(200)
    test_images, test_labels = synthetic(50, seed=1)
    probabilities = evaluate.logistic_probabilities(images, labels, test_images)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert (probabilities.argmax(axis=1) == test_labels).mean() > 0.9


def test_the_confusion_table_has_a_row_for_every_pair_of_labels():
    table = evaluate.count_confusion(np.array([0, 0, 1]), np.array([0, 3, 1]))
    assert len(table) == 25
    counts = table.set_index(["actual", "predicted"])["count"]
    assert counts[0, 0] == counts[0, 3] == counts[1, 1] == 1
    assert counts.sum() == 3


@pytest.mark.parametrize("mistakes", [0, 1, 20])
def test_mistakes_are_drawn_surest_first_and_no_more_than_there_are(mistakes):
    images, labels = synthetic(20)
    share = np.linspace(0.3, 0.9, 20)[:, None]
    predicted = labels.copy()
    predicted[:mistakes] = (labels[:mistakes] + 1) % 5
    probabilities = share * np.eye(5)[predicted] + (1 - share) / 5
    figure = evaluate.draw_mistakes("title", images, labels, probabilities, 10)
    titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert len(titles) == min(mistakes, 10)
    if mistakes == 20:
        assert [int(title.split("row ")[1]) for title in titles] == list(range(19, 9, -1))


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(1)
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Rescaling(1 / 255, name="rescale"),
            layers.Conv2D(3, 3, activation="relu", name="features"),
            layers.GlobalMaxPooling2D(name="encoding"),
            layers.Dense(5, activation="softmax", name="probabilities"),
        ]
    )


def test_an_encoding_is_the_output_of_the_named_layer(network):
    images, _ = synthetic(10)
    encodings, predicted = encode(network, "encoding", images)
    expected = images
    for layer in network.layers[:3]:
        expected = layer(expected)
    np.testing.assert_allclose(encodings, expected, rtol=1e-5)
    assert encodings.dtype == np.float32
    np.testing.assert_array_equal(predicted, network.predict(images, verbose=0).argmax(axis=1))


def test_a_layer_with_places_is_flattened(network):
    images, _ = synthetic(4)
    assert encode(network, "features", images)[0].shape == (4, 26 * 26 * 3)


def test_an_unknown_layer_is_one_line_with_the_known_ones(network):
    with pytest.raises(InputError, match=r"expected one of rescale, .*encoding.*, found wrong"):
        encode(network, "wrong", synthetic(1)[0])


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


@pytest.mark.parametrize("n_clusters", [2, 5, 8])
def test_renumbering_clusters_changes_no_index(n_clusters):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, 300)
    clusters = np.where(rng.random(300) < 0.7, (labels + 2) % n_clusters, 0)
    clusters[:n_clusters] = range(n_clusters)
    renumbered = kmeans.renumber(clusters, labels)
    assert adjusted_rand_score(clusters, renumbered) == 1
    assert adjusted_rand_score(clusters, labels) == adjusted_rand_score(renumbered, labels)
    if n_clusters >= 5:
        assert set(renumbered) == set(range(n_clusters))
        assert (renumbered == labels).mean() > 0.6


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


def test_a_grid_shows_images_of_its_group_alone_with_label_and_row():
    images, labels = synthetic(50)
    rows = np.flatnonzero(labels == 3)
    figure = image_grids.draw_group("title", images, labels, rows, n=6, seed=1)
    captions = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert captions[0] == "mean of 10"
    shown = [int(caption.split("row ")[1]) for caption in captions[1:]]
    assert len(shown) == 6
    assert set(shown) <= set(rows)
    assert all(caption.startswith("label 3\n") for caption in captions[1:])


def test_grids_are_the_same_bytes_again(workspace):
    images, labels = synthetic(50)
    for name, array in {"x": images, "y": labels, "clusters": labels % 2}.items():
        np.save(f"{name}.npy", array)
    paths = [workspace / f"{name}.npy" for name in ("x", "y", "clusters")]
    for folder in ("a", "b"):
        image_grids.main(*paths, workspace / folder)
    names = sorted(path.name for path in (workspace / "a").iterdir())
    assert names == ["cluster_0.png", "cluster_1.png", *(f"label_{n}.png" for n in range(5))]
    for name in names:
        assert (workspace / "a" / name).read_bytes() == (workspace / "b" / name).read_bytes()
