"""ROC, precision and recall of each label, and calibration."""

import numpy as np
import pytest

from stages.networks import curves


def guesses(n, strength, seed=0):
    """Labels (n,), and probabilities (n, 5) that favour them the more, the stronger."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, n)
    scores = rng.normal(size=(n, 5)) + strength * np.eye(5)[labels]
    return labels, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)


def test_perfect_scores_have_areas_of_one_and_scores_by_chance_half_and_the_labels_fraction():
    labels, by_chance = guesses(5_000, 0)
    areas = curves.judge("areas", {"right": np.eye(5)[labels], "chance": by_chance}, labels)
    areas = areas.groupby("network").mean()
    assert areas.loc["right", ["auc", "average_precision"]].tolist() == [1, 1]
    assert areas.loc["chance", "auc"] == pytest.approx(0.5, abs=0.02)
    assert areas.loc["chance", "average_precision"] == pytest.approx(0.2, abs=0.03)


@pytest.mark.parametrize(
    ("name", "area"), [("roc", "auc"), ("precision_recall", "average_precision")]
)
def test_a_thinned_curve_has_few_points_both_ends_and_the_area_of_the_whole(name, area):
    labels, probabilities = guesses(20_000, 2)
    points = curves.judge(name, {"default": probabilities}, labels)
    areas = curves.judge("areas", {"default": probabilities}, labels)[area]
    for (_, of_label), whole in zip(points.groupby("label"), areas, strict=True):
        x, y = of_label.iloc[:, 2:].to_numpy().T
        assert 50 < len(x) <= curves.MOST_POINTS
        assert (x[0], x[-1]) == (0, 1)
        assert (np.diff(x) >= 0).all()
        assert np.trapezoid(y, x) == pytest.approx(whole, abs=0.005)


@pytest.mark.parametrize("present", [[0, 1, 2, 3], [2]])
def test_a_label_that_no_test_image_has_or_every_one_has_a_row_without_figures(present):
    labels, probabilities = guesses(300, 1)
    kept = np.isin(labels, present)
    networks = {"default": probabilities[kept], "improved": probabilities[kept]}
    for name in curves.TABLES:
        table = curves.judge(name, networks, labels[kept])
        assert table["network"].unique().tolist() == ["default", "improved"]
        drawn = table.dropna()["label"].unique().tolist()
        assert drawn == (present if len(present) > 1 else [])
        assert sorted(table["label"].unique()) == [0, 1, 2, 3, 4]


def test_calibration_is_as_counted_by_hand():
    confidence = np.array([0.4, 0.4, 0.41, 0.9, 0.92])  # 6/15 ends the first bin of these
    probabilities = np.c_[confidence, np.outer(1 - confidence, [0.25] * 4)]
    labels = np.array([0, 1, 1, 0, 0])
    bins = curves.bin_confidence(probabilities, labels)
    assert bins["images"].tolist() == [2, 1, 2]
    assert bins["accuracy"].tolist() == [0.5, 0, 1]
    np.testing.assert_allclose(bins["confidence"], [0.4, 0.41, 0.91])
    figures = curves.calibrate(bins)
    assert figures["calibration_error"] == pytest.approx((2 * 0.1 + 0.41 + 2 * 0.09) / 5)
    assert figures["confidence"] == pytest.approx(confidence.mean())
    assert figures["accuracy"] == pytest.approx(0.6)


def test_labels_drawn_from_the_probabilities_are_well_calibrated():
    _, probabilities = guesses(20_000, 0)
    drawn = (probabilities.cumsum(axis=1) < np.random.default_rng(1).random((20_000, 1))).sum(
        axis=1
    )
    figures = curves.calibrate(curves.bin_confidence(probabilities, drawn))
    assert figures["calibration_error"] < 0.02
