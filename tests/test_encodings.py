"""What is said of encodings: which layer, which clusters, which labels are in doubt."""

from stages.encoding import compare_layers
from stages.encoding import density
from stages.encoding import extract_encoding
from stages.encoding import kmeans
from stages.encoding import kmeans_range
from stages.encoding import label_errors
from stages.common.command import InputError
from stages.encoding.clustering import agreement, find_clusters, in_words, silhouette
from stages.common.files import save_array
from stages.common.pictures import MOST_NUMBERED, draw_counts
from stages.networks.training import save_network
from stages.networks.train_default import default_network
from stages.networks.train_improved import improved_network

import numpy as np
import pandas as pd
import pytest
from conftest import synthetic


def clumps(n_clumps, size, seed=0):
    """Points (n, 8) in clumps far from each other, and the clump of each, (n,)."""
    rng = np.random.default_rng(seed)
    numbers = np.repeat(np.arange(n_clumps), size)
    points = 10 * rng.permutation(np.eye(8))[numbers % 8] * (1 + numbers[:, None] // 8)
    return (points + rng.normal(0, 0.3, (len(numbers), 8))).astype(np.float32), numbers


def test_kmeans_finds_groups_that_are_far_apart():
    points, labels = clumps(5, 20)
    clusters = find_clusters(points, 5, n_init=3, seed=1)
    np.testing.assert_array_equal(kmeans.renumber(clusters, labels), labels)
    assert agreement(clusters, labels) == pytest.approx(
        dict.fromkeys(agreement(clusters, labels), 1.0)
    )
    assert silhouette(points, clusters) > 0.9


def test_more_clusters_than_images_is_one_clear_line():
    with pytest.raises(
        InputError, match=r"at least 5 images, one a cluster, found 4: lower kmeans.n_clusters"
    ):
        find_clusters(np.zeros((4, 2)), 5, n_init=1, seed=1)


def test_a_network_that_encodes_all_images_alike_is_one_clear_line(workspace):
    network = improved_network(8)
    network.set_weights([np.zeros_like(weights) for weights in network.get_weights()])
    save_network(network, workspace / "dead.keras")
    save_array(workspace / "x.npy", synthetic(20)[0])
    paths = ("x.npy", "x.npy", "dead.keras", "encoding")
    with pytest.raises(InputError, match=r"dead.keras: layer encoding: expected encodings that di"):
        extract_encoding.main(*(workspace / path for path in paths))
    assert not (workspace / "encoding").exists()


def test_agreement_gives_the_figures_of_a_known_case():
    scores = agreement(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 0, 1, 1]))
    assert scores["homogeneity"] == pytest.approx(1)
    assert scores["completeness"] == pytest.approx((np.log(3) - 2 / 3 * np.log(2)) / np.log(3))
    assert scores["adjusted_rand_index"] == pytest.approx(4 / 9)


def test_silhouette_is_null_where_every_image_is_in_one_cluster():
    assert silhouette(np.zeros((4, 2)), np.zeros(4)) is None


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (0.95, " better than"),
        (0.88, " as well as"),
        (0.8, "nearly as well"),
        (0.5, "less well"),
        (0.01, "hardly at all"),
    ],
)
def test_words_for_an_agreement_depend_on_what_the_predictions_reach(index, words):
    assert words in in_words(index, 0.9)


def test_the_pixels_themselves_keep_all_detail_and_the_label_alone_none():
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 5
    hidden = rng.normal(size=(400, 6))
    images = 100 + 10 * (hidden @ rng.normal(size=(6, 784)) + 5 * labels[:, None])
    images = images.reshape(-1, 28, 28, 1)
    detail = compare_layers.detail
    assert detail(hidden, images, labels, seed=1) > 0.99
    assert detail(images.reshape(400, -1), images, labels, seed=1) > 0.99
    only_labels = np.eye(5)[labels] + rng.normal(0, 1e-3, (400, 5))
    assert abs(detail(only_labels, images, labels, seed=1)) < 0.05
    assert detail(rng.normal(size=(400, 6)), images, labels, seed=1) < 0.05
    assert 0.3 < detail(hidden[:, :3], images, labels, seed=1) < 0.7


def test_the_best_layer_is_an_inner_one():
    scores = {"dense": 0.5, "encoding": 0.8, "probabilities": 0.9}
    figures = {layer: {"adjusted_rand_index": index} for layer, index in scores.items()}
    assert compare_layers.best_layer(figures) == "encoding"


def test_every_layer_compared_is_one_of_the_networks():
    for network in (default_network(), improved_network(4)):
        assert set(compare_layers.LAYERS[network.name]) <= {layer.name for layer in network.layers}


def test_each_layer_has_its_figures_and_its_place_in_the_picture():
    images, labels = synthetic(60)
    encodings = images.reshape(60, -1)[:, :300]
    scores = compare_layers.assess(encodings, images, labels, seed=1)
    assert scores["size"] == 300
    assert set(scores) > {"adjusted_rand_index", "silhouette", "detail"}
    figure = compare_layers.draw({"default": {"dense": scores}, "improved": {"encoding": scores}})
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == ["dense (300)", "encoding (300)"]


