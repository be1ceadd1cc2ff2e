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

from stages.common.command import InputError, run
from stages.common.files import replacing
from stages.common.params import read_params
from stages.hand_in import charts
from stages.hand_in import report_meaning as meaning
from stages.hand_in import report_networks as networks
from stages.hand_in import report_results as results
from stages.hand_in.sources import LIBRARIES, cited

FONTS = Path(matplotlib.get_data_path()) / "fonts/ttf"
NETWORKS = ("default", "improved")
METRICS = (
    "audit",
    "density",
    "environment",
    "guess",
    "interpret",
    "kmeans",
    "label_errors",
    "networks",
    "pca",
    "reveal",
    "sweeps",
)
PREDICTORS = ("majority", "logistic", *NETWORKS)


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
        folder = metrics / network / "plots/custom"
        loss, accuracy = (pd.read_json(folder / f"{name}.json") for name in ("loss", "accuracy"))
        tables.append(loss.merge(accuracy, on=["network", "split", "epoch"]))
    return pd.concat(tables, ignore_index=True)


def question_1(r: dict) -> list[dict]:
    """The default network: summary and run time."""
    seconds = r["training"]["default"]["seconds"]
    return [
        heading("1  The default network"),
        paragraph(
            *networks.about_data(r["settings"]["source"], r["prepare"], r["audit"]),
            *networks.about_default(r["settings"], r["networks"]["default"], seconds),
        ),
        table(
            ["layer", "kind", "output", "parameters", "multiply-adds"],
            networks.table_of_layers(r["layers"]["default"]),
            "The default network, layer by layer: most parameters are in the first dense layer.",
        ),
    ]


def question_2(r: dict) -> list[dict]:
    """The improved network: diagram, choices with sources, and what each is worth."""
    mine, lr = r["settings"]["improved"], r["settings"]["lr"]
    sweep = networks.usable(r["sweeps"].get("design"), lr, mine)
    layers = r["layers"]["improved"].set_index("layer")["output"]
    outputs = {"pixels": layers["rescale"], "stem": layers["stem"]}
    outputs |= {f"stage {stage}": layers[f"stage_{stage}_add"] for stage in (1, 2, 3)}
    outputs |= {"encoding": layers["encoding"], "softmax": layers["probabilities"]}
    measured = ""
    if sweep:
        measured = (
            " The last column is what leaving a choice out changes in validation accuracy, in"
            f" percentage points ({networks.schedule_of(sweep)})."
        )
    return [
        heading("2  A network of our own"),
        paragraph(*networks.about_improved(lr, mine, r["networks"])),
        pictures(
            "The improved network and what its blocks put out: pictures get smaller and deeper"
            " until one number a channel is left.",
            charts.diagram(outputs, mine["batch_norm"], mine["skip"]),
        ),
        table(
            ["choice", "value", "why", "source", *(["without it"] if sweep else [])],
            networks.table_of_choices(mine, sweep),
            f"Design choices.{measured}",
            align="left",
        ),
        paragraph(networks.about_designs(sweep)),
    ]


def question_3(r: dict) -> list[dict]:
    """Results: run times, comparison, hyper-parameters, curves and confusion."""
    return [
        heading("3  Results"),
        paragraph(
            *results.about_results(r["differences"], r["by_label"], r["settings"]["tta_views"]),
            results.about_unseen(r["unseen"], r["prepare"]["test"]),
        ),
        table(
            ["on the test images", "accuracy", "95% interval", "loss (nats)", "macro F1"],
            results.table_of_results(r["evaluate"]),
            "Both networks beside two baselines; intervals are Wilson's [Wilson 1927].",
        ),
        table(
            ["", "training", "images a second", "testing", "images a second"],
            results.table_of_times(r["training"], r["testing"]),
            "Run times; validation counts as training, which was"
            f" in {results.precision_of(r['environment'])}.",
        ),
        pictures(
            "Loss by epoch: where training falls below validation, images are learned by heart.",
            charts.curves(r["curves"], "loss", "loss (nats)"),
        ),
        pictures(
            "Accuracy by epoch: solid lines are of images that a network has not learned from.",
            charts.curves(r["curves"], "accuracy", "accuracy"),
        ),
        paragraph(results.about_curves(r["curves"])),
        pictures(
            "Confusion on the test images: what is off the diagonal was taken for another label.",
            charts.matrices(
                {f"{network} network": counts for network, counts in r["confusion"].items()},
                "actual label",
                "predicted label",
            ),
        ),
        *hyper_parameters(r),
    ]


