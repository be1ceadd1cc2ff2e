"""Write the report: what the assignment asks, in at most ten pages, from the results alone.

Reads   the layout (Typst), metrics and plots of the other stages (JSON, CSV, PNG)
Does    chooses sentences by the figures, draws charts in the font of the text, sets the pages
Writes  the report (PDF)
"""

import json
import tempfile
from pathlib import Path

import matplotlib
import pandas as pd
import typst

from common import report_charts as charts
from common import report_text as text
from common.command import InputError, run
from common.files import replacing
from common.params import read_params

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
NETWORKS = ("default", "improved")
METRICS = (
    "compare_layers",
    "density",
    "evaluate",
    "groups",
    "guess",
    "interpret",
    "kmeans",
    "kmeans_range",
    "label_errors",
    "networks",
    "pca",
    "reveal",
    "sweeps",
)
SHOWN = 2  # labels whose groups are shown, those with the most


def heading(words: str) -> dict:
    return {"kind": "heading", "text": words}


def paragraph(*sentences: str) -> dict:
    return {"kind": "text", "text": " ".join(filter(None, sentences))}


def table(columns: list[str], rows: list[list[str]], caption: str, align: str = "right") -> dict:
    """Return a table; its first column is aligned left, the others as `align` says."""
    return {"kind": "table", "columns": columns, "rows": rows, "caption": caption, "align": align}


def pictures(caption: str, *contents: bytes) -> dict:
    """Return one or more pictures, SVG or PNG, side by side above a caption."""
    return {"kind": "picture", "contents": contents, "caption": caption}


def read(folder: Path, *names: str) -> dict[str, dict]:
    """Return JSON files of a folder by name."""
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in names}


def read_curves(metrics: Path) -> pd.DataFrame:
    """Return network, split, epoch, loss and accuracy of both networks."""
    tables = []
    for network in NETWORKS:
        folder = metrics / f"train_{network}/plots/custom"
        loss, accuracy = (pd.read_json(folder / f"{name}.json") for name in ("loss", "accuracy"))
        tables.append(loss.merge(accuracy, on=["network", "split", "epoch"]))
    return pd.concat(tables, ignore_index=True)


def question_1(r: dict) -> list[dict]:
    """The default network: summary and run time."""
    seconds = r["training"]["default"]["total_seconds"]
    return [
        heading("1  The default network"),
        paragraph(
            text.about_data(r["settings"]["source"]),
            *text.about_default(r["settings"], r["networks"]["default"], seconds),
        ),
        table(
            ["layer", "kind", "output", "parameters", "multiply-adds"],
            text.table_of_layers(r["layers"]["default"]),
            "The default network, layer by layer: most parameters are in one dense layer.",
        ),
    ]


def question_2(r: dict) -> list[dict]:
    """The improved network: diagram, choices with sources, and what each is worth."""
    mine, sweep = r["settings"]["improved"], r["sweeps"].get("design")
    sweep = sweep if sweep and sweep["same_data"] else None
    layers = r["layers"]["improved"].set_index("layer")["output"]
    outputs = {"pixels": layers["rescale"], "stem": layers["stem"]}
    outputs |= {f"stage {stage}": layers[f"stage_{stage}_add"] for stage in (1, 2, 3)}
    outputs |= {"encoding": layers["encoding"], "softmax": layers["probabilities"]}
    return [
        heading("2  A network of our own"),
        paragraph(*text.about_improved(r["settings"]["lr"], mine, r["networks"])),
        pictures(
            "The improved network and what its blocks put out: pictures get smaller and deeper"
            " until one number a channel is left.",
            charts.diagram(outputs, mine["normalise"], mine["skip"]),
        ),
        table(
            ["choice", "value", "why", "source", "without it: points (95% interval)"],
            text.table_of_choices(mine, sweep),
            "Design choices. The last column is what leaving a choice out changes in validation"
            " accuracy, in percentage points, on a narrower network and fewer epochs.",
            align="left",
        ),
        paragraph(text.about_designs(sweep)),
    ]