@pytest.mark.parametrize("n", [3, 5, 7])
def test_the_range_of_clusters_finds_how_many_clumps_there_are(n):
    points, numbers = clumps(n, 30)
    scores = {
        k: kmeans_range.assess(points, points, numbers, k, (3, 1)) for k in kmeans_range.N_CLUSTERS
    }
    assert kmeans_range.best_number(scores) == n
    relation = {3: "fewer than", 5: "as many as", 7: "more than"}[n]
    assert f"suggest {n} clusters, {relation} there are labels" in kmeans_range.say(scores, 5, 1.0)


def test_the_number_of_clusters_is_chosen_on_validation_encodings():
    valid, _ = clumps(4, 30)
    test, numbers = clumps(6, 30)
    scores = {
        k: kmeans_range.assess(valid, test, numbers, k, (3, 1)) for k in kmeans_range.N_CLUSTERS
    }
    assert kmeans_range.best_number(scores) == 4


def test_density_finds_clumps_and_leaves_what_lies_between_them_out():
    points, numbers = clumps(4, 50)
    far = np.random.default_rng(1).uniform(-40, 40, (10, 8)).astype(np.float32)
    clusters = density.find_dense(np.concatenate([points, far]), 0.05)
    assert density.count(clusters) == 4
    assert agreement(clusters[:200], numbers)["adjusted_rand_index"] > 0.99
    assert (clusters[200:] == density.OUTSIDE).all()


@pytest.mark.parametrize(
    ("numbers", "chosen"),
    [
        ((9, 5, 5, 5, 3, 3, 1, 1), 0.01),  # the longest run
        ((9, 9, 5, 5, 3, 3, 1, 1), 0.0025),  # of equally long ones, more clusters
        ((6, 5, 4, 3, 0, 0, 0, 0), 0.0025),  # none is no clustering
        ((0, 0, 0, 0, 0, 0, 0, 0), 0.015),  # but may be all there is
    ],
)
def test_the_least_size_of_a_dense_cluster_is_one_that_matters_little(numbers, chosen):
    counts = dict(zip(density.SHARES, numbers, strict=True))
    assert density.choose_share(counts) == chosen


def test_purity_counts_images_in_clusters_alone():
    labels = np.array([0, 0, 1, 1, 1])
    assert density.purity(labels, np.array([0, 0, 0, 1, -1])) == 0.75
    assert density.purity(labels, np.full(5, density.OUTSIDE)) is None


def test_one_cloud_is_called_one_cloud():
    assert "one cloud" in density.say({"clusters": 0}, 0.9)


def test_planted_errors_are_found_where_neighbours_share_their_label():
    known, known_labels = clumps(5, 100, seed=0)
    points, labels = clumps(5, 100, seed=0)
    rows, cosines = label_errors.find_neighbors(known, points + 0.1, 20)
    assert rows.shape == cosines.shape == (500, 20)
    assert (label_errors.suspicion(labels, known_labels[rows], cosines) == 0).all()
    changed, planted = label_errors.plant(labels, seed=1)
    assert planted.sum() == 5
    assert ((changed != labels) == planted).all()
    suspicions = label_errors.suspicion(changed, known_labels[rows], cosines)
    trial = label_errors.try_out(suspicions, planted)
    assert trial == {"planted": 5, "found": 1.0, "by_chance": 0.05, "auc": 1.0}


def test_suspicions_at_random_find_planted_errors_no_more_often_than_chance():
    rng = np.random.default_rng(0)
    trial = label_errors.try_out(rng.random(10_000), rng.random(10_000) < 0.2)
    assert trial["found"] == pytest.approx(trial["by_chance"], abs=0.01)
    assert trial["auc"] == pytest.approx(0.5, abs=0.02)


def test_a_near_neighbour_counts_more_than_a_far_one():
    labels = np.array([0, 0])
    neighbors = np.array([[1, 0], [0, 1]])
    cosines = np.array([[0.9, 0.1], [0.9, 0.1]])
    np.testing.assert_allclose(label_errors.suspicion(labels, neighbors, cosines), [0.9, 0.1])


def test_each_suspect_is_drawn_before_its_neighbours():
    images, labels = synthetic(30)
    near = np.arange(14).reshape(2, 7)
    figure = label_errors.draw(images[:2], ["first", "second"], images[near], labels[near])
    captions = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert captions[0] == "first"
    assert captions[8] == "second"
    assert captions[1:8] == [f"label {label}\nvalidation" for label in labels[:7]]


@pytest.mark.parametrize("n", [MOST_NUMBERED, MOST_NUMBERED + 1])
def test_a_heat_map_of_many_clusters_has_room_for_what_is_written_on_it(n):
    clusters = pd.RangeIndex(n, name="cluster")
    counts = pd.DataFrame(1_000, index=pd.RangeIndex(5, name="label"), columns=clusters)
    ax = draw_counts("", counts, "").axes[0]
    numbered = n == MOST_NUMBERED
    assert len(ax.texts) == (5 * n if numbered else 0)
    assert len(ax.get_xticks()) == (n if numbered else 4)
