"""Sum up what was found, in the last words of `dvc repro`: this stage runs after all others.

Reads   accuracy of both networks, the verdict, the guesses (JSON)
Does    puts them into eight lines, with the names of the files to open
Writes  nothing: prints the lines
"""

import json
from pathlib import Path

from stages.common.command import run


def sum_up(scores: dict[str, dict], verdict: str, guesses: dict[str, dict]) -> list[str]:
    """Return lines: accuracies, verdict, and each label's guess and how it stands.

    Args:
        scores: of each network by its name
        verdict: in a word, such as visual_groups
        guesses: by label
    """
    accuracies = [
        f"{name} {of_one['accuracy']:.2%} ({of_one['ci_low']:.2%} to {of_one['ci_high']:.2%})"
        for name, of_one in scores.items()
    ]
    lines = [
        f"Test accuracy and its 95% interval: {', '.join(accuracies)}",
        f"Verdict: {verdict.replace('_', ' ')}",
    ]
    for label, guess in guesses.items():
        words = " ".join(guess["guess"].split()) or "no guess"
        lines.append(f"Label {label}: {words}: {guess['standing']}")
    return lines


def main(
    default: Path, improved: Path, interpret: Path, guess: Path, page_script: Path, *to_open: Path
) -> None:
    figures = {
        path: json.loads(path.read_text("utf-8")) for path in (default, improved, interpret, guess)
    }
    scores = {path.stem: figures[path] for path in (default, improved)}
    lines = sum_up(scores, figures[interpret]["verdict"], figures[guess])
    lines.append(f"Open {', '.join(path.as_posix() for path in to_open)}")
    print("\n".join(lines))


if __name__ == "__main__":
    run(main)