def question_3(r: dict) -> list[dict]:
    """Results: run times, comparison, hyper-parameters, curves and confusion."""
    blocks = [
        heading("3  Results"),
        paragraph(*text.about_results(r["evaluate"])),
        table(
            ["on the test images", "accuracy", "95% interval", "loss (nats)", "macro F1"],
            text.table_of_results(r["evaluate"]),
            "Both networks beside two baselines; intervals are Wilson's [13].",
        ),
        table(
            ["", "training", "images a second", "testing", "images a second"],
            text.table_of_times(r["training"], r["testing"]),
            "Run times on one machine, validation included in training.",
        ),
        pictures(
            "Loss by epoch: where training falls below validation, images are learned by heart.",
            charts.curves(r["curves"], "loss", "loss (nats)"),
        ),
        pictures(
            "Accuracy by epoch: solid lines are of images that a network has not learned from.",
            charts.curves(r["curves"], "accuracy", "accuracy"),
        ),
        paragraph(text.about_curves(r["curves"])),
        pictures(
            "Confusion on the test images: what is off the diagonal was taken for another label.",
            charts.matrices(
                {f"{network} network": counts for network, counts in r["confusion"].items()},
                "actual label",
                "predicted label",
            ),
        ),
    ]
    rates = {
        name: sweep
        for name, sweep in r["sweeps"].items()
        if name.startswith("rates") and sweep["same_data"]
    }
    if rates:
        blocks += [
            pictures(
                "Learning rate and batch size in place of those chosen, other things equal: filled"
                " where the difference can be told from chance.",
                charts.effects(
                    {text.network_of(sweep): sweep["effects"] for sweep in rates.values()}
                ),
            ),
            paragraph(*map(text.about_sweep, rates.values())),
        ]
    return blocks


def question_4(r: dict) -> list[dict]:
    """The encoding: layer, PCA, clusters, groups, verdict, guesses and doubts."""
    settings, points = r["settings"], r["scatter"]["principal components"]
    by_groups = sorted(r["groups"], key=lambda label: -r["groups"][label]["n"])
    return [
        heading("4  What the labels mean"),
        paragraph(*text.about_layers(r["compare_layers"], settings["layer"])),
        pictures(
            "Layers from first to last: what a layer knows of the labels, and of the pictures.",
            charts.layers(r["compare_layers"]),
        ),
        paragraph(text.about_pca(r["pca"])),
        pictures(
            "Test images' encodings: do images of a label lie together, and in how many clumps?",
            charts.scatters(r["scatter"]),
        ),
        paragraph(
            *text.about_clusters(
                r["kmeans"], r["kmeans_range"], r["density"], settings["n_clusters"]
            )
        ),
        table(
            [
                "agreement with labels",
                "adjusted Rand",
                "normalised MI",
                "homogeneity",
                "completeness",
            ],
            text.table_of_clusters(r["kmeans"]),
            "k-means clusters of the test images assessed; 1 is perfect, 0 chance.",
        ),
        pictures(
            "Test images of each label in the clusters that k-means and density find.",
            charts.matrices(r["clusters"], "label", "cluster"),
        ),
        pictures(
            "Agreement and silhouette [17] by the number of clusters.",
            charts.numbers_of_clusters(
                {n: row for n, row in r["kmeans_range"].items() if n != "best"}
            ),
        ),
        pictures(
            "Test images at random, of each cluster and of each label: compare what a cluster holds"
            " with what a label holds.",
            charts.images({"cluster": points, "label": points}),
        ),
        paragraph(*text.about_meaning(r["interpret"])),
        *(
            pictures(
                f"Inside label {label}: a row for each group that looks different, and its mean.",
                r["pictures"][label],
            )
            for label in by_groups[:SHOWN]
            if label in r["pictures"]
        ),
        paragraph(text.about_guesses(r["guess"], r["reveal"])),
        table(
            ["label", "groups", "garments", "agreement", "guess", "standing"],
            text.table_of_guesses(r["guess"], r["groups"], r["reveal"]),
            "The guesses beside what was found without them; agreement of groups with garments is"
            " adjusted mutual information [20].",
            align="left",
        ),
        paragraph(text.about_doubts(r["label_errors"])),
    ]


