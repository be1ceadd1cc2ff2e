"""What is revealed in the end, and what guesses are worth."""

import io
import json

import numpy as np
import pytest

from stages.common.command import InputError
from stages.data.fashion_mnist import CLASSES
from stages.meaning import guess, reveal
from tests.helpers import pairs_of, read_json, set_params, synthetic


def known(n=20):
    images, _ = synthetic(2 * n)
    flat = images.reshape(2 * n, -1)
    classes = np.arange(n, dtype=np.uint8) % 10
    return {"x_train": flat[:n], "y_train": classes, "x_test": flat[n:], "y_test": classes}


def test_images_are_matched_byte_for_byte():
    arrays = known()
    images = np.concatenate([arrays["x_test"][3:5], arrays["x_train"][7:8]]).reshape(-1, 28, 28, 1)
    np.testing.assert_array_equal(reveal.match(images, arrays), [3, 4, 7])
    images[1, 5, 5] += 1
    np.testing.assert_array_equal(reveal.match(images, arrays), [3, reveal.UNKNOWN, 7])


def test_groups_are_scored_against_classes_inside_each_label():
    classes = np.array([0] * 10 + [6] * 10 + [1] * 10 + [2] * 10)
    labels = np.repeat([0, 3], 20)
    found = np.repeat([0, 1, 0, 0], 10)
    scores = reveal.score(classes, labels, found)
    assert scores["adjusted_mutual_info"] == {"0": pytest.approx(1), "3": pytest.approx(0)}
    assert scores["n_classes"] == {"0": 2, "3": 2}
    assert scores["n_groups"] == {"0": 2, "3": 1}
    assert scores["counts"]["0"] == {"T-shirt": 10, "shirt": 10}
    assert scores["classes"]["0"] == ["T-shirt", "shirt"]
    alone = reveal.score(classes[:10], labels[:10], found[:10])
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


def revealed(folder):
    return [folder / name for name in ("classes.npy", "reveal.json", "reveal.png")]


def test_reveal_tabulates_labels_against_classes(test_arrays, workspace, monkeypatch):
    monkeypatch.setattr(reveal, "find_fashion_mnist", lambda patience: known())
    reveal.main(*test_arrays, *revealed(workspace))
    found = read_json(workspace / "reveal.json")
    assert found["skipped"] is None
    assert found["matched"] == 1
    assert found["counts"]["2"] == {"pullover": 2, "sneaker": 2}
    np.testing.assert_array_equal(np.load(workspace / "classes.npy"), known()["y_test"])
    assert set(found["adjusted_mutual_info"].values()) == {1.0}


def test_reveal_is_skipped_for_other_images_with_a_clear_word(
    test_arrays, workspace, monkeypatch, capsys
):
    others = {name: 255 - array for name, array in known().items()}
    monkeypatch.setattr(reveal, "find_fashion_mnist", lambda patience: others)
    reveal.main(*test_arrays, *revealed(workspace))
    found = read_json(workspace / "reveal.json")
    assert found["skipped"] == "the images are not Fashion-MNIST's"
    assert found["adjusted_mutual_info"] == dict.fromkeys("01234")
    assert "skipped" in capsys.readouterr().out
    assert (workspace / "reveal.png").exists()


def test_reveal_is_skipped_where_fashion_mnist_is_not_at_hand(test_arrays, workspace, monkeypatch):
    def nowhere(patience):
        raise InputError("no Fashion-MNIST: tried /somewhere")

    monkeypatch.setattr(reveal, "find_fashion_mnist", nowhere)
    reveal.main(*test_arrays, *revealed(workspace))
    skipped = read_json(workspace / "reveal.json")["skipped"]
    assert "dvc repro --force reveal" in skipped
    assert "/somewhere" not in skipped
    classes = np.load(workspace / "classes.npy")
    assert classes.dtype == np.uint8
    assert (classes == reveal.UNKNOWN).all()


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
def test_classes_are_read_from_a_guess(words, found):
    assert guess.named(words, CLASSES) == found


def judged(words, verdict="visual_groups", flips=(), classes=("coat", "dress")):
    skipped = None if classes else "not at hand"
    of_label = None if flips is None else guess.flips_of("0", pairs_of(*flips))
    return guess.judge(words, verdict, of_label, set(classes), skipped)


@pytest.mark.parametrize(
    ("words", "kwargs", "standing"),
    [
        ("coats and dresses", {}, "confirmed"),
        ("coats", {}, "refuted"),
        ("coats, dresses and bags", {}, "refuted"),
        ("sandals", {}, "refuted"),
        ("nice things", {}, "unchecked"),
        ("", {}, "unchecked"),
        ("coats", {"classes": ()}, "unchecked"),
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


def test_a_class_that_is_hardly_there_is_not_counted():
    classes = np.array([4] * 990 + [8] * 10)
    scores = reveal.score(classes, np.zeros(1_000, int), np.zeros(1_000, int))
    assert scores["classes"] == {"0": ["coat"]}
    assert scores["adjusted_mutual_info"] == {"0": None}


def test_a_label_between_two_thresholds_of_a_statistic_has_both():
    pairs = pairs_of("0-1", "1-2")
    other = next(found for found in pairs_of("2-3") if found["flips"])
    pairs.append(other | {"statistic": "height"})
    assert guess.flips_of("1", pairs) == {
        "width": "flips at width 12.5 (labels 0 and 1), width 12.5 (labels 1 and 2)"
    }
    assert set(guess.flips_of("2", pairs)) == {"width", "height"}


def test_a_guess_may_be_long_and_hold_any_character():
    words = ["cost $5 {x and $6 \\foo % ü", "x" * 200, "coats " * 33, "", "'\"<b>"]
    guess.draw([(text, [], []) for text in words], ["STIXGeneral"]).savefig(io.BytesIO())


def test_a_label_is_shown_by_means_of_all_and_of_its_groups_and_by_images_at_random():
    images, rng = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1), np.random.default_rng(0)
    groups = np.repeat([0, 2], 20)
    shown, captions = guess.show(images, groups, rng)
    assert [float(image.item()) for image in shown[:3]] == [19.5, 9.5, 29.5]
    assert captions[:4] == ["mean", "group 0", "group 2", ""]
    assert len(shown) == len(captions) == guess.IN_A_ROW
    assert len({int(image.item()) for image in shown[3:]}) == guess.IN_A_ROW - 3
    assert guess.show(images[:0], groups[:0], rng) == ([], [])
    assert guess.show(images[:20], groups[:20], rng)[1][:2] == ["mean", ""]


def test_the_guesses_have_a_picture_and_their_evidence(test_arrays, workspace):
    set_params(workspace, guess__words=["coats", "bags", "", "width", "dresses"])
    labels = "01234"
    revealed = {
        "skipped": None,
        "classes": {label: [CLASSES[int(label)]] for label in labels},
        "adjusted_mutual_info": dict.fromkeys(labels),
    }
    found = {
        "interpret": {"verdict": "mixed", "groups": dict.fromkeys(labels, 2)},
        "flips": {"pairs": pairs_of("0-3"), "similar_accuracy": 0.9},
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
