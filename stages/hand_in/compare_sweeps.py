"""Compare the experiments of each sweep: the effect of each parameter, and the best setting.

Reads   training images and labels (.npy); the table of experiments that sweeps.sweep writes
        (CSV), a row a run; params.yaml
Does    compares runs that differ in one parameter alone, seed by seed, on validation images
Writes  means and differences of each sweep (JSON), and a picture of each (PNG); prints them, too

same_data   whether the runs were trained on the images and labels that are here now
same_settings   whether all other parameters of the stage but those `fixed` were as they are now
fixed       parameters that all runs share, in place of those of params.yaml; values as in YAML
chosen      params.yaml's own values of the parameters that the sweep tries
kept        its values of the other parameters of the stage, but for seed, precision and threads
settings    each setting's values of these, and its validation accuracy: mean and standard
            deviation over its seeds, and how many runs ended, how many failed
effects     of each value of a parameter: accuracy with it minus accuracy with the value of
            params.yaml, all else equal; 95% interval over seeds (Student's t). It tells chance of
            training, not that of the choice of validation images, and stands by itself: of twenty
            such intervals one leaves out 0 by chance.
words       `better` or `worse` if the interval leaves out 0, `indistinguishable` if not, `unknown`
            if there are less than two seeds
winner      of the settings of which no run failed that with the highest mean; its first
            experiment, and its difference to params.yaml's own setting, `default`. The best of
            many is partly the luckiest.
"""

from hashlib import md5
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from stages.common.command import InputError, run
from stages.common.files import save_json
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.common.yaml import parse_yaml
from stages.hand_in.differences import estimate, in_points

COLORS = {"better": "#0072b2", "worse": "#d55e00", "indistinguishable": "0.5", "unknown": "0.5"}
ACCURACY = "validation_accuracy"
COLUMNS = ["sweep", "experiment", "stage", "setting", "seed", "data", "kept", ACCURACY]


def read_table(path: Path) -> pd.DataFrame:
    """Return the table of experiments; values of parameters, in columns `block.key`, as text.

    Raises:
        InputError: a column is missing.
    """
    table = pd.read_csv(path, dtype=str)
    missing = [column for column in COLUMNS if column not in table]
    if missing:
        raise InputError(f"{path}: expected columns {', '.join(COLUMNS)}, found no {missing[0]}")
    return table.astype({ACCURACY: float}).fillna({"kept": ""})


def name_data(*paths: Path) -> str:
    """Return the starts of the files' MD5 sums, which are what DVC knows them by."""
    return "-".join(md5(path.read_bytes()).hexdigest()[:8] for path in paths)


def tried(runs: pd.DataFrame) -> list[str]:
    """Return the parameters, `block.key`, in which runs of a sweep differ."""
    return [name for name in runs if "." in name and runs[name].nunique() > 1]


def effects(runs: pd.DataFrame) -> dict[str, dict]:
    """Estimate the effect of each value of each parameter, by `block.key=value`.

    Runs with it are paired with runs with the value of the setting `default` that are equal in
    all other parameters and the seed, if both have ended; a seed's differences are averaged first.
    """
    parameters, default = tried(runs), runs[runs["setting"] == "default"].iloc[0]
    values = runs[parameters].melt(ignore_index=False).sort_index(kind="stable")
    found = {}
    for name, value in values.drop_duplicates().itertuples(index=False):
        others = [other for other in parameters if other != name]
        accuracies = runs.set_index([name, "seed", *others])[ACCURACY]
        differences = (accuracies[value] - accuracies[default[name]]).dropna()
        if value != default[name] and len(differences):
            found[f"{name}={value}"] = estimate(differences.groupby("seed").mean())
    return found


def summarise(rows: pd.DataFrame, data: str, now: dict) -> dict:
    """Return the figures of a sweep of which a run of `default` has ended.

    The glossary is at the top of this file.

    Args:
        data: what is here now, see `name_data`
        now: parameters of the trainings in params.yaml, by block and key
    """
    runs, parameters = rows.dropna(subset=ACCURACY), tried(rows)
    first = rows.drop_duplicates("setting").set_index("setting")
    settings = {
        setting: {
            "values": first.loc[setting, parameters].to_dict(),
            "mean": float(group.mean()) if group.count() else None,
            "standard_deviation": float(group.std()) if group.count() > 1 else None,
            "runs": int(group.count()),
            "failed": int(group.isna().sum()),
        }
        for setting, group in rows.groupby("setting", sort=False)[ACCURACY]
    }
    whole = [setting for setting, row in settings.items() if not row["failed"]] or ["default"]
    winner = max(whole, key=lambda setting: settings[setting]["mean"])
    accuracies = runs.set_index(["setting", "seed"])[ACCURACY]
    stage, chosen = rows["stage"].iloc[0], settings["default"]["values"]
    kept = dict(pair.split("=") for pair in runs["kept"].iloc[0].split())
    fixed = {name: rows[name].iloc[0] for name in rows if "." in name and rows[name].nunique() == 1}
    return {
        "stage": stage,
        "same_data": bool((runs["data"] == data).all()),
        "same_settings": are_set_in(chosen | kept, now)
        and {f"{stage}.{key}" for key in now[stage]} <= (chosen | kept | fixed).keys(),
        "fixed": fixed,
        "chosen": chosen,
        "kept": kept,
        "settings": settings,
        "effects": effects(runs),
        "winner": {
            "setting": winner,
            "experiment": runs.loc[runs["setting"] == winner, "experiment"].iloc[0],
        }
        | estimate((accuracies[winner] - accuracies["default"]).dropna()),
    }


