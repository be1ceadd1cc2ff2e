"""Rows drawn at random, as many of each label as there should be."""

import numpy as np
import pytest

from stages.data.sampling import draw_rows


@pytest.mark.parametrize("size", [1, 10, 999])
def test_drawn_rows_are_stratified_sorted_disjoint_and_repeatable(size):
    labels = np.random.default_rng(0).permutation(np.repeat([0, 1], [900, 100]))
    drawn, others = draw_rows(labels, size, seed=1)
    assert len(drawn) == size
    assert abs(labels[drawn].sum() - size / 10) <= 1
    np.testing.assert_array_equal(np.sort(np.concatenate([drawn, others])), np.arange(1000))
    np.testing.assert_array_equal(drawn, np.sort(drawn))
    np.testing.assert_array_equal(drawn, draw_rows(labels, size, seed=1)[0])
    assert not np.array_equal(drawn, draw_rows(labels, size, seed=2)[0])


def test_more_rows_than_there_are_is_all_of_them():
    drawn, others = draw_rows(np.zeros(5), 9, seed=1)
    assert (len(drawn), len(others)) == (5, 0)
