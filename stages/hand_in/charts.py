"""The report's charts, drawn as SVG in the font of its text and readable in grey print."""

import base64
from collections.abc import Callable
from io import BytesIO, StringIO
from typing import ParamSpec

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from PIL import Image

from stages.common.pictures import named_columns

WIDTH = 6.5  # inches, that of the text
IN_A_ROW = 22  # images
MOST_ROWS = 12  # of images that share a cluster or a label
MOST_NUMBERED = 12  # columns of a matrix whose cells have room for numbers
STYLE: dict = {  # beside the font, which common.pictures sets for all figures
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.2,
    "lines.markersize": 3,
    "svg.fonttype": "none",  # text stays text, in the report's own font
    "svg.hashsalt": "report",  # or names inside the file would differ from run to run
}
DARK, MIDDLE, LIGHT = "#1b4f72", "#c0561b", "#8a8a8a"  # differ in grey, too
MARKERS = "osD^v"
P = ParamSpec("P")  # the arguments of a chart
SHADES = ("#0b3c5d", "#c0561b", "#3c9d6b", "#b58fc4", "#d9a400")


def styled(draw: Callable[P, Figure]) -> Callable[P, str]:
    """Let a function that returns a figure return it as SVG in the report's style, undated."""

    def drawn(*arguments: P.args, **options: P.kwargs) -> str:
        text = StringIO()
        with matplotlib.rc_context(STYLE):
            draw(*arguments, **options).savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()

    return drawn


@styled
def curves(rows: pd.DataFrame) -> Figure:
    """Draw loss and accuracy by epoch, a column of panels a network; validation is solid.

    Both networks share axes: of the loss logarithmic, of accuracy logistic, which spreads what is
    near 1.

    Args:
        rows: network, split, epoch, loss (nats) and accuracy
    """
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    networks = list(rows["network"].unique())
    axes = figure.subplots(2, len(networks), sharex="col", sharey="row", squeeze=False)
    for (row, column), ax in np.ndenumerate(axes):
        quantity = ("loss", "accuracy")[row]
        of_network = rows[rows["network"] == networks[column]]
        for split, color, style in (("training", LIGHT, "--"), ("validation", DARK, "-")):
            one = of_network[of_network["split"] == split]
            values = one[quantity].clip(*((1e-4, None) if row == 0 else (1e-3, 1 - 1e-3)))
            ax.plot(one["epoch"], values, style, color=color, label=split, marker="o")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()
    for ax in axes[0]:
        ax.set_yscale("log")
        _plain_ticks(ax, (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2))
    for ax in axes[1]:
        ax.set_yscale("logit")
        _plain_ticks(ax, (0.1, 0.2, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999))
        ax.set_xlabel("epoch")
    for ax, network in zip(axes[0], networks, strict=True):
        ax.set_title(f"{network} network")
    for ax, words in zip(axes[:, 0], ("loss (nats)", "accuracy"), strict=True):
        ax.set_ylabel(words)
    return figure


def _plain_ticks(ax: Axes, values: tuple[float, ...]) -> None:
    """Write those of the values on the axis that it shows, and no others."""
    low, high = ax.get_ylim()
    shown = [value for value in values if low <= value <= high]
    ax.set_yticks(shown, [f"{value:g}" for value in shown])
    ax.minorticks_off()


@styled
def matrices(tables: dict[str, pd.DataFrame], rows: str, columns: str) -> Figure:
    """Draw counts as heat maps side by side, each cell shaded by its fraction of the row."""
    figure = Figure(figsize=(WIDTH, 2.3), layout="constrained")
    for ax, (title, counts) in zip(
        np.atleast_1d(figure.subplots(1, len(tables))), tables.items(), strict=True
    ):
        fractions = counts.div(counts.sum(axis=1), axis=0).to_numpy()
        ax.imshow(fractions, cmap="Greys", vmin=0, vmax=1.1, aspect="auto")
        named = named_columns(counts.shape[1], MOST_NUMBERED)
        for (row, column), fraction in (
            np.ndenumerate(fractions) if len(named) == counts.shape[1] else ()
        ):
            text = f"{counts.iat[row, column]:,}"
            color = "white" if fraction > 0.7 else "black"
            ax.text(column, row, text, ha="center", va="center", fontsize=7, color=color)
        ax.set_xticks(named, counts.columns[named])
        ax.set_yticks(range(counts.shape[0]), counts.index)
        ax.set(title=title, xlabel=columns, ylabel=rows)
        for spine in ax.spines.values():
            spine.set_visible(True)
    return figure


@styled
def scatters(panels: list[tuple[str, pd.DataFrame, str]]) -> Figure:
    """Draw encodings in two dimensions side by side, coloured by a column of their tables.

    Args:
        panels: title, table of x, y and the column, and its name
    """
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(panels)))
    for ax, (title, table, column) in zip(axes, panels, strict=True):
        for place, (value, one) in enumerate(table.groupby(column)):
            color, marker = SHADES[place % len(SHADES)], MARKERS[place % len(MARKERS)]
            label = str(value) if place < MOST_ROWS else None
            ax.plot(one["x"], one["y"], marker, ms=2.2, mew=0, color=color, alpha=0.8, label=label)
        ax.set(title=f"{title}, by {column}", xticks=[], yticks=[])
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            ncols=6,
            columnspacing=0.8,
            handletextpad=0,
            markerscale=2,
        )
    return figure


