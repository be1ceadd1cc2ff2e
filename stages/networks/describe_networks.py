"""Describe both networks as they are before training: summary, size, work and diagram.

Reads   no data: it builds the networks
Does    counts parameters and multiply-adds layer by layer
Writes  a text for each network (Keras' summary and the counts), the counts (CSV), the totals
        (JSON), a diagram for each network (PNG)
"""

import os
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from stages.common.command import run
from stages.common.files import save_json, save_table, save_text
from stages.common.params import read_params
from stages.common.pictures import save_figure
from stages.networks.backend import keras
from stages.networks.train_default import default_network
from stages.networks.train_improved import improved_network

COLORS = {"Conv2D": "#4c78a8", "Dense": "#4c78a8", "pooling": "#f58518", "other": "#bab0ac"}


def multiply_adds(layer: keras.Layer) -> int:
    """Count the multiply-adds that a layer's kernel does on one image; 0 where it has none.

    A kernel is applied once at each place of the output: 28 x 28 times for a convolution that
    keeps the size, once for a dense layer.
    """
    if not isinstance(layer, keras.layers.Conv2D | keras.layers.Dense):
        return 0
    weights = 1
    for size in layer.kernel.shape:
        weights *= size
    places = 1
    for size in layer.output.shape[1:-1]:
        places *= size
    return weights * places


def count_layers(network: keras.Model) -> pd.DataFrame:
    """Tabulate the layers after the input: layer, kind, output, parameters, multiply_adds."""
    return pd.DataFrame(
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output": " x ".join(str(size) for size in layer.output.shape[1:]),
            "parameters": layer.count_params(),
            "multiply_adds": multiply_adds(layer),
        }
        for layer in network.layers
        if not isinstance(layer, keras.layers.InputLayer)
    )


def describe(network: keras.Model, layers: pd.DataFrame) -> str:
    """Return Keras' summary and, below it, the counts of each layer and their sum, as text."""
    os.environ["COLUMNS"] = "100"  # or the summary would be as wide as the terminal at hand
    lines: list[str] = []
    network.summary(line_length=100, print_fn=lines.append)
    total = layers[["parameters", "multiply_adds"]].sum().to_frame().T.assign(layer="total")
    counts = pd.concat([layers, total]).fillna("")
    table = counts.to_string(
        index=False, formatters=dict.fromkeys(total.columns[:2], "{:,}".format)
    )
    return "\n".join(["\n".join(lines), "", "Multiply-adds are for one image.", "", table, ""])


def draw_diagram(network: keras.Model, layers: pd.DataFrame) -> Figure:
    """Draw the layers from top to bottom, with what each puts out, and skips at their left."""
    figure = Figure(figsize=(6.3, 0.21 * len(layers) + 0.6), layout="constrained")
    ax = figure.subplots()
    ax.set(xlim=(0, 10), ylim=(len(layers) - 0.4, -1.6))
    ax.axis("off")
    for x, text, side in (
        (3.0, f"{network.name} network", "center"),
        (6.2, "output", "center"),
        (8.1, "parameters", "right"),
        (10.0, "multiply-adds", "right"),
    ):
        ax.text(x, -1.1, text, ha=side, va="center", fontsize=9, weight="bold")
    line: dict = {"color": "0.4", "lw": 1, "solid_capstyle": "butt"}
    arrow = {"arrowstyle": "-|>", "color": "0.4", "shrinkA": 0, "shrinkB": 0}
    row_of = {name: row for row, name in enumerate(layers["layer"])}
    for row, layer in enumerate(layers.itertuples()):
        kind = "pooling" if "Pool" in layer.kind else layer.kind
        color = COLORS.get(kind, COLORS["other"])
        ax.add_patch(
            Rectangle((0.8, row - 0.33), 4.4, 0.66, facecolor=color + "40", edgecolor=color)
        )
        ax.text(3.0, row, f"{layer.kind}  {layer.layer}", ha="center", va="center", fontsize=8)
        ax.text(6.2, row, layer.output, ha="center", va="center", fontsize=8)
        for x, count in ((8.1, layer.parameters), (10.0, layer.multiply_adds)):
            ax.text(x, row, f"{count:,}" if count else "", ha="right", va="center", fontsize=8)
        inputs = network.get_layer(layer.layer).input
        for tensor in inputs if isinstance(inputs, list) else [inputs]:
            source = row_of.get(tensor._keras_history.operation.name, row)
            if source == row - 1:
                ax.plot([3.0, 3.0], [source + 0.33, row - 0.33], **line)
            elif source < row:
                ax.plot([0.8, 0.3, 0.3], [source, source, row], **line)
                ax.annotate("", (0.8, row), (0.3, row), arrowprops=arrow)
    return figure


def main(folder: Path, totals: Path, diagrams: Path) -> None:
    params = read_params()
    metrics = {}
    improved = improved_network(
        params["train_improved"]["width"],
        params["train_improved"]["batch_norm"],
        params["train_improved"]["skip"],
    )
    for network in (default_network(), improved):
        layers = count_layers(network)
        metrics[network.name] = {
            "parameters": int(layers["parameters"].sum()),
            "multiply_adds": int(layers["multiply_adds"].sum()),
        }
        save_text(folder / f"{network.name}.txt", describe(network, layers))
        save_table(folder / f"{network.name}.csv", layers)
        save_figure(draw_diagram(network, layers), diagrams / f"{network.name}.png")
    save_json(totals, metrics)


if __name__ == "__main__":
    run(main)
