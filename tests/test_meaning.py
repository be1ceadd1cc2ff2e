"""What the labels are said to mean: groups, image statistics, the verdict, reveal and guesses."""

import io
import json

from stages.meaning import groups
from stages.meaning import guess
from stages.meaning import image_statistics
from stages.meaning import interpret
from stages.meaning import label_flips
from stages.meaning import reveal
from stages.common.command import InputError
from stages.data.fashion_mnist import GARMENTS
from stages.meaning.statistics import INK, measure

import numpy as np
import pandas as pd
import pytest
from conftest import read_json, set_params, synthetic
from sklearn.metrics import adjusted_rand_score


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
    monkeypatch.setattr("common.statistics.CHUNK", 10)
    pd.testing.assert_frame_equal(measure(images), whole)


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
    captions = [ax.get_title() for ax in figure.axes if ax.get_title()]
    assert sum(caption.startswith("group") for caption in captions) == 2
    shown = [int(text.split("row ")[1]) for text in captions if "row" in text]
    assert all(20 <= row < 40 for row in shown)


def test_a_tree_finds_thresholds_on_one_statistic():
    rng = np.random.default_rng(0)
    statistics = pd.DataFrame(rng.random((3_000, 3)), columns=["width", "height", "texture"])
    labels = np.digitize(statistics["height"], [0.2, 0.4, 0.6, 0.8])
    tree = image_statistics.fit_tree(statistics, labels, seed=1)
    assert tree.score(statistics, labels) > 0.98
    text = image_statistics.tree_text(tree)
    assert "height" in text
    assert "width" not in text
    assert text.count("label") == tree.get_n_leaves() <= image_statistics.LEAVES


def along(n=4_000, seed=0):
    return np.sort(np.random.default_rng(seed).normal(size=n))


def test_a_flip_at_a_threshold_is_a_jump_of_1():
    values = along()
    jump, threshold = label_flips.sharpest_jump(values, values > 0.3, seed=1)
    assert jump == 1
    assert threshold == pytest.approx(0.3, abs=0.01)


def test_a_flip_between_whole_numbers_is_a_jump_of_1():
    values = np.round(5 * along())
    jump, threshold = label_flips.sharpest_jump(values, values > 2, seed=1)
    assert (jump, threshold) == (1, 2.5)


@pytest.mark.parametrize("width", [0.015, 0.3, 1.0])
def test_a_share_that_changes_little_by_little_is_no_flip(width):
    values = along()
    chance = 1 / (1 + np.exp(-values / width))
    second = np.random.default_rng(1).random(len(values)) < chance
    jump, _ = label_flips.sharpest_jump(values, second, seed=1)
    assert jump < label_flips.FLIP


def test_a_threshold_lies_between_two_values():
    values = np.round(2 * along())
    second = np.random.default_rng(1).random(len(values)) < 0.5
    _, threshold = label_flips.sharpest_jump(values, second, seed=1)
    assert threshold % 1 == 0.5


def test_two_kinds_with_nothing_between_them_are_no_flip():
    values = np.concatenate([along(2_000), 12 + along(2_000)])
    jump, _ = label_flips.sharpest_jump(values, values > 6, seed=1)
    assert jump < label_flips.FLIP


@pytest.mark.parametrize("values", [np.zeros(500), np.arange(30.0)])
def test_without_thresholds_or_enough_images_there_is_no_jump(values):
    assert label_flips.sharpest_jump(values, values > values.mean(), seed=1)[0] == 0


def pairs_of(*flips):
    names = [f"{first}-{second}" for first in range(5) for second in range(first + 1, 5)]
    no, yes = (
        {"jump": jump, "statistic": "width", "threshold": 12.5, "flips": jump == 1.0}
        for jump in (0.4, 1.0)
    )
    return {name: yes if name in flips else no for name in names}


