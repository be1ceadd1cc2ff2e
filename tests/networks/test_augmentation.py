"""Shifts, horizontal flips and cutout."""

import numpy as np

from stages.networks.augmentation import cutout, hflip, shift
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


def test_hflip_flips_the_chosen_images_left_to_right():
    images, _ = synthetic(2)
    flipped = hflip(images, np.array([False, True]))
    np.testing.assert_array_equal(flipped[0], images[0])
    np.testing.assert_array_equal(flipped[1, :, ::-1], images[1])


def test_cutout_blanks_a_square_also_where_it_sticks_out_and_nothing_else():
    images = np.full((3, 28, 28, 1), 9, np.uint8)
    cut = cutout(images, np.array([[5, 20], [-2, -3], [26, 0]]), 4)
    assert cut.dtype == np.uint8
    assert not cut[0, 5:9, 20:24].any()
    assert not cut[1, :2, :1].any()
    assert not cut[2, 26:, :4].any()
    assert (cut == 0).sum(axis=(1, 2, 3)).tolist() == [16, 2, 8]


def test_cutting_no_pixels_out_changes_nothing():
    images, _ = synthetic(3)
    np.testing.assert_array_equal(cutout(images, np.zeros((3, 2), int), 0), images)
