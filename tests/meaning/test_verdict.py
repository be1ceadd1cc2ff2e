"""The rules of the verdict, and how strong it is."""

import pytest

from stages.meaning import verdict

CLASSES = {"majority": 0.3, "tree": 0.6, "network": 0.95}
ORDER = {"linked": 0.3, "mixed": 0.3, "exactness": 0.7, "random_labels": 0.0}
BINS = {"linked": 3.0, "mixed": 0.95}


@pytest.mark.parametrize(
    ("jump", "accuracies", "order", "expected"),
    [
        (0.26, {"tree": 0.3, "network": 0.3}, {}, "no_structure"),
        (1.0, {"tree": 0.3, "network": 0.31}, {}, "no_structure"),
        (0.26, {"tree": 0.99}, {}, "visual_groups"),
        (1.0, {"tree": 0.96}, {}, "image_statistic"),
        (1.0, {}, {}, "mixed"),
        (None, {"tree": 0.99}, {}, "image_statistic"),
        (None, {"tree": 0.955}, {}, "visual_groups"),
        (0.26, {}, BINS, "image_statistic"),
        (1.0, {}, BINS, "image_statistic"),
        (1.0, {}, BINS | {"exactness": 0.98}, "mixed"),
        (1.0, {"tree": 0.96}, BINS | {"exactness": 0.98}, "image_statistic"),
        (1.0, {"tree": 0.9}, BINS | {"exactness": 0.93}, "image_statistic"),
        (1.0, {}, BINS | {"exactness": 0.88, "random_labels": 0.1}, "mixed"),
    ],
)
def test_the_verdict_follows_the_stated_rules(jump, accuracies, order, expected):
    margins = verdict.measure_margins(6_000, CLASSES | accuracies, jump, ORDER | order)
    assert verdict.find_strength(margins)[0] == expected


@pytest.mark.parametrize(
    ("jump", "accuracies", "order", "expected"),
    [
        (0.26, {}, {}, (0.5, "flips", "mixed")),  # a jump of half of what would count
        (0.5, {}, {}, (1 - 0.5 / 0.52, "flips", "mixed")),
        (0.26, {}, {"linked": 0.99, "mixed": 0.9}, (0.01, "ordered", "image_statistic")),
        (0.26, {}, {"linked": 0.99, "mixed": 0.3}, (0.5, "flips", "mixed")),
        (0.26, {}, {"exactness": 0.919}, (0.5, "flips", "mixed")),  # decides nothing of classes
        (1.0, {}, BINS | {"exactness": 0.919}, (1 - 0.08 / 0.081, "exact", "mixed")),
        (1.0, {"tree": 0.96}, {}, (1 - 0.04 / 0.05, "tree", "mixed")),
        (1.0, {"tree": 0.3, "network": 0.3}, {}, (1, "structure", "image_statistic")),
        (None, {"tree": 0.97}, {}, (0.25, "tree", "visual_groups")),
    ],
)
def test_a_verdict_is_as_strong_as_the_nearest_figure_that_would_turn_it(
    jump, accuracies, order, expected
):
    margins = verdict.measure_margins(6_000, CLASSES | accuracies, jump, ORDER | order)
    _, strength, turned_by, instead = verdict.find_strength(margins)
    assert (pytest.approx(strength, abs=1e-6), turned_by, instead) == expected


def test_labels_are_predicted_better_than_by_chance_from_the_first_significant_count_on():
    at_bound = {"majority": 0.5, "tree": 0.5, "network": 0.549}  # p = 0.0011 with 1,000 images
    beyond = at_bound | {"network": 0.55}  # p = 0.0009
    found = [verdict.measure_margins(1_000, one, 0.1, ORDER) for one in (at_bound, beyond)]
    assert [one["structure"] >= 0 for one in found] == [False, True]


def test_margins_are_continuous_where_the_tree_is_nearly_as_exact_as_can_be():
    exact = []
    for tree in (0.9495, 0.9505):
        accuracies = CLASSES | {"tree": tree, "network": 0.99}
        order = ORDER | BINS | {"exactness": 0.9999}
        exact.append(verdict.measure_margins(6_000, accuracies, 1.0, order)["exact"])
    assert exact == pytest.approx([0.008, -0.012], abs=1e-3)


def test_a_rule_is_as_exact_with_labels_that_are_wrong_at_random_as_without():
    assert verdict.exact_margin(0.9 * 0.97, 0.1) == pytest.approx(verdict.exact_margin(0.97, 0.0))


def test_strengths_are_told_in_words():
    assert [verdict.strength_in_words(value) for value in (0, 0.1, 0.2, 0.3, 1.0)] == [
        "narrow",
        "narrow",
        "fair",
        "clear",
        "clear",
    ]
