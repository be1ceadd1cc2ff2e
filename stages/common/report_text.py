"""The report's sentences and tables, chosen and filled by the figures that they tell.

Every function takes figures as the other stages wrote them and returns text, or the columns and
rows of a table.
"""

import pandas as pd

CHOICES = {  # parameter: what it is without, name, why, source
    "normalise": (False, "batch normalisation", "keeps the scale of what a layer gets", "[3]"),
    "skip": (False, "skip connections", "a stage learns what to add to its input", "[2]"),
    "momentum": (0, "Nesterov momentum", "steps follow the mean of past gradients", "[15]"),
    "cosine": (False, "cosine schedule", "the rate falls to nothing: no noise at the end", "[6]"),
    "warmup": (0, "warm-up", "a high rate is stable at first", "[5]"),
    "weight_decay": (0, "weight decay", "keeps weights small, apart from the gradient", "[7]"),
    "label_smoothing": (0, "label smoothing", "a network is not surer than it should be", "[4]"),
    "mirror": (False, "mirrored images", "a mirrored garment has the same label", "[10]"),
    "shift": (0, "shifted images", "a moved garment has the same label", "[11]"),
    "erase": (0, "erased squares", "no part of a garment may decide alone", "[9]"),
}
BASELINES = {
    "majority": "most frequent label",
    "logistic_regression": "logistic regression on pixels",
    "default": "default network",
    "improved": "improved network",
}


def percent(share: float, digits: int = 2) -> str:
    """Write a share (0-1) in per cent."""
    return f"{100 * share:.{digits}f}%"


def duration(seconds: float) -> str:
    """Write seconds as people say them."""
    return f"{seconds:.1f} s" if seconds < 90 else f"{seconds / 60:.1f} min"


