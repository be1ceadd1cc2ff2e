"""Scores, comparisons and mistakes on the test set."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from stages.networks import evaluate, scoring
from tests.helpers import captions_of, synthetic


def confident(labels, fraction=0.9):
    """Probabilities (n, 5) that give each image its label."""
    probabilities = np.full((len(labels), 5), (1 - fraction) / 4)
    probabilities[np.arange(len(labels)), labels] = fraction
    return probabilities


def test_score_gives_the_figures_counted_by_hand():
    labels = np.array([0] * 6 + [1] * 4)
    predicted = np.array([0, 0, 0, 0, 0, 1, 1, 1, 0, 0])
    scores = scoring.score(confident(predicted), labels)
    assert scores["accuracy"] == pytest.approx(0.7)
    # Wilson's interval for 7 of 10, as tabulated.
    assert scores["ci_low"] == pytest.approx(0.3968, abs=1e-4)
    assert scores["ci_high"] == pytest.approx(0.8922, abs=1e-4)
    assert scores["loss"] == pytest.approx(-0.7 * np.log(0.9) - 0.3 * np.log(0.025))
    assert scores["macro_f1"] == pytest.approx((10 / 13 + 4 / 7) / 2)
    assert scores["ari"] == pytest.approx(adjusted_rand_score(labels, predicted))
    by_label = scoring.score_labels(predicted, labels).set_index("label")
    assert by_label["precision"][:2].tolist() == pytest.approx([5 / 7, 2 / 3])
    assert by_label["recall"][:2].tolist() == pytest.approx([5 / 6, 1 / 2])
    assert by_label["f1"][:2].tolist() == pytest.approx([10 / 13, 4 / 7])
    assert by_label[2:].isna().all(axis=None)  # labels without images have no scores


def test_mcnemar_counts_only_images_on_which_the_networks_differ():
    labels = np.zeros(100, int)
    default, improved = labels.copy(), labels.copy()
    default[:9] = 1
    improved[8:10] = 1
    result = scoring.compare(improved, default, labels)
    assert (result["only_this_right"], result["only_rival_right"]) == (8, 1)
    assert result["accuracy_gain"] == pytest.approx(0.07)
    assert result["mcnemar_p"] == pytest.approx(2 * (1 + 9) / 2**9)
    assert scoring.verdict(result) == "better"
    assert scoring.verdict(scoring.compare(default, improved, labels)) == "worse"


def test_networks_that_agree_everywhere_are_not_told_apart():
    labels = np.arange(5)
    result = scoring.compare(labels, labels, labels)
    assert result["mcnemar_p"] == 1
    assert scoring.verdict(result) == "unclear"


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
    assert len(set(evaluate.TTA_VIEWS)) == 6
    assert evaluate.TTA_VIEWS[:2] == [(False, (0, 0)), (True, (0, 0))]


def test_the_majority_baseline_gives_the_fractions_of_training():
    probabilities = evaluate.majority_probabilities(np.array([0, 2, 2, 2], np.uint8), 3)
    np.testing.assert_allclose(probabilities, [[0.25, 0, 0.75, 0, 0]] * 3)


def test_logistic_regression_learns_what_is_linear():
    images, labels = synthetic(200)
    test_images, test_labels = synthetic(50, seed=1)
    probabilities = evaluate.logistic_probabilities(images, labels, test_images)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    assert (probabilities.argmax(axis=1) == test_labels).mean() > 0.9


def test_the_confusion_table_has_a_row_for_every_pair_of_labels():
    table = scoring.count_confusion(np.array([0, 0, 1]), np.array([0, 3, 1]))
    assert len(table) == 25
    counts = table.set_index(["actual", "predicted"])["count"]
    assert counts[0, 0] == counts[0, 3] == counts[1, 1] == 1
    assert counts.sum() == 3


@pytest.mark.parametrize("mistakes", [0, 1, 20])
def test_mistakes_are_drawn_most_confident_first_and_no_more_than_there_are(mistakes):
    images, labels = synthetic(20)
    share = np.linspace(0.3, 0.9, 20)[:, None]
    predicted = labels.copy()
    predicted[:mistakes] = (labels[:mistakes] + 1) % 5
    probabilities = share * np.eye(5)[predicted] + (1 - share) / 5
    figure = evaluate.draw_mistakes("title", images, labels, probabilities, 10)
    titles = captions_of(figure)
    assert len(titles) == min(mistakes, 10)
    if mistakes == 20:
        assert [int(title.split("row ")[1]) for title in titles] == list(range(19, 9, -1))


def test_accuracy_without_images_that_are_in_training_counts_the_others_alone():
    labels, unseen = np.array([0, 1, 2, 3]), np.array([True, False, True, False])
    predicted = {"default": np.array([0, 1, 1, 3]), "improved": labels}
    table = scoring.score_unseen(predicted, labels, unseen)
    assert table["accuracy"].tolist() == [0.5, 1.0]
    assert table["images"].tolist() == [2, 2]
    assert scoring.score_unseen(predicted, labels, np.zeros(4, bool))["accuracy"].isna().all()