def usable_sweeps(r: dict, kind: str) -> list[dict]:
    """Return the sweeps of a kind that say something of the settings at hand, one a network."""
    settings = r["settings"]
    sweeps = (
        networks.usable(r["sweeps"].get(f"{kind}_{network}"), settings["lr"], settings[network])
        for network in NETWORKS
    )
    return [sweep for sweep in sweeps if sweep]


def hyper_parameters(r: dict) -> list[dict]:
    """Other learning rates and batch sizes, and how far chance moves a network."""
    rates, seeds = usable_sweeps(r, "rates"), usable_sweeps(r, "seeds")
    if not rates:
        return [
            paragraph(
                "Learning rates and batch sizes were not compared on these images, labels and"
                " settings."
            )
        ]
    schedules = [f"{results.network_of(sweep)}: {networks.schedule_of(sweep)}" for sweep in rates]
    return [
        table(
            *results.table_of_rates(rates),
            "Validation accuracy by learning rate per 128 images (lr) and batch size, mean and"
            f" standard deviation ({'; '.join(schedules)}).",
        ),
        paragraph(
            *map(results.about_rates, rates),
            results.about_luck(rates),
            results.about_chance(seeds),
        ),
    ]


def question_4(r: dict) -> list[dict]:
    """The encoding: layer, PCA, clusters, groups, verdict, guesses and doubts."""
    settings, points = r["settings"], r["scatter"]["principal components"]
    return [
        heading("4  What the labels mean"),
        paragraph(*meaning.about_layers(r["compare_layers"], settings["layer"])),
        pictures(
            "Layers from first to last: what a layer knows of the labels, and of the pictures.",
            charts.layers(r["compare_layers"]),
        ),
        paragraph(meaning.about_pca(r["pca"])),
        pictures(
            "Test images' encodings: do images of a label lie together, and in how many clusters?",
            charts.scatters(r["scatter"]),
        ),
        paragraph(
            *meaning.about_clusters(
                r["kmeans"], r["kmeans_range"], r["density"], settings["n_clusters"]
            ),
            meaning.about_density(r["clusters"]["density"]),
        ),
        table(
            [
                "agreement with labels",
                "adjusted Rand",
                "normalised MI",
                "homogeneity",
                "completeness",
            ],
            meaning.table_of_clusters(r["kmeans"]),
            "k-means clusters of the test images assessed; 1 is perfect, and chance gives an"
            " adjusted Rand index of 0.",
        ),
        pictures(
            "Test images of each label in the clusters that k-means and density find: a dark cell"
            " is most of a label.",
            charts.matrices(r["clusters"], "label", "cluster"),
        ),
        pictures(
            "Agreement and silhouette [Rousseeuw 1987] by the number of clusters: where is the"
            " peak?",
            charts.numbers_of_clusters(r["kmeans_range"]),
        ),
        pictures(
            "Test images at random, of each cluster and of each label: compare what a cluster holds"
            " with what a label holds."
            + (
                f" Of {settings['n_clusters']} clusters the first {charts.MOST_ROWS} are shown."
                if settings["n_clusters"] > charts.MOST_ROWS
                else ""
            ),
            charts.images({"cluster": points, "label": points}, settings["seed"]),
        ),
        paragraph(*meaning.about_meaning(r["interpret"])),
        paragraph(meaning.about_groups(r["groups"], settings["layer_of_groups"])),
        *(
            pictures(
                f"Inside label {label}: a row a group; its mean, typical and borderline images.",
                picture,
            )
            for label, picture in r["pictures"].items()
        ),
        paragraph(meaning.about_guesses(r["guess"], r["reveal"])),
        table(
            ["label", "guess", "standing", "why", "evidence"],
            meaning.table_of_guesses(r["guess"]),
            "Guesses beside what was found without them; agreement is adjusted mutual information"
            " [Vinh 2010].",
            align="left",
        ),
        paragraph(meaning.about_doubts(r["label_errors"])),
    ]


