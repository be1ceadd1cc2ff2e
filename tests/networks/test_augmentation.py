"""Shifts, mirror images and erased squares."""

import numpy as np

from stages.networks.augmentation import erase, mirror, shift
from tests.helpers import synthetic


def test_shift_moves_an_image_down_and_right_and_fills_with_background():
    images, _ = synthetic(3)
    moved = shift(images, np.array([[0, 0], [2, 1], [-1, -2]]))
    np.testing.assert_array_equal(moved[0], images[0])
    np.testing.assert_array_equal(moved[1, 2:, 1:], images[1, :-2, :-1])
    np.testing.assert_array_equal(moved[2, :-1, :-2], images[2, 1:, 2:])
    assert not moved[1, :2].any()
    assert not moved[2, :, -2:].any()


def test_no_shift_changes_nothing():
    images, _ = synthetic(3)
    np.testing.assert_array_equal(shift(images, np.zeros((3, 2), int)), images)


def test_mirror_mirrors_the_chosen_images_left_to_right():
    images, _ = synthetic(2)
    mirrored = mirror(images, np.array([False, True]))
    np.testing.assert_array_equal(mirrored[0], images[0])
    np.testing.assert_array_equal(mirrored[1, :, ::-1], images[1])


def test_erase_blanks_a_square_also_where_it_sticks_out_and_nothing_else():
    images = np.full((3, 28, 28, 1), 9, np.uint8)
    erased = erase(images, np.array([[5, 20], [-2, -3], [26, 0]]), 4)
    assert erased.dtype == np.uint8
    assert not erased[0, 5:9, 20:24].any()
    assert not erased[1, :2, :1].any()
    assert not erased[2, 26:, :4].any()
    assert (erased == 0).sum(axis=(1, 2, 3)).tolist() == [16, 2, 8]


def test_erasing_no_pixels_changes_nothing():
    images, _ = synthetic(3)
    np.testing.assert_array_equal(erase(images, np.zeros((3, 2), int), 0), images)
