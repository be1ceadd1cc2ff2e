"""Ask of labels made up by seed whether they are ordered, and by thresholds of each class; count.

    python -m benchmarks.orders 7000 7200

Reads   Fashion-MNIST, as the stage fetch finds it
Does    makes up labels for each seed from the first on, of a kind a seed in turn; asks label_order
        and class_thresholds, on 54,000 training and 6,000 other images, without any network
Writes  metrics/orders.json: of each kind of labels how many sets were asked about, how many were
        found ordered (and in the order they were made in) and how many exact in each class

The kinds are those of labels.py; labels some of which are wrong are counted with the others of
their kind.
"""

import sys

import pandas as pd

from benchmarks.labels import make_labels
from benchmarks.stage_runs import ROOT
from stages.common.files import save_json
from stages.data.fashion_mnist import find_fashion_mnist
from stages.meaning.class_thresholds import find_thresholds
from stages.meaning.label_flips import find_similar
from stages.meaning.label_order import find_similar_images, weigh
from stages.meaning.statistics import measure
from stages.meaning.verdict import exact_margin

N_TRAIN = 54_000
FIGURES = ROOT / "metrics/orders.json"


def main(first: str, end: str) -> None:
    arrays = find_fashion_mnist()
    images, classes = arrays["x_train"].reshape(-1, 28, 28, 1), arrays["y_train"]
    statistics = measure(images)
    clusters = find_similar(images[:N_TRAIN], 1)
    neighbors = find_similar_images(images[:N_TRAIN], images[N_TRAIN:])
    found = []
    for seed in range(int(first), int(end)):
        kind, labels = make_labels(seed, classes, images[..., 0], statistics)
        known = labels[:N_TRAIN]
        order, evidence = weigh(known, labels[N_TRAIN:], known[neighbors], clusters)
        _, exactness, _ = find_thresholds(statistics[:N_TRAIN], known, clusters, order)
        ordered = evidence["ordered"]
        found.append(
            {
                "kind": kind,
                "asked": 1,
                "ordered": ordered,
                "in_their_order": ordered and order in ([0, 1, 2, 3, 4], [4, 3, 2, 1, 0]),
                "exact": exact_margin(exactness, evidence["random_labels"]) >= 0,
            }
        )
        print(f"orders: {seed}, {found[-1]}", flush=True)
    counts = pd.DataFrame(found).groupby("kind").sum().astype(int)
    save_json(FIGURES, {"seeds": f"{first} to {int(end) - 1}"} | counts.to_dict("index"))


if __name__ == "__main__":
    main(*sys.argv[1:])
