"""Image statistics, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from stages.meaning.statistics import INK, measure
from tests.helpers import synthetic


def blank(*boxes):
    """An image, uint8 (1, 28, 28, 1), white in boxes of (top, bottom, left, right)."""
    image = np.zeros((1, 28, 28, 1), np.uint8)
    for top, bottom, left, right in boxes:
        image[0, top:bottom, left:right] = 255
    return image


def test_statistics_of_a_box_are_those_counted_by_hand():
    found = measure(blank((4, 10, 2, 14))).iloc[0]
    assert found["brightness"] == pytest.approx(72 / 784)
    assert found["inked_area"] == pytest.approx(72 / 784)
    assert found["ink_brightness"] == pytest.approx(1)
    assert (found["width"], found["height"]) == (12, 6)
    assert (found["center_x"], found["center_y"]) == pytest.approx((7.5, 6.5))
    assert found["contrast"] == pytest.approx(np.sqrt(72 / 784 * (1 - 72 / 784)))
    assert found["texture"] == pytest.approx((2 * 12 + 2 * 6) / (2 * 784))
    assert found["stripes_across"] == pytest.approx(2 * 12 / (2 * 12 + 2 * 6))


def test_symmetry_is_what_an_image_shares_with_its_mirror_image():
    both = measure(blank((4, 10, 4, 24))).iloc[0]
    assert both["left_right_symmetry"] == pytest.approx(1)
    assert both["top_bottom_symmetry"] == pytest.approx(0)
    half = measure(blank((9, 19, 4, 14), (9, 19, 14, 19))).iloc[0]
    assert half["left_right_symmetry"] == pytest.approx(100 / 150)
    assert half["top_bottom_symmetry"] == pytest.approx(1)


def test_faint_pixels_are_no_ink():
    image = blank((4, 10, 2, 14))
    image[0, 25, 25] = INK
    found = measure(image).iloc[0]
    assert (found["width"], found["height"]) == (12, 6)
    assert found["inked_area"] == pytest.approx(72 / 784)


def test_an_empty_image_has_statistics_of_0():
    found = measure(np.zeros((2, 28, 28, 1), np.uint8))
    assert np.isfinite(found.to_numpy()).all()
    assert (found.drop(columns=["left_right_symmetry", "top_bottom_symmetry"]) == 0).all(axis=None)


def test_statistics_are_the_same_in_chunks(monkeypatch):
    images, _ = synthetic(25)
    whole = measure(images)
    monkeypatch.setattr("stages.meaning.statistics.CHUNK", 10)
    pd.testing.assert_frame_equal(measure(images), whole)
