"""Clusters: found, counted, and compared with the labels."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from stages.common.command import InputError
from stages.encoding import density, kmeans, kmeans_range
from stages.encoding.clustering import (
    agreement,
    best_number,
    find_clusters,
    in_words,
    silhouette,
)
from tests.helpers import clumps


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


def assess_range(valid, test, labels):
    """The scores of every number of clusters, a row each."""
    return pd.DataFrame(
        {"n_clusters": n} | kmeans_range.assess(valid, test, labels, n, (3, 1))
        for n in kmeans_range.N_CLUSTERS
    )


@pytest.mark.parametrize("n", [3, 5, 7])
def test_the_range_of_clusters_finds_how_many_clumps_there_are(n):
    points, numbers = clumps(n, 30)
    scores = assess_range(points, points, numbers)
    assert best_number(scores) == n
    relation = {3: "fewer than", 5: "as many as", 7: "more than"}[n]
    assert f"suggest {n} clusters, {relation} there are labels" in kmeans_range.say(scores, 5, 1.0)


def test_the_number_of_clusters_is_chosen_on_validation_encodings():
    valid, _ = clumps(4, 30)
    test, numbers = clumps(6, 30)
    assert best_number(assess_range(valid, test, numbers)) == 4


def test_numbers_of_clusters_without_a_silhouette_are_never_the_best():
    scores = pd.DataFrame({"n_clusters": [2, 3, 4], "valid_silhouette": [np.nan, -0.5, np.nan]})
    assert best_number(scores) == 3


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
    counts = dict(zip(density.FRACTIONS, numbers, strict=True))
    assert density.choose_fraction(counts) == chosen


def test_purity_counts_images_in_clusters_alone():
    labels = np.array([0, 0, 1, 1, 1])
    assert density.purity(labels, np.array([0, 0, 0, 1, -1])) == 0.75
    assert density.purity(labels, np.full(5, density.OUTSIDE)) is None


def test_one_cloud_is_called_one_cloud():
    assert "one cloud" in density.say({"clusters": 0}, 0.9)
