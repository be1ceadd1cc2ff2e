"""The report's sentences and tables on what the labels mean; see report_networks.py."""

import pandas as pd

from stages.encoding.clustering import NO_AGREEMENT, best_number, in_words
from stages.hand_in.words import counted, percent
from stages.meaning.statistics import readable

PURE = 0.9  # fraction of a cluster's images that have its label
FEWEST = 20  # planted errors by which a method can be trusted


def about_layers(scores: pd.DataFrame, layer: str) -> list[str]:
    """Say why the encoding is of this layer.

    Args:
        scores: of plots/compare_layers.csv
        layer: of which the encoding is
    """
    rows = scores[scores["network"] == "improved"].set_index("layer").to_dict("index")
    sentences = [
        "A layer is good for finding out what labels mean if clusters in it agree with the labels,"
        " and if it still tells one image of a label from another. Agreement is the adjusted Rand"
        " index [Hubert 1985] of five k-means clusters with the labels, detail the fraction of the"
        " pixels' variance within a label that a linear regression reads from the layer, both on"
        " validation images."
    ]
    if layer not in rows:
        return [*sentences, f"The encoding is that of layer {layer}."]
    row = rows[layer]
    sentences.append(
        f"The encoding is that of layer {layer}, {row['dimensions']:,} numbers an image: agreement"
        f" {row['adjusted_rand_index']:z.3f}, detail {row['detail']:.3f}."
    )
    if layer == "probabilities":
        return [*sentences, "It is the network's answer, which keeps little of the image."]
    others = [name for name in rows if name not in ("probabilities", layer)]
    rival = max(others, key=lambda name: rows[name]["adjusted_rand_index"])
    other = rows[rival]
    told = f"{other['adjusted_rand_index']:z.3f}, with {other['dimensions']:,} numbers"
    told += f"{_silhouettes(row, other)}."
    if max(row["adjusted_rand_index"], other["adjusted_rand_index"]) < NO_AGREEMENT:
        sentences.append("Clusters of no inner layer compared agree with the labels.")
    elif other["adjusted_rand_index"] > row["adjusted_rand_index"]:
        sentences.append(f"Layer {rival} agrees better, {told}")
    else:
        sentences.append(
            f"Of the inner layers compared none agrees better. Layer {rival} comes next, {told}"
        )
    return sentences


def _silhouettes(chosen: dict, other: dict) -> str:
    """Say which of two layers has tighter clusters, if both have a silhouette."""
    ours, theirs = chosen["silhouette"], other["silhouette"]
    if pd.isna(ours) or pd.isna(theirs):
        return ""
    manner = "looser" if theirs < ours else "tighter"
    return f" and {manner} clusters (silhouette [Rousseeuw 1987] {theirs:z.2f} against {ours:z.2f})"


def about_pca(pca: dict) -> str:
    """Say how much of the encoding two principal components show."""
    return (
        f"The first two principal components hold {percent(pca['explained_variance'], 0)} of the"
        " variance of the test images' encodings; t-SNE [van der Maaten 2008], started from them"
        " [Kobak 2019], shows neighbourhoods instead of distances."
    )


def about_clusters(
    kmeans: dict, by_number: pd.DataFrame, density: dict, n_clusters: int
) -> list[str]:
    """Assess the clusters: against the labels, the network's own predictions, and the pixels."""
    numbers, best = by_number["n_clusters"], best_number(by_number)
    return [
        f"k-means, told no labels, finds {n_clusters} clusters in the test images' encodings, which"
        f" {in_words(kmeans['adjusted_rand_index'], kmeans['prediction_adjusted_rand_index'])};"
        f" clusters of the pixels reach {kmeans['pixels_adjusted_rand_index']:z.2f}.",
        f"Of {min(numbers)} to {max(numbers)} clusters, {best} have the highest silhouette on"
        " validation images" + ("." if best != 5 else ", as many as there are labels."),
        "By density (HDBSCAN [Campello 2013]) there are no clusters."
        if not density["clusters"]
        else f"By density (HDBSCAN [Campello 2013]) there are {density['clusters']}, and"
        f" {percent(density['outside'], 0)} of the images lie outside; inside"
        f" {percent(density['purity'], 1)} of the images have the most frequent label of their"
        " cluster.",
    ]