def sources() -> list[dict]:
    """Libraries and papers."""
    numbered = [f"[{n}] {source}" for n, source in enumerate(text.SOURCES, start=1)]
    return [
        heading("Libraries and sources"),
        paragraph(text.LIBRARIES),
        {"kind": "sources", "items": numbered},
    ]


def set_pages(layout: str, title: str, authors: list[str], course: str, blocks: list) -> bytes:
    """Set blocks by a Typst layout that reads them from data.json, and return the PDF.

    Raises:
        InputError: the layout does not compile.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, block in enumerate(blocks):
            if block["kind"] == "picture":
                block["files"] = []
                for part, content in enumerate(block.pop("contents")):
                    suffix = "png" if content.startswith(b"\x89PNG") else "svg"
                    block["files"].append(f"{number}-{part}.{suffix}")
                    (folder / block["files"][-1]).write_bytes(content)
        data = {"title": title, "authors": authors, "course": course, "blocks": blocks}
        (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
        (folder / "layout.typ").write_text(layout, encoding="utf-8")
        options = {"root": folder, "font_paths": [FONTS], "ignore_system_fonts": True}
        try:
            return typst.compile(folder / "layout.typ", **options)
        except typst.TypstError as error:
            raise InputError(f"the layout: expected Typst that compiles: {error}") from error


def read_counts(path: Path, row: str, column: str) -> pd.DataFrame:
    """Return a table of counts with the values of one column as rows, of another as columns."""
    counts = pd.read_csv(path, dtype={column: str}).pivot(index=row, columns=column, values="count")
    return counts[sorted(counts.columns, key=lambda name: (not name.isdigit(), name.zfill(3)))]


def read_results(metrics: Path, plots: Path) -> dict:
    """Return what the report tells, by name: dicts, tables and pictures."""
    runtime = read(metrics / "runtime", "train_default", "train_improved", "evaluate")
    return read(metrics, *METRICS) | {
        "training": {network: runtime[f"train_{network}"] for network in NETWORKS},
        "testing": runtime["evaluate"],
        "layers": {name: pd.read_csv(metrics / f"networks/{name}.csv") for name in NETWORKS},
        "curves": read_curves(metrics),
        "confusion": {
            name: read_counts(plots / f"confusion/{name}.csv", "actual", "predicted")
            for name in NETWORKS
        },
        "clusters": {
            "k-means": read_counts(plots / "clusters.csv", "label", "cluster"),
            "density": read_counts(plots / "density.csv", "label", "cluster"),
        },
        "scatter": {
            "principal components": pd.read_csv(plots / "scatter/pca.csv"),
            "t-SNE": pd.read_csv(plots / "scatter/tsne.csv"),
        },
        "pictures": {
            path.stem.removeprefix("label_"): path.read_bytes()
            for path in sorted((plots / "groups").glob("label_*.png"))
        },
    }


def compose(r: dict) -> list[dict]:
    """Return the report's blocks: headings, paragraphs, tables and pictures."""
    return [*question_1(r), *question_2(r), *question_3(r), *question_4(r), *sources()]


def read_settings() -> dict:
    """Return the parameters that the report tells, and what stands on its first page."""
    params = read_params()
    return {
        "source": params["fetch"]["source"],
        "valid_fraction": params["prepare"]["valid_fraction"],
        "lr": params["train"]["lr"],
        "default": params["train_default"],
        "improved": params["train_improved"],
        "layer": params["extract_encoding"]["layer"],
        "n_clusters": params["kmeans"]["n_clusters"],
        "title": params["report"]["title"],
        "authors": params["report"]["authors"],
        "course": params["report"]["course"],
    }


def main(layout: Path, metrics: Path, plots: Path, report: Path) -> None:
    settings = read_settings()
    blocks = compose(read_results(metrics, plots) | {"settings": settings})
    first_page = [settings[key] for key in ("title", "authors", "course")]
    pdf = set_pages(layout.read_text(encoding="utf-8"), *first_page, blocks)
    with replacing(report) as part:
        part.write_bytes(pdf)


if __name__ == "__main__":
    run(main)