def list_in_words(words: list[str]) -> str:
    """Join words by commas and a last `and`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def about_data(source: str) -> str:
    """Say what images and labels were learned from."""
    if source == "course":
        return "Images and labels are those of the course's four files."
    return (
        "Images are Fashion-MNIST's [1]; each of its ten kinds of garment was given one of five"
        " labels by a rule that nothing after this knows."
    )


def about_default(settings: dict, network: dict, seconds: float) -> list[str]:
    """Describe the default network and its training."""
    mine, batch = settings["default"], settings["default"]["batch_size"]
    rate = settings["lr"] * batch / 128
    return [
        "The network is the one that the assignment asks for: two convolutions of 32 filters of"
        " 3 x 3 pixels, a maximum over 2 x 2 pixels between them, and a dense layer of 512 units,"
        " all with rectified linear units, then five probabilities.",
        f"It has {network['parameters']:,} parameters, most of them in the dense layer, and does"
        f" {network['multiply_adds']:,} multiply-adds for an image.",
        "It learns from scratch by stochastic gradient descent on categorical cross-entropy, for"
        f" {mine['epochs']} epochs in batches of {batch} images at a rate of {rate:g};"
        f" {percent(settings['valid_fraction'], 0)} of the training images were kept for"
        " validation, and all choices were made on them.",
        f"Training took {duration(seconds)}.",
    ]


def table_of_layers(layers: pd.DataFrame) -> list[list[str]]:
    """Return rows of layer, kind, output, parameters and multiply-adds."""
    return [
        [row.layer, row.kind, row.output, f"{row.parameters:,}", f"{row.multiply_adds:,}"]
        for row in layers.itertuples()
    ]


def about_improved(lr: float, mine: dict, networks: dict) -> list[str]:
    """Describe the improved network so that it can be rebuilt.

    Args:
        lr: learning rate per 128 images
        mine: parameters of the stage that trains it
        networks: parameters and multiply-adds of both networks
    """
    width = mine["width"]
    ours, theirs = networks["improved"], networks["default"]
    rate = lr * mine["batch_size"] / 128
    augmentation = [
        words
        for words in (
            "mirrored in every other epoch" if mine["mirror"] else "",
            f"shifted by up to {mine['shift']} pixel{'s' * (mine['shift'] > 1)}"
            if mine["shift"]
            else "",
            f"robbed of a square of {mine['erase']} pixels" if mine["erase"] else "",
        )
        if words
    ]
    return [
        f"Pixels are scaled to -1 to 1 and go through a thin first convolution of {width // 2}"
        f" channels, then through three stages of {width}, {2 * width} and {4 * width} channels.",
        "Each stage convolves, halves the side of the picture by a maximum over 2 x 2 pixels, and"
        " convolves twice more"
        + (", adding the result to what it got" if mine["skip"] else "")
        + ": doubling channels while halving sides makes all stages cost alike.",
        "All convolutions are 3 x 3 and rectified"
        + (
            "; all but the first are normalised over the batch before that."
            if mine["normalise"]
            else "."
        ),
        f"What is left of each of the {4 * width} channels at its strongest place is the encoding"
        " of the image; five linear scores of it, divided by 8 so that a high rate stays stable"
        " at first [8], give the probabilities.",
        f"The network has {ours['parameters']:,} parameters, the default one"
        f" {theirs['parameters']:,}, and does {ours['multiply_adds']:,} multiply-adds for an image,"
        f" the default one {theirs['multiply_adds']:,}: convolutions share weights over the"
        " picture, a dense layer does not.",
        f"It learns for {mine['epochs']} epochs in batches of {mine['batch_size']} at a highest"
        f" rate of {rate:g}, with momentum {mine['momentum']:g}, weight decay"
        f" {mine['weight_decay']:g} and label smoothing {mine['label_smoothing']:g}"
        + (f"; training images are {list_in_words(augmentation)}." if augmentation else "."),
    ]


def table_of_choices(mine: dict, sweep: dict | None) -> list[list[str]]:
    """Return rows of choice, value, why, source and what leaving it out changes in points.

    Args:
        mine: parameters of the stage that trains the improved network
        sweep: `design` of metrics/sweeps.json, if it was run on the data at hand
    """
    effects = sweep["effects"] if sweep else {}
    rows = []
    for name, (without, choice, why, source) in CHOICES.items():
        value = mine[name]
        if value == without:
            continue
        key = f"train_improved.{name}={str(without).lower()}"
        rows.append(
            [
                choice,
                "yes" if value is True else f"{value:g}",
                why,
                source,
                in_points(effects[key]) if key in effects else "not measured",
            ]
        )
    return rows


def in_points(row: dict) -> str:
    """Write a difference in percentage points, its interval, and what it says."""
    text = f"{100 * row['difference']:+.2f}"
    if row["low"] is not None:
        text += f" ({100 * row['low']:+.2f} to {100 * row['high']:+.2f})"
    return text


def about_designs(sweep: dict | None) -> str:
    """Say which choices proved their worth, and which could not be told from their absence."""
    if not sweep:
        return "What each choice is worth was not measured on these images and labels."
    worse, better, same = [], [], []
    lists = {"worse": worse, "better": better, "indistinguishable": same}
    for key, (without, choice, _, _) in CHOICES.items():
        row = sweep["effects"].get(f"train_improved.{key}={str(without).lower()}")
        if row:
            lists.get(row["words"], same).append(choice)
    return " ".join(
        sentence
        for sentence in (
            f"Left out, {list_in_words(worse)} cost{'s' if len(worse) == 1 else ''} accuracy."
            if worse
            else "No choice, left out, costs accuracy that can be told from chance.",
            f"The network is better without {list_in_words(better)}." if better else "",
            f"On this short schedule {list_in_words(same)} cannot be told from"
            f" {'its' if len(same) == 1 else 'their'} absence; what keeps a network from learning"
            " pictures by heart pays over more epochs, if at all."
            if same
            else "",
        )
        if sentence
    )


def network_of(sweep: dict) -> str:
    """Return which network a sweep trained, in words."""
    return sweep["stage"].replace("train_", "") + " network"


def about_sweep(sweep: dict) -> str:
    """Say whether another setting of a sweep is better than that of params.yaml."""
    winner, network = sweep["winner"], network_of(sweep)
    if winner["setting"] == "default":
        return f"For the {network} no setting has a higher mean than the one chosen."
    told = {
        "better": "which can be told from chance",
        "worse": "which can be told from chance",
        "indistinguishable": "which cannot be told from chance",
        "unknown": "of one seed alone",
    }[winner["words"]]
    return (
        f"For the {network} {winner['setting']} has the highest mean on the sweep's short schedule,"
        f" {in_points(winner)} points from the setting chosen, {told}."
    )


def table_of_results(scores: dict) -> list[list[str]]:
    """Return rows of predictor, accuracy, interval, loss and macro F1, on the test images."""
    return [
        [
            name,
            percent(scores[key]["accuracy"]),
            f"{percent(scores[key]['accuracy_low'])} to {percent(scores[key]['accuracy_high'])}",
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
            duration(training[network]["total_seconds"]),
            f"{training[network]['images_per_second']:,.0f}",
            duration(testing[network]["predict_seconds"]),
            f"{testing[network]['images_per_second']:,.0f}",
        ]
        for network in ("default", "improved")
    ]


def about_results(scores: dict) -> list[str]:
    """Say which network is better, whether that is real, and what each finds hardest."""
    difference = scores["difference"]
    gain, p = difference["accuracy_gain"], difference["mcnemar_p"]
    if p >= 0.05:
        verdict = (
            f"The two networks cannot be told apart on the test images (exact McNemar test [14],"
            f" p = {p:.2g})."
        )
    else:
        winner = "improved" if gain > 0 else "default"
        verdict = (
            f"The {winner} network is better by {100 * abs(gain):.2f} percentage points; the"
            f" difference is real (exact McNemar test [14], p = {p:.1g})."
        )
    hardest = {
        network: min(scores[network]["f1"], key=lambda label: scores[network]["f1"][label])
        for network in ("default", "improved")
    }
    words = [
        f"label {hardest[network]} (F1 {scores[network]['f1'][hardest[network]]:.3f}) to the"
        f" {network} one"
        for network in hardest
    ]
    return [
        verdict,
        f"The improved network is alone right on {difference['only_improved_right']:,} test"
        f" images, the default one on {difference['only_default_right']:,}.",
        f"Hardest is {list_in_words(words)}.",
    ]


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


def about_layers(scores: dict, layer: str) -> list[str]:
    """Say why the encoding is of this layer.

    Args:
        scores: of metrics/compare_layers.json
        layer: of which the encoding is
    """
    sizes = {name: row["size"] for name, row in scores["improved"].items()}
    agreement = {name: row["adjusted_rand_index"] for name, row in scores["improved"].items()}
    inner = {name: value for name, value in agreement.items() if name != "probabilities"}
    best = max(inner, key=inner.get)
    chosen = scores["improved"].get(layer)
    first = (
        "A layer is good for finding out what labels mean if clusters in it agree with the labels,"
        " and if it still tells one image of a label from another."
    )
    if chosen is None:
        return [first, f"The encoding is that of layer {layer}."]
    return [
        first,
        "Agreement is the adjusted Rand index [16] of five k-means clusters with the labels, detail"
        " the share of the pixels' variance within a label that a linear regression reads from"
        " the layer, both on validation images.",
        f"The encoding is that of layer {layer}, {sizes[layer]:,} numbers an image: agreement"
        f" {agreement[layer]:.3f}, detail {chosen['detail']:.3f}."
        + (
            " No inner layer agrees better."
            if best == layer
            else f" Layer {best} agrees better, {inner[best]:.3f}, with {sizes[best]:,} numbers."
        ),
    ]


def about_pca(pca: dict) -> str:
    """Say how much of the encoding two principal components show."""
    return (
        f"The first two principal components hold {percent(pca['explained_variance'], 0)} of the"
        " variance of the test images' encodings; t-SNE [12] shows neighbourhoods instead of"
        " distances."
    )


def about_clusters(kmeans: dict, by_number: dict, density: dict, n_clusters: int) -> list[str]:
    """Assess the clusters: against the labels, the network's own predictions, and the pixels."""
    ours, network = kmeans["adjusted_rand_index"], kmeans["prediction_adjusted_rand_index"]
    pixels = kmeans["pixels_adjusted_rand_index"]
    if ours >= network - 0.02:
        relation = "as well as the network's own predictions do"
    elif ours >= network / 2:
        relation = "less well than the network's own predictions do"
    else:
        relation = "far less well than the network's own predictions do"
    best = by_number["best"]
    return [
        f"k-means, told no labels, finds {n_clusters} clusters in the test images' encodings that"
        f" agree with the labels {relation}: adjusted Rand index {ours:.3f} against"
        f" {network:.3f}; clusters of the pixels reach {pixels:.3f}.",
        f"Of 2 to 12 clusters, {best} have the highest silhouette on validation images"
        + ("." if best != 5 else ", as many as there are labels."),
        "By density (HDBSCAN [18]) there are no clusters."
        if not density["clusters"]
        else f"By density (HDBSCAN [18]) there are {density['clusters']} clusters, and"
        f" {percent(density['outside'], 0)} of the images lie between them; in the clusters"
        f" {percent(density['purity'], 1)} of the images have the most frequent label of their"
        " cluster."
        + (
            " So labels are made of several clumps."
            if density["clusters"] > 5 and density["purity"] > 0.9
            else ""
        ),
    ]


