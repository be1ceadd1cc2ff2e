"""Groups inside a label."""

import numpy as np
import pytest

from stages.meaning import groups
from tests.helpers import captions_of, synthetic


def cloud(n, seed, *centre):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(n, 16))
    points[:, : len(centre)] += centre
    return points


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_as_many_groups_are_found_as_there_are_clouds(n):
    centres = [(0,), (9,), (0, 9), (0, 0, 9)][:n]
    parts = [cloud(300 - 50 * seed, seed, *centre) for seed, centre in enumerate(centres)]
    found, valleys = groups.find_groups(np.concatenate(parts), seed=1)
    np.testing.assert_array_equal(found, np.repeat(np.arange(n), [len(part) for part in parts]))
    assert all(0 <= depth <= 1 for depth in valleys.values())


def test_one_long_cloud_is_one_group():
    points = cloud(2_000, 0) * np.array([8, 4, *[1] * 14])
    found, valleys = groups.find_groups(points, seed=1)
    assert (found == 0).all()
    assert max(valleys.values()) < groups.DEPTH


def test_too_few_images_are_one_group():
    found, valleys = groups.find_groups(cloud(30, 0), seed=1)
    assert (found == 0).all()
    assert valleys == {}


def test_a_valley_is_as_deep_as_the_density_falls():
    assert groups.valley(cloud(500, 0), cloud(500, 1, 20)) == pytest.approx(1)
    one = cloud(4_000, 0)
    assert groups.valley(one[one[:, 0] < 0], one[one[:, 0] >= 0]) < 0.1
    shallow = groups.valley(cloud(4_000, 0), cloud(4_000, 1, 3))
    assert 0.1 < shallow < groups.valley(cloud(4_000, 0), cloud(4_000, 1, 4)) < 1


def test_typical_images_are_at_the_centre_and_borderline_ones_near_another():
    away = np.array([[1, 9], [2, 9], [3, 9], [4, 9], [8, 9], [9, 1]])
    typical, border = groups.choose_rows(away, 0)
    np.testing.assert_array_equal(typical, [0, 1, 2, 3])
    assert border[0] == 4
    _, rim = groups.choose_rows(away[:5, :1], 0)
    assert rim[0] == 4


def test_the_picture_of_a_label_has_a_row_for_each_group_and_says_how_many():
    images, _ = synthetic(40)
    away = np.random.default_rng(0).random((20, 2))
    figure = groups.draw(3, images, np.arange(20, 40), away)
    assert figure.get_suptitle().startswith("Label 3 = two groups: ")
    captions = captions_of(figure)
    assert sum(caption.startswith("group") for caption in captions) == 2
    shown = [int(text.split("row ")[1]) for text in captions if "row" in text]
    assert all(20 <= row < 40 for row in shown)