@pytest.mark.parametrize(
    ("p", "flips", "tree", "verdict"),
    [
        (0.5, False, 0.3, "no_structure"),
        (0.5, True, 0.3, "no_structure"),
        (1e-9, False, 0.99, "visual_groups"),
        (1e-9, True, 0.99, "image_statistic"),
        (1e-9, True, 0.9, "mixed"),
        (1e-9, None, 0.99, "image_statistic"),
        (1e-9, None, 0.9, "visual_groups"),
    ],
)
def test_the_verdict_follows_the_stated_rules(p, flips, tree, verdict):
    assert interpret.decide(p, flips, tree) == verdict


def test_a_flip_inside_one_cluster_is_found():
    rng = np.random.default_rng(0)
    statistics = pd.DataFrame(rng.random((4_000, 2)), columns=["width", "texture"])
    clusters = np.arange(4_000) // 1_000
    second = rng.random(4_000) < 0.5  # at random, but for the last cluster
    second[3_000:] = statistics["texture"][3_000:] > 0.5
    found = label_flips.sharpest_of_pair(statistics, second, clusters, seed=1)
    assert found["flips"]
    assert found["statistic"] == "texture"
    assert found["threshold"] == pytest.approx(0.5, abs=0.01)
    for rows, of_rows in ((4_000, np.zeros(4_000)), (3_000, clusters[:3_000])):
        diluted = label_flips.sharpest_of_pair(statistics[:rows], second[:rows], of_rows, seed=1)
        assert not diluted["flips"]


def test_a_cluster_with_few_images_of_a_label_is_not_looked_at():
    statistics = pd.DataFrame({"width": np.arange(1_000.0)})
    second = np.arange(1_000) >= 900
    found = label_flips.sharpest_of_pair(statistics, second, np.zeros(1_000), seed=1)
    assert found == {"jump": None, "statistic": None, "threshold": None, "flips": False}
    assert "too few look-alikes" in label_flips.say({"0-1": found})
    assert "too few look-alikes" in interpret.say("visual_groups", {}, {"0-1": found}, 100)


def test_images_that_look_alike_are_in_one_cluster(monkeypatch):
    monkeypatch.setattr(label_flips, "ALIKE", 20)
    images, labels = synthetic(100)
    clusters = label_flips.find_alike(images, seed=1)
    assert adjusted_rand_score(labels, clusters) > 0.9


