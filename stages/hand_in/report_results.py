"""The report's sentences and tables on what the networks achieve; see report_networks.py."""

import pandas as pd

from stages.hand_in.differences import in_points
from stages.hand_in.report_networks import schedule_of
from stages.hand_in.words import duration, list_in_words, p_value, percent

UNSTABLE = 0.05  # standard deviation of accuracy
BASELINES = {
    "majority": "most frequent label",
    "logistic": "logistic regression on pixels",
    "default": "default network",
    "improved": "improved network",
}


def network_of(sweep: dict) -> str:
    """Return which network a sweep trained, in words."""
    return sweep["stage"].replace("train_", "") + " network"


def table_of_rates(sweeps: list[dict]) -> tuple[list[str], list[list[str]]]:
    """Return the columns and rows of mean validation accuracies by setting, a column a network.

    Args:
        sweeps: usable ones of metrics/sweeps.json, each of another network
    """
    cells: dict[tuple, dict] = {}
    for sweep in sweeps:
        for setting, row in sweep["settings"].items():
            values = {key.split(".")[1]: value for key, value in row["values"].items()}
            cell = "no run ended"
            if row["mean"] is not None:
                cell = percent(row["mean"])
                cell += f" ± {percent(row['standard_deviation'])}" if row["runs"] > 1 else ""
                cell += f", {row['failed']} failed" if row["failed"] else ""
                cell += " (chosen)" if setting == "default" else ""
            cells.setdefault(tuple(values.items()), {})[network_of(sweep)] = cell
    networks = [network_of(sweep) for sweep in sweeps]
    rows = [
        [", ".join(f"{key} {value}" for key, value in setting)]
        + [found.get(network, "not tried") for network in networks]
        for setting, found in cells.items()
    ]
    return ["setting", *networks], rows


def about_rates(sweep: dict) -> str:
    """Say whether another setting of a sweep is better than that chosen, and which do not learn."""
    winner, network = sweep["winner"], network_of(sweep)
    any_failed = any(row["failed"] for row in sweep["settings"].values())
    if winner["setting"] == "default":
        whole = " of which every run ended" if any_failed else ""
        first = f"For the {network} no setting{whole} has a higher mean than the one chosen."
    else:
        told = {
            "indistinguishable": "which cannot be told from chance",
            "unknown": "of one seed alone",
        }.get(winner["words"], "which is more than chance")
        first = (
            f"For the {network} {winner['setting'].replace('=', ' ')} has the highest mean,"
            f" {in_points(winner)} points from that of the setting chosen, {told}."
        )
    unstable = [
        setting.replace("=", " ")
        for setting, row in sweep["settings"].items()
        if (row["standard_deviation"] or 0) > UNSTABLE
    ]
    if not unstable:
        return first
    return f"{first} It learns with some seeds and not with others at {list_in_words(unstable)}."


def about_luck(sweeps: list[dict]) -> str:
    """Say what the best of many settings on a short schedule is worth, if one is best."""
    if all(sweep["winner"]["setting"] == "default" for sweep in sweeps):
        return ""
    return (
        "The best of many settings is partly the luckiest, and the best in a short schedule need"
        " not be so in the full one."
    )


def about_chance(sweeps: list[dict]) -> str:
    """Say how far runs are apart that differ in their seed alone; see `table_of_rates`."""
    parts = [
        f"{percent(sweep['settings']['default']['standard_deviation'])} for the"
        f" {network_of(sweep)} ({schedule_of(sweep)})"
        for sweep in sweeps
        if sweep["settings"]["default"]["runs"] > 1
    ]
    if not parts:
        return ""
    return (
        "The seed alone moves validation accuracy by a standard deviation of"
        f" {' and '.join(parts)}."
    )


def about_unseen(unseen: pd.DataFrame, n_test: int) -> str:
    """Say what accuracy is without test images that are training images, if there are any."""
    images = int(unseen["images"].iloc[0])
    if images == n_test:
        return ""
    if images == 0:
        return "Every test image is a training image: no accuracy here says what new images get."
    default, improved = (percent(unseen["accuracy"][name]) for name in ("default", "improved"))
    return (
        f"Without the {n_test - images:,} test images that are training images, accuracy is"
        f" {default} for the default network and {improved} for the improved one."
    )


def table_of_results(scores: dict) -> list[list[str]]:
    """Return rows of predictor, accuracy, interval, loss and macro F1, on the test images."""
    return [
        [
            name,
            percent(scores[key]["accuracy"]),
            f"{percent(scores[key]['ci_low'])} to {percent(scores[key]['ci_high'])}",
            f"{scores[key]['loss']:.3f}",
            f"{scores[key]['macro_f1']:.3f}",
        ]
        for key, name in BASELINES.items()
    ]


def table_of_times(training: dict, testing: dict) -> list[list[str]]:
    """Return rows of network, training time, its speed, test time and its speed."""
    return [
        [
            f"{network} network",
            duration(training[network]["seconds"]),
            f"{training[network]['images_per_second']:,.0f}",
            duration(testing[network]["seconds"]),
            f"{testing[network]['images_per_second']:,.0f}",
        ]
        for network in ("default", "improved")
    ]


def precision_of(environment: dict) -> str:
    """Return the precision in which the networks were trained, or both networks' if they differ."""
    return list_in_words(list(dict.fromkeys(environment["precision"].values())))


def about_results(differences: pd.DataFrame, by_label: pd.DataFrame, tta_views: int) -> list[str]:
    """Say which network is better, whether by more than chance, and what each finds hardest.

    Args:
        differences: of each predictor, the index, and the one before it
        by_label: network, label and f1, a row a label of each network
        tta_views: of a test image, over which the improved network's predictions are averaged
    """
    row = differences.loc["improved"]
    gain, p = row["accuracy_gain"], row["mcnemar_p"]
    test = f"(exact McNemar test [McNemar 1947], {p_value(p)})"
    if p >= 0.05:
        verdict = f"The two networks cannot be told apart on the test images {test}."
    else:
        winner = "improved" if gain > 0 else "default"
        verdict = (
            f"The {winner} network is better by {100 * abs(gain):.2f} percentage points, more"
            f" than the choice of test images explains {test}."
        )
    return [
        verdict,
        f"Test images on which the improved network alone is right:"
        f" {row['only_this_right']:,}; the default one alone: {row['only_rival_right']:,}.",
        f"The improved network's probabilities are means over {tta_views} views of an image,"
        f" {'flipped' if tta_views == 2 else 'flipped and shifted'}."
        if tta_views > 1
        else "",
        *(
            hardest(network, rows.set_index("label")["f1"].dropna())
            for network, rows in by_label.groupby("network")
        ),
    ]


def hardest(network: str, f1: pd.Series) -> str:
    """Say which labels, the index, a network predicts worst, by their F1 scores."""
    lowest = f1.min()
    labels = [str(label) for label in f1.index[f1 == lowest]]
    return (
        f"Hardest to the {network} network: label{'s' * (len(labels) > 1)}"
        f" {list_in_words(labels)} (F1 {lowest:.3f})."
    )


def about_curves(curves: pd.DataFrame) -> str:
    """Say what the curves show: whether the networks learn their training images by heart."""
    last = curves[curves["epoch"] == curves.groupby("network")["epoch"].transform("max")]
    accuracy = last.pivot(index="network", columns="split", values="accuracy")
    parts = [
        f"the {network} network is right for {percent(row['training'])} of the training and"
        f" {percent(row['validation'])} of the validation images"
        for network, row in accuracy.iterrows()
    ]
    return f"In the last epoch {list_in_words(parts)}."
