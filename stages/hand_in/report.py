"""Write the report: draw its figures, and compile the document that holds its text.

Reads   metrics and plots of the other stages (JSON, CSV, PNG), the document (Typst), params.yaml
Does    draws the figures in the font of the text; Typst reads numbers and chooses sentences itself
Writes  the figures (SVG), the report (PDF)

To change the text, edit the document where it says it. A value that it asks for and that is missing
is told with the line that asks.
"""

import json
import re
from pathlib import Path

import pandas as pd
import typst

from stages.common.command import InputError, run
from stages.common.files import replacing, save_text
from stages.common.params import read_params
from stages.common.pictures import fonts_for
from stages.hand_in import charts

NETWORKS = ("default", "improved")


def read_curves(metrics: Path) -> pd.DataFrame:
    """Return network, split, epoch, loss and accuracy of both networks."""
    tables = []
    for network in NETWORKS:
        folder = metrics / network / "plots/custom"
        loss, accuracy = (pd.read_json(folder / f"{name}.json") for name in ("loss", "accuracy"))
        tables.append(loss.merge(accuracy, on=["network", "split", "epoch"]))
    return pd.concat(tables, ignore_index=True)


def read_counts(path: Path, row: str, column: str) -> pd.DataFrame:
    """Return a table of counts with the values of one column as rows, of another as columns."""
    counts = pd.read_csv(path, dtype={column: str}).pivot(index=row, columns=column, values="count")
    return counts[sorted(counts.columns, key=lambda name: (not name.isdigit(), name.zfill(3)))]


def outputs_of(layers: pd.DataFrame) -> dict[str, str]:
    """Return what the blocks of the improved network put out, by the name of the block."""
    output = layers.set_index("layer")["output"]
    stages = {f"stage {stage}": output[f"stage_{stage}_add"] for stage in (1, 2, 3)}
    ends = {"encoding": output["encoding"], "softmax": output["probabilities"]}
    return {"pixels": output["rescale"], "stem": output["stem"]} | stages | ends


def draw(metrics: Path, plots: Path, batch_norm: bool, skip: bool, seed: int) -> dict[str, str]:
    """Return the report's figures as SVG, by name.

    Args:
        batch_norm, skip: what the improved network has
        seed: of the choice of images
    """
    by_components, by_neighbours = (
        pd.read_csv(plots / f"scatter/{name}.csv") for name in ("pca", "tsne")
    )
    return {
        "diagram": charts.diagram(
            outputs_of(pd.read_csv(metrics / "networks/improved.csv")),
            batch_norm,
            skip,
        ),
        "curves": charts.curves(read_curves(metrics)),
        "confusion": charts.matrices(
            {
                f"{network} network": read_counts(
                    plots / f"evaluate/confusion_{network}.csv", "actual", "predicted"
                )
                for network in NETWORKS
            },
            "actual label",
            "predicted label",
        ),
        "layers": charts.layers(pd.read_csv(plots / "compare_layers.csv")),
        "scatter": charts.scatters(
            [
                ("principal components", by_components, "label"),
                ("principal components", by_components, "cluster"),
                ("t-SNE", by_neighbours, "label"),
            ]
        ),
        "counts": charts.matrices(
            {
                "k-means": read_counts(plots / "clusters.csv", "label", "cluster"),
                "HDBSCAN": read_counts(plots / "density.csv", "label", "cluster"),
            },
            "label",
            "cluster",
        ),
        "numbers": charts.numbers_of_clusters(pd.read_csv(plots / "kmeans_range.csv")),
        "images": charts.images({"cluster": by_components}, seed),
    }


def compile_document(document: Path, root: Path, fonts: dict[str, Path]) -> bytes:
    """Compile a Typst document and return the PDF.

    Args:
        root: the folder that the document may read from
        fonts: as `fonts_for` returns them; the document gets their names as its input `fonts`

    Raises:
        InputError: it does not compile, or asks for a value that is not there; with the place.
    """
    try:
        return typst.compile(
            document,
            root=root,
            sys_inputs={"fonts": json.dumps(list(fonts))},
            font_paths=list(dict.fromkeys(path.parent for path in fonts.values())),
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        place = re.search(r"┌─ (\S+?:\d+)", error.diagnostic or "")
        where = place[1] if place else document
        raise InputError(f"{where}: expected Typst that compiles: {error.message}") from error


def main(metrics: Path, plots: Path, document: Path, figures: Path, report: Path) -> None:
    params = read_params()
    batch_norm, skip = params["train_improved"]["batch_norm"], params["train_improved"]["skip"]
    drawn = draw(metrics, plots, batch_norm, skip, params["scatter"]["seed"])
    for name, svg in drawn.items():
        save_text(figures / f"{name}.svg", svg)
    page, guesses = params["report"], json.loads((metrics / "guess.json").read_text("utf-8"))
    words = [page["title"], page["course"], *page["authors"]]
    words += [guess["guess"] for guess in guesses.values()]
    pdf = compile_document(document, Path(), fonts_for(" ".join(words)))
    with replacing(report) as part:
        part.write_bytes(pdf)


if __name__ == "__main__":
    run(main)