def table_of_clusters(kmeans: dict) -> list[list[str]]:
    """Return rows of the agreement of clusters and predictions with the labels."""
    keys = ("adjusted_rand_index", "normalized_mutual_info", "homogeneity", "completeness")
    return [
        [name, *(f"{kmeans[prefix + key]:.3f}" for key in keys)]
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
        " images that otherwise look alike (regression discontinuity [21]).",
        f"A tree of eight leaves on twelve such properties predicts"
        f" {percent(verdict['tree_accuracy'], 1)} of the validation labels, the improved network"
        f" {percent(verdict['network_accuracy'], 1)}, the most frequent label"
        f" {percent(verdict['majority_accuracy'], 1)}.",
        f"The verdict: {verdict['verdict'].replace('_', ' ')}.",
        verdict["because"],
    ]


def table_of_guesses(guesses: dict, groups: dict, reveal: dict) -> list[list[str]]:
    """Return rows of label, groups found, garments revealed, agreement, guess and its standing."""
    rows = []
    for label, guess in guesses.items():
        garments = (reveal.get("garments") or {}).get(label)
        agreement = (reveal.get("adjusted_mutual_info") or {}).get(label)
        rows.append(
            [
                label,
                str(groups[label]["n"] if label in groups else 0),
                ", ".join(garments) if garments else "not known",
                "" if agreement is None else f"{agreement:.2f}",
                guess["guess"] or "none",
                guess["standing"],
            ]
        )
    return rows


