"""Rows drawn at random, as many of each label as there should be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.data.sampling import draw_rows
from tests.helpers import QUICK


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


@QUICK
@given(numbers=st.lists(st.integers(0, 9), min_size=1, max_size=30), data=st.data())
def test_rows_of_the_same_number_are_never_parted_and_few_are_missing(numbers, data):
    together = np.array(numbers)
    labels = together % 3
    size = data.draw(st.integers(0, len(numbers)))
    drawn, others = draw_rows(labels, size, 1, together)
    assert not set(together[drawn]) & set(together[others])
    assert sorted([*drawn, *others]) == list(range(len(numbers)))
    assert size - np.bincount(together).max() < len(drawn) <= size


def test_where_no_rows_go_together_the_same_are_drawn():
    labels = np.arange(100) % 5
    for alone, together in zip(
        draw_rows(labels, 30, 1), draw_rows(labels, 30, 1, np.arange(100)), strict=True
    ):
        np.testing.assert_array_equal(alone, together)