def about_density(counts: pd.DataFrame) -> str:
    """Say how many labels have several clusters almost for themselves, if any has.

    Args:
        counts: test images by label (rows) and cluster of density, or `none` (columns)
    """
    clusters = counts.drop(columns="none", errors="ignore")
    pure = clusters.loc[:, clusters.max() > PURE * clusters.sum()]
    n = int((pure.idxmax().value_counts() > 1).sum())
    return f"Labels that are made of several clusters: {n} of {len(counts)}." if n else ""


def table_of_clusters(kmeans: dict) -> list[list[str]]:
    """Return rows of the agreement of clusters and predictions with the labels."""
    keys = ("adjusted_rand_index", "normalized_mutual_info", "homogeneity", "completeness")
    return [
        [name, *(f"{kmeans[prefix + key]:z.3f}" for key in keys)]
        for prefix, name in (
            ("", "clusters of the encoding"),
            ("prediction_", "the network's predictions"),
            ("pixels_", "clusters of the pixels"),
        )
    ]


def about_meaning(verdict: dict) -> list[str]:
    """Say what the labels follow, and on what grounds."""
    return [
        "Labels may follow kinds of picture, or a simple property of pictures such as brightness."
        " A property betrays itself: where it gave the labels, they flip at a threshold between"
        " images that otherwise look alike (regression discontinuity [Thistlethwaite 1960]).",
        f"A tree of eight leaves on twelve such properties predicts"
        f" {percent(verdict['tree_accuracy'], 1)} of the validation labels, the improved network"
        f" {percent(verdict['network_accuracy'], 1)}, the most frequent label"
        f" {percent(verdict['majority_accuracy'], 1)}.",
        f"The verdict: {readable(verdict['verdict'])}.",
        verdict["because"],
    ]


def about_groups(groups: pd.DataFrame, layer: str) -> str:
    """Say how groups inside labels were sought, and how many labels have several.

    Args:
        groups: label and group, a row a group
    """
    numbers = groups["label"].value_counts()
    several = int((numbers > 1).sum())
    return (
        "Inside each label, groups that look different were sought by k-means on the first 16"
        f" principal components of layer {layer}, with as many clusters as are all parted by"
        f" valleys of density: {several} of {counted(len(numbers), 'label')} have more than one."
    )


def table_of_guesses(guesses: dict) -> list[list[str]]:
    """Return rows of label, guess, its standing, why, and the evidence."""
    return [
        [label, guess["guess"] or "none", guess["standing"], guess["why"], guess["evidence"]]
        for label, guess in guesses.items()
    ]


def about_guesses(guesses: dict, reveal: dict) -> str:
    """Say how many of the guesses hold, and by what they were checked."""
    made = [guess for guess in guesses.values() if guess["guess"].strip()]
    standing = [guess["standing"] for guess in made]
    if reveal.get("skipped"):
        known = f"Classes cannot be looked up: {reveal['skipped']}."
    else:
        known = (
            "To check guesses alone, each test image was looked up in Fashion-MNIST for its class."
        )
    if not made:
        return f"{known} No guess was made."
    return (
        f"{known} Guesses confirmed: {standing.count('confirmed')}, refuted:"
        f" {standing.count('refuted')}, unchecked: {standing.count('unchecked')}."
    )


def about_doubts(errors: dict) -> str:
    """Say how many labels are in doubt, and what the method found of planted errors."""
    if errors["planted"] < FEWEST:
        trust = "too few to tell whether it can be trusted"
    elif errors["found"] >= 0.8:
        trust = "so it finds labels that are wrong at random; mix-ups of similar images are harder"
    elif errors["found"] > 2 * errors["by_chance"]:
        trust = "so it finds some wrong labels"
    else:
        trust = "so it does not find wrong labels"
    return (
        f"{percent(errors['suspect'], 1)} of the test images have a label that none of their"
        " nearest validation images in the encoding has (edited nearest neighbours"
        f" [Wilson 1972]): wrong, or hard. Of {counted(errors['planted'], 'label')} changed at"
        f" random {percent(errors['found'], 0)} are among the 5% most suspect, where chance would"
        f" find {percent(errors['by_chance'], 0)}, {trust}."
    )
