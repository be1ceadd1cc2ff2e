"""The report's sentences and tables on the data and on both networks.

Every function takes figures as the other stages wrote them and returns text, or the columns and
rows of a table. `[He 2016]` in a text cites the source of that key.
"""

import json

import pandas as pd

from stages.data.audit import in_words
from stages.hand_in.differences import in_points
from stages.hand_in.words import counted, duration, list_in_words, percent

CHOICES = {  # parameter: what it is without, name, why, source
    "batch_norm": (
        False,
        "batch normalisation",
        "keeps the scale of what a layer gets",
        "[Ioffe 2015]",
    ),
    "skip": (False, "skip connections", "a stage learns what to add to its input", "[He 2016]"),
    "momentum": (
        0,
        "Nesterov momentum",
        "steps follow the mean of past gradients",
        "[Nesterov 1983]",
    ),
    "kernel_rate": (
        0,
        "orthogonal steps (Muon)",
        "no direction of a kernel dominates its step",
        "[Muon 2024]",
    ),
    "prune": (
        0,
        "easy images left out",
        "time goes to images that still teach",
        "[Qin 2024]",
    ),
    "cosine": (
        False,
        "cosine schedule",
        "the rate falls to nothing: no noise at the end",
        "[Loshchilov 2017]",
    ),
    "warmup": (0, "warm-up", "a high rate is stable at first", "[Goyal 2017]"),
    "weight_decay": (
        0,
        "weight decay",
        "keeps weights small, apart from the gradient",
        "[Loshchilov 2019]",
    ),
    "label_smoothing": (
        0,
        "label smoothing",
        "a network is not surer than it should be",
        "[Szegedy 2016]",
    ),
    "hflip": (False, "horizontal flip", "a flipped image has the same label", "[Jordan 2024]"),
    "shift": (0, "shifted images", "a shifted image has the same label", "[Simard 2003]"),
    "cutout": (0, "cutout", "no part of an image may decide alone", "[DeVries 2017]"),
}
REGULARISERS = ("weight_decay", "label_smoothing", "hflip", "shift", "cutout")


def about_data(source: str, images: dict, audit: dict) -> list[str]:
    """Say what images and labels were learned from.

    Args:
        images: how many there are to train, choose and test on
        audit: what is odd about them
    """
    return [
        "Images and labels are those of the course's four files."
        if source == "course"
        else "Images are Fashion-MNIST's [Xiao 2017]; each was given one of five labels by a rule"
        " that nothing after this knows.",
        f"Both networks learn from {counted(images['train'], 'image')}; {images['valid']:,} others,"
        " drawn at random label by label, were kept for validation, and all choices were made on"
        f" them; {counted(images['test'], 'test image')} served for nothing before the final"
        " figures.",
        f"Looked through for what is odd: {'; '.join(in_words(audit))}.",
    ]