def kinds_of_picture(n=15_000):
    """Images of twelve kinds, boxes in twelve places, that vary in brightness and size alike."""
    rng = np.random.default_rng(0)
    kinds, images = rng.integers(0, 12, n), np.zeros((n, 28, 28, 1), np.uint8)
    for row, (kind, (wide, high)) in enumerate(zip(kinds, rng.integers(3, 7, (n, 2)), strict=True)):
        top, left = 9 * (kind // 4), 7 * (kind % 4)
        images[row, top : top + high, left : left + wide] = 1
    bright = rng.uniform(80, 250, (n, 1, 1, 1))
    return (images * bright).astype(np.uint8), kinds


@pytest.fixture(scope="module")
def pictures():
    return kinds_of_picture()


@pytest.mark.parametrize(
    ("rule", "verdict"),
    [
        (lambda kinds, bright: kinds % 5, "visual_groups"),
        (lambda kinds, bright: np.digitize(bright, [0.4, 0.55, 0.7, 0.85]), "image_statistic"),
        (lambda kinds, bright: np.where(bright > 0.65, 4, (kinds + kinds // 4 * 2) % 4), "mixed"),
    ],
)
def test_labels_made_by_a_known_rule_get_the_right_verdict(
    pictures, workspace, monkeypatch, rule, verdict
):
    monkeypatch.setattr(label_flips, "CLUSTERS", 10)  # enough for pictures so different
    images, kinds = pictures
    labels = rule(kinds, measure(images)["ink_brightness"].to_numpy()).astype(np.uint8)
    assert verdict_on(images, labels, workspace) == verdict


def test_with_few_images_no_look_alikes_are_sought_and_the_tree_decides(pictures, workspace):
    images = pictures[0]
    labels = np.digitize(measure(images)["ink_brightness"], [0.4, 0.55, 0.7, 0.85])
    assert verdict_on(images, labels.astype(np.uint8), workspace) == "image_statistic"
    flips = read_json(workspace / "flips.json")
    assert flips["alike_accuracy"] is None
    assert all(found["jump"] is None for found in flips["pairs"].values())


def verdict_on(images, labels, workspace):
    """The verdict of the stages, without a network, on images and labels of every split."""
    x, y = workspace / "x.npy", workspace / "y.npy"
    np.save(x, images)
    np.save(y, labels)
    (workspace / "network.json").write_text(json.dumps({"validation_accuracy": 0.95}))
    groups_of = {str(label): {"n": 1} for label in range(5)}
    (workspace / "groups.json").write_text(json.dumps(groups_of))
    statistics, flips = workspace / "statistics.json", workspace / "flips.json"
    image_statistics.main(x, y, x, y, x, y, statistics, workspace / "statistics.png")
    label_flips.main(x, y, flips, workspace / "flips.png")
    paths = [workspace / "network.json", statistics, workspace / "groups.json", flips]
    interpret.main(y, *paths, workspace / "interpret.json", workspace / "interpret.png")
    return read_json(workspace / "interpret.json")["verdict"]


@pytest.mark.parametrize("verdict", ["no_structure", "visual_groups", "image_statistic", "mixed"])
def test_every_verdict_has_its_reasons_and_its_picture(verdict):
    accuracies = {"majority": 0.3, "tree": 0.6, "alike": 0.7, "network": 0.9}
    flips = verdict in ("image_statistic", "mixed")
    pairs = pairs_of("0-1") if flips else pairs_of()
    because = interpret.say(verdict, {"0": 2, "1": 1}, pairs, 1_000)
    assert ("flips at width 12.5 (labels 0 and 1)" in because) == flips
    figure = interpret.draw(verdict, because, accuracies)
    assert verdict.replace("_", " ") in figure.axes[0].get_title()
    shown = [text.get_text() for text in figure.axes[0].texts]
    assert shown == ["0.300", "0.600", "0.700", "0.900"]


@pytest.mark.parametrize("flips", [(), ("0-1", "2-4")])
def test_the_table_of_jumps_has_every_pair_and_says_which_flip(flips):
    figure = label_flips.draw(pairs_of(*flips))
    assert len(figure.axes[0].texts) == 10
    said = label_flips.say(pairs_of(*flips))
    assert all(pair.replace("-", " and ") in said for pair in flips)
    start = "Between look-alikes the" if flips else "Of the 10 pairs of labels 10 have"
    assert said.startswith(start)


def known(n=20):
    images, _ = synthetic(2 * n)
    flat = images.reshape(2 * n, -1)
    garments = np.arange(n, dtype=np.uint8) % 10
    return {"x_train": flat[:n], "y_train": garments, "x_test": flat[n:], "y_test": garments}


def test_images_are_matched_byte_for_byte():
    arrays = known()
    images = np.concatenate([arrays["x_test"][3:5], arrays["x_train"][7:8]]).reshape(-1, 28, 28, 1)
    np.testing.assert_array_equal(reveal.match(images, arrays), [3, 4, 7])
    images[1, 5, 5] += 1
    np.testing.assert_array_equal(reveal.match(images, arrays), [3, reveal.UNKNOWN, 7])


def test_groups_are_scored_against_garments_inside_each_label():
    garments = np.array([0] * 10 + [6] * 10 + [1] * 10 + [2] * 10)
    labels = np.repeat([0, 3], 20)
    found = np.repeat([0, 1, 0, 0], 10)
    scores = reveal.score(garments, labels, found)
    assert scores["adjusted_mutual_info"] == {"0": pytest.approx(1), "3": pytest.approx(0)}
    assert scores["n_garments"] == {"0": 2, "3": 2}
    assert scores["n_groups"] == {"0": 2, "3": 1}
    assert scores["counts"]["0"] == {"T-shirt": 10, "shirt": 10}
    assert scores["garments"]["0"] == ["T-shirt", "shirt"]
    alone = reveal.score(garments[:10], labels[:10], found[:10])
    assert alone["adjusted_mutual_info"] == {"0": None}


@pytest.fixture
def test_arrays(workspace):
    """Paths of test images, labels and groups, the images being the first of `known`."""
    arrays = known()
    for name, array in {
        "x": arrays["x_test"].reshape(-1, 28, 28, 1),
        "y": arrays["y_test"] % 5,
        "groups": arrays["y_test"] // 5,
    }.items():
        np.save(workspace / f"{name}.npy", array)
    return [workspace / f"{name}.npy" for name in ("x", "y", "groups")]


def test_reveal_tabulates_labels_against_garments(test_arrays, workspace, monkeypatch):
    monkeypatch.setattr(reveal, "find_fashion_mnist", known)
    reveal.main(*test_arrays, workspace / "reveal.json", workspace / "reveal.png")
    found = read_json(workspace / "reveal.json")
    assert found["skipped"] is None
    assert found["matched"] == 1
    assert found["counts"]["2"] == {"pullover": 2, "sneaker": 2}
    assert set(found["adjusted_mutual_info"].values()) == {1.0}


def test_reveal_is_skipped_for_other_images_with_a_clear_word(
    test_arrays, workspace, monkeypatch, capsys
):
    others = {name: 255 - array for name, array in known().items()}
    monkeypatch.setattr(reveal, "find_fashion_mnist", lambda: others)
    reveal.main(*test_arrays, workspace / "reveal.json", workspace / "reveal.png")
    found = read_json(workspace / "reveal.json")
    assert found["skipped"] == "the images are not Fashion-MNIST's"
    assert found["adjusted_mutual_info"] == dict.fromkeys("01234")
    assert "skipped" in capsys.readouterr().out
    assert (workspace / "reveal.png").exists()


def test_reveal_is_skipped_where_fashion_mnist_is_not_at_hand(test_arrays, workspace, monkeypatch):
    def nowhere():
        raise InputError("no Fashion-MNIST: tried /somewhere")

    monkeypatch.setattr(reveal, "find_fashion_mnist", nowhere)
    reveal.main(*test_arrays, workspace / "reveal.json", workspace / "reveal.png")
    skipped = read_json(workspace / "reveal.json")["skipped"]
    assert "dvc repro --force reveal" in skipped
    assert "/somewhere" not in skipped


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("T-shirts and shirts", {"T-shirt", "shirt"}),
        ("t-shirts", {"T-shirt"}),
        ("Dresses, coats and ankle boots", {"dress", "coat", "ankle boot"}),
        ("things with undershirting", set()),
        ("", set()),
    ],
)
def test_garments_are_read_from_a_guess(words, found):
    assert guess.named(words, GARMENTS) == found


def judged(words, verdict="visual_groups", flips=(), garments=("coat", "dress")):
    skipped = None if garments else "not at hand"
    of_label = None if flips is None else guess.flips_of("0", pairs_of(*flips))
    return guess.judge(words, verdict, of_label, set(garments), skipped)


@pytest.mark.parametrize(
    ("words", "kwargs", "standing"),
    [
        ("coats and dresses", {}, "confirmed"),
        ("coats", {}, "refuted"),
        ("coats, dresses and bags", {}, "refuted"),
        ("sandals", {}, "refuted"),
        ("nice things", {}, "unchecked"),
        ("", {}, "unchecked"),
        ("coats", {"garments": ()}, "unchecked"),
        ("coats and dresses", {"verdict": "no_structure"}, "unchecked"),
        ("coats", {"verdict": "no_structure"}, "refuted"),
        ("a small width", {"verdict": "no_structure"}, "refuted"),
        ("a small width", {"verdict": "image_statistic", "flips": None}, "unchecked"),
        ("coats", {"verdict": "image_statistic", "flips": None}, "refuted"),
        ("coats and dresses", {"flips": None}, "confirmed"),
        ("coats and dresses", {"verdict": "image_statistic", "flips": ("0-1",)}, "refuted"),
        ("coats and dresses", {"verdict": "image_statistic"}, "refuted"),
        ("", {"verdict": "no_structure"}, "unchecked"),
        ("sandals of a small width", {"verdict": "mixed", "flips": ("0-1",)}, "refuted"),
        ("a small width", {"verdict": "image_statistic", "flips": ("0-1",)}, "confirmed"),
        ("a small height", {"verdict": "image_statistic", "flips": ("0-1",)}, "refuted"),
        ("a small width", {}, "refuted"),
        ("coats and dresses", {"verdict": "mixed", "flips": ("0-1",)}, "refuted"),
        (
            "coats and dresses of a small width",
            {"verdict": "mixed", "flips": ("0-1",)},
            "confirmed",
        ),
        ("coats of a small width", {"verdict": "mixed", "flips": ("0-1",)}, "refuted"),
        ("coats and dresses", {"verdict": "mixed", "flips": ("1-2",)}, "confirmed"),
    ],
)
def test_a_guess_stands_as_the_evidence_has_it(words, kwargs, standing):
    found, why = judged(words, **kwargs)
    assert found == standing
    assert why


def test_a_garment_that_is_hardly_there_is_not_counted():
    garments = np.array([4] * 990 + [8] * 10)
    scores = reveal.score(garments, np.zeros(1_000, int), np.zeros(1_000, int))
    assert scores["garments"] == {"0": ["coat"]}
    assert scores["adjusted_mutual_info"] == {"0": None}


def test_a_label_between_two_thresholds_of_a_statistic_has_both():
    pairs = pairs_of("0-1", "1-2") | {"2-3": pairs_of("2-3")["2-3"] | {"statistic": "height"}}
    assert guess.flips_of("1", pairs) == {
        "width": "flips at width 12.5 (labels 0 and 1), width 12.5 (labels 1 and 2)"
    }
    assert set(guess.flips_of("2", pairs)) == {"width", "height"}


def test_a_guess_may_be_long_and_hold_any_character():
    words = ["cost $5 {x and $6 \\foo % ü", "x" * 200, "coats " * 33, "", "'\"<b>"]
    rows = [([words[n], *["line"] * n], []) for n in range(5)]
    guess.draw(rows).savefig(io.BytesIO())


def test_the_guesses_have_a_picture_and_their_evidence(test_arrays, workspace):
    set_params(workspace, guess__words=["coats", "bags", "", "width", "dresses"])
    labels = "01234"
    revealed = {
        "skipped": None,
        "garments": {label: [GARMENTS[int(label)]] for label in labels},
        "adjusted_mutual_info": dict.fromkeys(labels),
    }
    found = {
        "interpret": {"verdict": "mixed", "groups": dict.fromkeys(labels, 2)},
        "flips": {"pairs": pairs_of("0-3"), "alike_accuracy": 0.9},
        "reveal": revealed,
    }
    for name, values in found.items():
        (workspace / f"{name}.json").write_text(json.dumps(values))
    read = [workspace / f"{name}.json" for name in found]
    guess.main(*test_arrays, *read, workspace / "out.json", workspace / "out.png")
    found = read_json(workspace / "out.json")
    assert {label: row["standing"] for label, row in found.items()} == {
        "0": "refuted",
        "1": "refuted",
        "2": "unchecked",
        "3": "confirmed",
        "4": "refuted",
    }
    assert found["3"]["evidence"] == (
        "groups that look different: 2 (50%, 50%); flips at width 12.5 (labels 0 and 3)"
    )
    assert (workspace / "out.png").exists()