@styled
def images(tables: dict[str, pd.DataFrame], seed: int) -> Figure:
    """Draw images in rows, a block of rows for each column of values that they share.

    Args:
        tables: by the name of the column, images as PNG in data URLs, and the column
        seed: of the choice of images, if there are more than a row holds
    """
    rng = np.random.default_rng(seed)
    rows = [
        (f"{name} {value}", rng.permutation(group["image"])[:IN_A_ROW])
        for name, table in tables.items()
        for value, group in list(table.groupby(name))[:MOST_ROWS]
    ]
    figure = Figure(figsize=(WIDTH, 0.29 * len(rows)), layout="constrained")
    for ax, (name, urls) in zip(np.atleast_1d(figure.subplots(len(rows), 1)), rows, strict=True):
        strip = np.hstack([_pixels(url) for url in urls])
        blank = np.full((strip.shape[0], 56 * IN_A_ROW - strip.shape[1]), 255, np.uint8)
        ax.imshow(np.hstack([strip, blank]), cmap="gray", vmin=0, vmax=255, aspect="equal")
        ax.set(xticks=[], yticks=[])
        ax.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
        ax.spines[:].set_visible(False)
    return figure


def _pixels(url: str) -> np.ndarray:
    """Return the grey values (56, 56), 0-255, of a PNG in a data URL."""
    content = base64.b64decode(url.split(",", 1)[1])
    return np.asarray(Image.open(BytesIO(content)).convert("L").resize((56, 56)))


@styled
def layers(scores: pd.DataFrame) -> Figure:
    """Draw agreement with the labels and detail within labels, layer by layer of each network.

    Args:
        scores: network, layer and figures, a row a layer
    """
    figure = Figure(figsize=(WIDTH, 2.2), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, 2, sharey=True))
    for ax, (network, rows) in zip(axes, scores.groupby("network"), strict=True):
        for key, name, color, marker in (
            ("adjusted_rand_index", "agreement with labels", DARK, "o"),
            ("detail", "detail within labels", MIDDLE, "s"),
        ):
            ax.plot(range(len(rows)), rows[key], marker=marker, color=color, label=name)
        ax.set_xticks(range(len(rows)), rows["layer"], rotation=20, ha="right")
        ax.set(title=f"{network} network", ylim=(_lowest(ax), 1))
    axes[0].set_ylabel("score")
    axes[0].legend()
    return figure


def _lowest(ax: Axes) -> float:
    """Return where an axis of scores of at most 1 begins: at 0, or at the lowest score."""
    return min(0, ax.dataLim.ymin)


@styled
def numbers_of_clusters(scores: pd.DataFrame) -> Figure:
    """Draw agreement and silhouette by `n_clusters`, the number of clusters."""
    figure = Figure(figsize=(WIDTH, 2.0), layout="constrained")
    ax = figure.subplots()
    for key, name, color, style in (
        ("adjusted_rand_index", "agreement with the labels, test images", DARK, "-o"),
        ("silhouette", "silhouette, test images", MIDDLE, "-s"),
        ("valid_silhouette", "silhouette, validation images", LIGHT, ":"),
    ):
        ax.plot(scores["n_clusters"], scores[key], style, color=color, label=name)
    ax.set(xlabel="number of clusters", ylim=(_lowest(ax), 1), xticks=scores["n_clusters"])
    ax.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


@styled
def diagram(outputs: dict[str, str], batch_norm: bool, skip: bool) -> Figure:
    """Draw the improved network: its blocks from left to right, and below the inside of a stage.

    Args:
        outputs: what each block puts out, by name
    """
    figure = Figure(figsize=(WIDTH, 1.75), layout="constrained")
    ax = figure.subplots()
    ax.set(xlim=(0, 100), ylim=(0, 26))
    ax.axis("off")
    step = 100 / len(outputs)
    for place, (name, output) in enumerate(outputs.items()):
        x = place * step
        if place:
            _arrow(ax, x - 0.22 * step, x, 20)
        _box(ax, x, 17.5, 0.78 * step, 5, name)
        ax.text(x + 0.39 * step, 15.6, output, ha="center", va="center", fontsize=7.5)
    after = ["norm", "ReLU"] if batch_norm else ["ReLU"]
    inside = ["conv 3x3", "max 2x2", *after, "conv 3x3", *after, "conv 3x3", *after]
    start, step = 8.0, 86 / (len(inside) + 1)
    ax.text(0, 5, "a stage", va="center", style="italic")
    for place, name in enumerate(inside):
        x = start + place * step
        _arrow(ax, x - 0.14 * step, x, 5)
        _box(ax, x, 2.5, 0.86 * step, 5, name)
    end = start + len(inside) * step
    _arrow(ax, end - 0.14 * step, end + 0.3 * step, 5)
    if skip:
        fork = start + (2 + len(after)) * step - 0.07 * step
        ax.text(end + 0.5 * step, 5, "+", ha="center", va="center", fontsize=11)
        ax.plot([fork, fork, end + 0.5 * step], [5, 10.5, 10.5], color=LIGHT, lw=1)
        ax.add_patch(_pointed((end + 0.5 * step, 10.5), (end + 0.5 * step, 6.4)))
        ax.text((fork + end) / 2, 11.7, "skip", ha="center", va="center", fontsize=7.5)
        _arrow(ax, end + 0.7 * step, end + 1.0 * step, 5)
    return figure


def _box(ax: Axes, x: float, y: float, width: float, height: float, text: str) -> None:
    ax.add_patch(Rectangle((x, y), width, height, facecolor="#eef2f5", edgecolor=DARK, lw=0.8))
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=7)


def _arrow(ax: Axes, left: float, right: float, y: float) -> None:
    ax.add_patch(_pointed((left, y), (right, y)))


def _pointed(start: tuple, end: tuple) -> FancyArrowPatch:
    style: dict = {"arrowstyle": "-|>", "mutation_scale": 7, "color": LIGHT, "lw": 1}
    return FancyArrowPatch(start, end, shrinkA=0, shrinkB=0, **style)
