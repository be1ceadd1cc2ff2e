"""Print, as Markdown for GitHub, how results differ between two commits.

    python .ci/summary.py main HEAD

Metrics by `dvc metrics diff`; curves as Mermaid charts, which GitHub draws; pictures side by side
where $GITHUB_REPOSITORY says from where a browser gets them, and else by name.
"""

import json
import os
import subprocess
import sys
from urllib.parse import quote

CURVES = {"loss": "loss (nats)", "accuracy": "accuracy"}
COLORS = {"#0072b2": "blue", "#d55e00": "orange"}  # of the earlier and the later commit


def call(*command: str) -> str:
    """Run a command and return what it prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def metrics(base: str, head: str) -> str:
    """Return the changed metrics as a table."""
    table = call("dvc", "metrics", "diff", "--md", base, head).strip()
    n_changed = table.count("\n") - 1  # without the header and the line below it
    if n_changed < 1:
        return "No figure has changed."
    summary = f"<summary>{n_changed} figures have changed</summary>"
    return f"<details>{summary}\n\n{table}\n\n</details>"


def curve(commit: str, network: str, quantity: str) -> list[float]:
    """Return a quantity on the validation images, epoch by epoch."""
    path = f"metrics/{network}/plots/custom/{quantity}.json"
    rows = json.loads(call("git", "show", f"{commit}:./{path}"))
    return [float(row[quantity]) for row in rows if row["split"] == "validation"]


def chart(title: str, unit: str, curves: list[list[float]]) -> str:
    """Return curves as a Mermaid chart, in the order of COLORS."""
    palette = {"themeVariables": {"xyChart": {"plotColorPalette": ", ".join(COLORS)}}}
    values = [value for curve in curves for value in curve]
    epochs = range(1, max(map(len, curves)) + 1)
    lines = [
        "```mermaid",
        f"%%{{init: {json.dumps(palette)}}}%%",
        "xychart-beta",
        f'  title "{title}"',
        f'  x-axis "epoch" [{", ".join(map(str, epochs))}]',
        f'  y-axis "{unit}" {min(values):.4f} --> {max(values):.4f}',
        *(f"  line [{', '.join(f'{value:.4f}' for value in curve)}]" for curve in curves),
        "```",
    ]
    return "\n".join(lines)


def charts(base: str, head: str) -> str:
    """Return the validation curves of both networks in both commits."""
    colors = " and ".join(
        f"{commit} {color}" for commit, color in zip((base, head), COLORS.values(), strict=True)
    )
    found = [f"Of validation images; {colors}."]
    for network in ("default", "improved"):
        for quantity, unit in CURVES.items():
            curves = [curve(commit, network, quantity) for commit in (base, head)]
            found.append(chart(f"{network} network, {quantity}", unit, curves))
    return "\n\n".join(found)


def pictures(base: str, head: str) -> str:
    """Return the changed pictures, those of the earlier commit beside those of the later one."""
    listed = ("git", "-c", "core.quotepath=off", "diff", "--name-only", "--diff-filter=M")
    changed = call(*listed, base, head, "--", "plots/*.png").splitlines()
    repository = os.environ.get("GITHUB_REPOSITORY")
    if not changed or not repository:
        return "\n".join(f"- `{path}`" for path in changed) or "No picture has changed."
    site = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    rows = [f"| {base} | {head} |", "|---|---|"]
    hashes = [call("git", "rev-parse", commit).strip() for commit in (base, head)]
    for path in changed:
        cells = [f"![{path}]({site}/{repository}/raw/{one}/{quote(path)})" for one in hashes]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def main(base: str, head: str) -> None:
    for title, part in (("Metrics", metrics), ("Curves", charts), ("Pictures", pictures)):
        print(f"## {title}\n\n{part(base, head)}\n", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