def sources(blocks: list[dict]) -> list[dict]:
    """Libraries, and the papers that blocks cite."""
    words = json.dumps(blocks, default=lambda content: "", ensure_ascii=False)
    return [
        heading("Libraries and sources"),
        paragraph(LIBRARIES),
        {"kind": "sources", "items": cited(words)},
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
        options: dict = {"root": folder, "font_paths": [FONTS], "ignore_system_fonts": True}
        try:
            return typst.compile(folder / "layout.typ", **options)
        except typst.TypstError as error:
            raise InputError(f"the layout: expected Typst that compiles: {error}") from error


def read_counts(path: Path, row: str, column: str) -> pd.DataFrame:
    """Return a table of counts with the values of one column as rows, of another as columns."""
    counts = pd.read_csv(path, dtype={column: str}).pivot(index=row, columns=column, values="count")
    return counts[sorted(counts.columns, key=lambda name: (not name.isdigit(), name.zfill(3)))]


def read_times(path: Path) -> dict[str, float]:
    """Return the seconds that a training took, and its training images a second."""
    epochs = pd.read_csv(path)
    seconds = epochs["seconds"].sum()
    images = (epochs["seconds"] * epochs["images_per_second"]).sum()
    return {"seconds": seconds, "images_per_second": images / seconds}


def read_results(metrics: Path, plots: Path) -> dict:
    """Return what the report tells, by name: dicts, tables and pictures."""
    runtime, images = metrics / "runtime", pd.read_csv(plots / "images.csv")
    return read(metrics, *METRICS) | {
        "prepare": images.groupby("split")["count"].sum().to_dict(),
        "training": {name: read_times(runtime / f"train_{name}.csv") for name in NETWORKS},
        "testing": pd.read_csv(runtime / "evaluate.csv", index_col="network").to_dict("index"),
        "evaluate": read(metrics / "evaluate", *PREDICTORS),
        "by_label": pd.read_csv(plots / "evaluate/labels.csv"),
        "unseen": pd.read_csv(plots / "evaluate/unseen.csv", index_col="predictor"),
        "differences": pd.read_csv(plots / "evaluate/differences.csv", index_col="predictor"),
        "compare_layers": pd.read_csv(plots / "compare_layers.csv"),
        "kmeans_range": pd.read_csv(plots / "kmeans_range.csv"),
        "groups": pd.read_csv(plots / "groups_images.csv"),
        "layers": {name: pd.read_csv(metrics / f"networks/{name}.csv") for name in NETWORKS},
        "curves": read_curves(metrics),
        "confusion": {
            name: read_counts(plots / f"evaluate/confusion_{name}.csv", "actual", "predicted")
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
    blocks = [*question_1(r), *question_2(r), *question_3(r), *question_4(r)]
    return blocks + sources(blocks)


def read_settings() -> dict:
    """Return the parameters that the report tells, and what stands on its first page."""
    params = read_params()
    return {
        "source": params["fetch"]["source"],
        "lr": params["train"]["lr"],
        "default": params["train_default"],
        "improved": params["train_improved"],
        "tta_views": params["evaluate"]["tta_views"],
        "layer": params["extract_encoding"]["layer"],
        "layer_of_groups": params["extract_encoding"]["detailed_layer"],
        "n_clusters": params["kmeans"]["n_clusters"],
        "seed": params["scatter"]["seed"],
        "title": params["report"]["title"],
        "authors": params["report"]["authors"],
        "course": params["report"]["course"],
    }


def main(layout: Path, metrics: Path, plots: Path, report: Path) -> None:
    settings = read_settings()
    blocks = compose(read_results(metrics, plots) | {"settings": settings})
    title, authors, course = (settings[key] for key in ("title", "authors", "course"))
    pdf = set_pages(layout.read_text(encoding="utf-8"), title, authors, course, blocks)
    with replacing(report) as part:
        part.write_bytes(pdf)


if __name__ == "__main__":
    run(main)