def are_set_in(values: dict[str, str], now: dict) -> bool:
    """Tell whether `now` has these values, as in YAML, of parameters named `block.key`."""
    blocks = ((name.split("."), value) for name, value in values.items())
    return all(now[block].get(key) == parse_yaml(value) for (block, key), value in blocks)


def say(sweep: str, figures: dict) -> str:
    """Say in lines of text what a sweep has found."""
    lines = [f"{sweep}: validation accuracy of {figures['stage']}"]
    if not figures["same_data"]:
        lines.append("  This sweep was run on other images or labels than those here.")
    if not figures["same_settings"]:
        lines.append("  This sweep was run around other settings than those of params.yaml.")
    for setting, row in figures["settings"].items():
        mean, spread = row["mean"], row["standard_deviation"]
        lines.append(
            f"  {setting:40}"
            + (f" {mean:.4f}" if mean is not None else " no run ended")
            + (f" ± {spread:.4f}" if spread is not None else "")
            + (f", {row['failed']} failed" if row["failed"] else "")
        )
    for name, row in figures["effects"].items():
        lines.append(f"  {name:40} {in_points(row)} points, {row['words']}")
    winner = figures["winner"]
    if winner["setting"] == "default":
        lines.append("  No setting has a higher mean than that of params.yaml.")
    else:
        gain = f"{in_points(winner)} points, {winner['words']}"
        lines.append(f"  The highest mean: {winner['setting']}, {gain}")
    return "\n".join(lines)


def draw(sweep: str, rows: pd.DataFrame, figures: dict) -> Figure:
    """Draw the runs of each setting, and below the effect of each value of a parameter."""
    settings, found = list(figures["settings"]), figures["effects"]
    heights = [len(settings) + 1, len(found) + 1] if found else [len(settings) + 1]
    figure = Figure(figsize=(6.3, 0.2 * sum(heights) + 0.75 * len(heights)), layout="constrained")
    axes = figure.subplots(len(heights), squeeze=False, height_ratios=heights)[:, 0]
    places = rows["setting"].map(settings.index)
    axes[0].plot(rows[ACCURACY], places, "o", ms=4, mew=0, color="#4c78a8", alpha=0.6)
    means = [figures["settings"][setting]["mean"] or np.nan for setting in settings]
    axes[0].plot(means, range(len(settings)), "|", ms=12, mew=2, color="black")
    axes[0].set_title(f"Sweep {sweep}: every run of {figures['stage']}, and means", fontsize=10)
    axes[0].set_xlabel("validation accuracy", fontsize=9)
    axes[0].set_yticks(range(len(settings)), settings)
    if found:
        for place, row in enumerate(found.values()):
            if row["low"] is not None:
                reach = [100 * row["low"], 100 * row["high"]]
                axes[1].plot(reach, [place, place], color=COLORS[row["words"]])
            axes[1].plot(100 * row["difference"], place, "o", ms=5, color=COLORS[row["words"]])
        axes[1].axvline(0, color="0.7", zorder=0)
        axes[1].set_title("Main effects: the value in place of that of params.yaml", fontsize=10)
        axes[1].set_xlabel(
            "difference in percentage points, 95% interval over seeds; grey: not told from 0",
            fontsize=9,
        )
        axes[1].set_yticks(range(len(found)), [name.split(".", 1)[1] for name in found])
    for ax in axes:
        ax.set_ylim(len(ax.get_yticks()) - 0.4, -0.6)
        ax.grid(axis="x", color="0.92")
        ax.tick_params(labelsize=8)
    return figure


def main(x_train: Path, y_train: Path, table_path: Path, metrics: Path, pictures: Path) -> None:
    params = read_params()
    now = {
        "train": {"lr": params["train"]["lr"]},
        "train_default": params["train_default"],
        "train_improved": params["train_improved"],
    }
    found, data = {}, name_data(x_train, y_train)
    pictures.mkdir(parents=True, exist_ok=True)
    for sweep, rows in read_table(table_path).groupby("sweep"):
        if rows.loc[rows["setting"] == "default", ACCURACY].isna().all():
            print(f"{sweep}: no run of params.yaml's own setting has ended, nothing to compare")
            continue
        found[sweep] = summarise(rows, data, now)
        print(say(sweep, found[sweep]), flush=True)
        save_figure(draw(sweep, rows, found[sweep]), pictures / f"{sweep}.png")
    save_json(metrics, found)


if __name__ == "__main__":
    run(main)
