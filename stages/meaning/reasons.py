"""The reasons of the verdict on the labels, in a sentence or two."""

from stages.meaning.statistics import FLIP, TOO_FEW_SIMILAR, flips_in_words, readable
from stages.meaning.verdict import strength_in_words

TURNING = {  # what the figures of verdict.py are called in words
    "structure": "accuracy above chance",
    "flips": "the sharpest jump of a label",
    "tree": "the tree's accuracy beside the network's",
    "ordered": "the order of the labels",
    "exact": "the accuracy of thresholds in each visual class",
}


def say(
    verdict: str,
    groups: dict[str, int],
    pairs: list[dict],
    n: int,
    property_: str | None,
    order: dict,
) -> str:
    """Say in a sentence or two why this is the verdict.

    Args:
        groups: how many were found in each label
        pairs: of metrics/label_flips.json
        n: validation images
        property_: that the labels follow, None if none is known or they follow none
        order: what metrics/label_order.json holds
    """
    flips = ", ".join(flips_in_words(pairs))
    jumps = [found["jump"] for found in pairs if found["jump"] is not None]
    no_flip = (
        f"Of the {len(pairs)} pairs of labels {len(jumps)} share enough visually similar images to"
        " look for thresholds. At none of an image statistic does one label switch to the other:"
        f" the sharpest jump of its fraction is {max(jumps):.2f}, where 1 is a clean switch and"
        f" {FLIP} counts as one."
        if jumps
        else f"{TOO_FEW_SIMILAR}."
    )
    looks = "Groups that look different: " + ", ".join(
        f"{number} in label {label}" for label, number in groups.items()
    )
    if verdict == "no_structure":
        return (
            f"As far as {n:,} validation images can tell, labels are no better predicted than by"
            " chance: they follow nothing that can be seen in the images."
        )
    if verdict == "visual_groups":
        return f"{no_flip} So the labels follow visual classes. {looks}."
    if verdict == "image_statistic":
        switches = f" Between visually similar images the label flips at {flips}." if flips else ""
        return say_property(property_, order) + switches
    if property_:
        return (
            f"The labels are bins of {readable(property_)}, {in_order(order)}, by thresholds of"
            " their own in each visual class: in clusters of visually similar images it decides"
            f" alone (accuracy {order['exactness']:.2f}), over all images it does not."
        )
    return (
        f"Some labels follow image statistics: between visually similar images the label flips at"
        f" {flips}. The others follow visual classes. {looks}."
    )


def say_property(property_: str | None, order: dict) -> str:
    """Say that labels follow a property, and which; arguments as of `say`."""
    family = ", ".join(map(readable, order["family"])) if property_ == order["property"] else ""
    name = readable(property_ or "") + (f" (also {family})" if family else "")
    if not order["ordered"]:
        return f"The labels follow properties of the image, as a small tree can tell, first {name}."
    known = f"It is {name}" if property_ else "No property measured follows this order well"
    how_well = (
        f" (rank correlation {order['correlation']:.2f})" if property_ == order["property"] else ""
    )
    return (
        f"The labels are bins of one property, {in_order(order)}: visually similar images have the"
        f" same label or the next one, and {order['mixed']:.0%} of the images are in clusters that"
        f" hold several labels. {known}{how_well}."
    )


def in_order(order: dict) -> str:
    return "in the order " + ", ".join(map(str, order["order"]))


def say_strength(strength: float, turned_by: str, instead: str) -> str:
    """Say how far the verdict is from another one; arguments as of `verdict.find_strength`."""
    return (
        f"The verdict is {strength_in_words(strength)}: the figure nearest to turning it into"
        f" {readable(instead)}, {TURNING[turned_by]}, is {strength:.0%} away from that."
    )