def about_default(settings: dict, network: dict, seconds: float) -> list[str]:
    """Describe the default network and its training."""
    mine, batch = settings["default"], settings["default"]["batch_size"]
    rate = settings["lr"] * batch / 128
    return [
        "The network is the one that the assignment asks for: two convolutions of 32 filters of"
        " 3 x 3 pixels, padded to keep the size, a maximum over 2 x 2 pixels between them, and a"
        " dense layer of 512 units, all with rectified linear units, then five probabilities by"
        " softmax. Pixels are scaled to -1 to 1.",
        f"It has {network['parameters']:,} parameters and does"
        f" {network['multiply_adds']:,} multiply-adds for an image.",
        "It learns from scratch by stochastic gradient descent on categorical cross-entropy, for"
        f" {counted(mine['epochs'], 'epoch')} in batches of {counted(batch, 'image')} at a rate of"
        f" {rate:g}.",
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
    return [
        f"Pixels are scaled to -1 to 1 and go through a thin first convolution of {width // 2}"
        f" channels, then through three stages of {width}, {2 * width} and {4 * width} channels.",
        "Each stage convolves, halves the side of the picture by a maximum over 2 x 2 pixels"
        " (of an odd side the last row and column count, too), and convolves twice more"
        + (", adding the result to what the halving gave" if mine["skip"] else "")
        + ": doubling channels while halving sides makes all stages cost alike.",
        "All convolutions are of 3 x 3 pixels, padded to keep the size, and rectified"
        + (
            "; all but the first are normalised over the batch before that (momentum 0.98) and"
            " have no bias of their own."
            if mine["batch_norm"]
            else "."
        ),
        f"Global max-pooling leaves each of the {4 * width} channels at its strongest place: the"
        " encoding of the image. Five linear scores of it without bias, divided by 8 so that a"
        " high rate stays stable at first [Page 2019], give the probabilities by softmax.",
        f"The network has {counted(ours['parameters'], 'parameter')}, the default one"
        f" {theirs['parameters']:,}, and does {ours['multiply_adds']:,} multiply-adds for an image,"
        f" the default one {theirs['multiply_adds']:,}: convolutions share weights over the"
        " picture, a dense layer does not.",
        *about_training(lr, mine),
    ]


def about_training(lr: float, mine: dict) -> list[str]:
    """Say how the improved network learns; arguments as of `about_improved`."""
    augmentation = [
        words
        for words in (
            "flipped left to right in every other epoch (a random half of them in the even ones)"
            if mine["hflip"]
            else "",
            f"shifted at random by up to {counted(mine['shift'], 'pixel')} each way"
            if mine["shift"]
            else "",
            f"cut out in a square of side {mine['cutout']} at a random place"
            if mine["cutout"]
            else "",
        )
        if words
    ]
    rate = lr * mine["batch_size"] / 128
    rises = f" rises evenly from 0 for {percent(mine['warmup'], 0)} of the steps"
    return [
        "It learns from scratch by stochastic gradient descent with Nesterov momentum"
        f" {mine['momentum']:g} on categorical cross-entropy, for"
        f" {counted(mine['epochs'], 'epoch')} in batches of"
        f" {counted(mine['batch_size'], 'image')}.",
        "The steps of all kernels but the first convolution's are made orthogonal [Muon 2024],"
        f" with singular values of about {mine['kernel_rate']:g} times the rate."
        if mine["kernel_rate"]
        else "",
        f"An epoch leaves {percent(mine['prune'], 0)} of the training images out, drawn from the"
        " three quarters whose losses were lowest when they were last seen; the others of these"
        " count more, so that gradients are unbiased [Qin 2024]."
        if mine["prune"]
        else "",
        "The rate"
        + (rises if mine["warmup"] else "")
        + (" and" if mine["warmup"] and mine["cosine"] else "")
        + (" falls to 0 on a cosine" if mine["cosine"] else "")
        + (" and" if mine["warmup"] and not mine["cosine"] else "")
        + ("" if mine["cosine"] else " stays the same")
        + f"; at its highest it is {rate:g}.",
        f"Of the labels {mine['label_smoothing']:g} is spread evenly over all five; apart from the"
        f" gradient, weights lose {mine['weight_decay']:g} times the rate of themselves a step.",
        f"Training images are {list_in_words(augmentation)}." if augmentation else "",
    ]


def usable(sweep: dict | None, lr: float, mine: dict) -> dict | None:
    """Return a sweep if it was run on the data at hand and around the settings at hand.

    Args:
        sweep: of metrics/sweeps.json
        lr: learning rate per 128 images
        mine: parameters of the sweep's stage
    """
    if not sweep or not sweep["same_data"]:
        return None
    now = {f"{sweep['stage']}.{key}": value for key, value in mine.items()} | {"train.lr": lr}
    then = sweep["chosen"] | sweep["kept"]
    return sweep if all(json.dumps(now.get(key)) == then[key] for key in then) else None


def schedule_of(sweep: dict) -> str:
    """Say in words what a sweep's runs share, and how many there are of a setting."""
    fixed = [f"{key.split('.')[1]} {value}" for key, value in sweep["fixed"].items()]
    runs = max(row["runs"] for row in sweep["settings"].values())
    return ", ".join([*(fixed or ["the full schedule"]), counted(runs, "seed")])


def table_of_choices(mine: dict, sweep: dict | None) -> list[list[str]]:
    """Return rows of choice, value, why, source and, if known, what its absence changes in points.

    Args:
        mine: parameters of the stage that trains the improved network
        sweep: `design` of metrics/sweeps.json, if it is usable
    """
    rows = []
    for name, (without, choice, why, source) in CHOICES.items():
        value = mine[name]
        if value == without:
            continue
        rows.append([choice, "yes" if value is True else f"{value:g}", why, source])
        if sweep:
            key = f"train_improved.{name}={str(without).lower()}"
            effect = sweep["effects"].get(key)
            rows[-1].append(in_points(effect) if effect else "not measured")
    return rows


def about_designs(sweep: dict | None) -> str:
    """Say which choices proved their worth, and which could not be told from their absence."""
    if not sweep:
        return "What each choice is worth was not measured on these images, labels and settings."
    found: dict[str, list[str]] = {"worse": [], "better": [], "indistinguishable": []}
    slow = False
    for key, (without, choice, _, _) in CHOICES.items():
        row = sweep["effects"].get(f"train_improved.{key}={str(without).lower()}")
        if row and row["words"] in found:
            found[row["words"]].append(choice)
            slow |= key in REGULARISERS and row["words"] != "worse"
    sentences = [
        f"Accuracy falls without {list_in_words(found['worse'])}."
        if found["worse"]
        else "There is no choice without which accuracy falls by more than chance.",
        f"It is better without {list_in_words(found['better'])}." if found["better"] else "",
        f"Without {list_in_words(found['indistinguishable'])} nothing changes that can be told"
        " from chance."
        if found["indistinguishable"]
        else "",
        "The schedule is short: what keeps a network from learning pictures by heart pays over"
        " more epochs, if at all."
        if slow
        else "",
    ]
    return " ".join(filter(None, sentences))