def about_guesses(guesses: dict, reveal: dict) -> str:
    """Say how many of the guesses hold, and by what they were checked."""
    standing = [guess["standing"] for guess in guesses.values()]
    if reveal.get("skipped"):
        known = f"Garments cannot be looked up: {reveal['skipped']}."
    else:
        known = (
            "Only after the verdict was each test image looked up in Fashion-MNIST, for its"
            " garment."
        )
    return (
        f"{known} Of {len(standing)} guesses {standing.count('confirmed')} are confirmed,"
        f" {standing.count('refuted')} refuted and {standing.count('unchecked')} could not be"
        " checked."
    )


def about_doubts(errors: dict) -> str:
    """Say how many labels are in doubt, and what the method found of planted errors."""
    if errors["found"] >= 0.8:
        trust = "so it can be trusted to find wrong labels"
    elif errors["found"] > 2 * errors["by_chance"]:
        trust = "so it finds some wrong labels"
    else:
        trust = "so it does not find wrong labels"
    return (
        f"{percent(errors['suspect'], 1)} of the test images have a label that none of their"
        " nearest validation images in the encoding has (edited nearest neighbours [19]): wrong,"
        f" or hard. Of {errors['planted']} labels changed at random"
        f" {percent(errors['found'], 0)} are among the 5% most suspect, where chance would find"
        f" {percent(errors['by_chance'], 0)}, {trust}."
    )


SOURCES = (
    "H. Xiao, K. Rasul, R. Vollgraf. Fashion-MNIST. 2017, arXiv:1708.07747.",
    "K. He and others. Deep residual learning for image recognition. CVPR 2016.",
    "S. Ioffe, C. Szegedy. Batch normalization. ICML 2015.",
    "C. Szegedy and others. Rethinking the Inception architecture (label smoothing). CVPR 2016.",
    "P. Goyal and others. Accurate, large minibatch SGD (warm-up). 2017, arXiv:1706.02677.",
    "I. Loshchilov, F. Hutter. SGDR (cosine schedule). ICLR 2017.",
    "I. Loshchilov, F. Hutter. Decoupled weight decay regularization. ICLR 2019.",
    "D. Page. How to train your ResNet. 2019.",
    "T. DeVries, G. Taylor. Improved regularization with cutout. 2017, arXiv:1708.04552.",
    "K. Jordan. 94% on CIFAR-10 in 3.29 seconds (mirrors). 2024, arXiv:2404.00498.",
    "P. Simard, D. Steinkraus, J. Platt. Best practices for convolutional networks. ICDAR 2003.",
    "L. van der Maaten, G. Hinton. Visualizing data using t-SNE. JMLR 2008.",
    "E. Wilson. Probable inference (intervals of accuracy). JASA 1927.",
    "Q. McNemar. Sampling error of the difference between correlated proportions. 1947.",
    "Y. Nesterov. A method of solving a convex programming problem. 1983.",
    "L. Hubert, P. Arabie. Comparing partitions. Journal of Classification 1985.",
    "P. Rousseeuw. Silhouettes. J. of Computational and Applied Mathematics 1987.",
    "R. Campello, D. Moulavi, J. Sander. Density-based clustering. PAKDD 2013.",
    "D. Wilson. Asymptotic properties of nearest neighbor rules. IEEE Trans. SMC 1972.",
    "N. Vinh, J. Epps, J. Bailey. Information theoretic measures for clusterings. JMLR 2010.",
    "D. Thistlethwaite, D. Campbell. Regression-discontinuity analysis. 1960.",
)
LIBRARIES = (
    "DVC and DVCLive (pipeline, curves), Keras on TensorFlow (networks), scikit-learn (PCA, t-SNE,"
    " k-means, HDBSCAN, trees, regressions, scores), SciPy (tests and intervals), NumPy, pandas,"
    " Matplotlib (charts), Dask (sweeps), Typst (this document)."
)
