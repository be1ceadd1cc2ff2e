"""The last words of `dvc repro`."""

from stages.hand_in import summary


def test_the_summary_tells_accuracies_verdict_and_each_guess_in_a_line():
    scores = {"accuracy": 0.9844, "ci_low": 0.98178, "ci_high": 0.98665}
    guesses = {
        "0": {"guess": " ankle\n boots ", "standing": "refuted"},
        "1": {"guess": "", "standing": "unchecked"},
    }
    lines = summary.sum_up({"default": scores, "improved": scores}, "visual_groups", guesses)
    assert lines == [
        "Test accuracy and its 95% interval: default 98.44% (98.18% to 98.67%), "
        "improved 98.44% (98.18% to 98.67%)",
        "Verdict: visual groups",
        "Label 0: ankle boots: refuted",
        "Label 1: no guess: unchecked",
    ]
