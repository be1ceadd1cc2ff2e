"""Project the test encodings to the plane by t-SNE, which keeps neighbours together.

Reads   test encodings (.npy)
Does    t-SNE (van der Maaten and Hinton 2008), from the first two principal components, which
        keeps its large-scale layout meaningful (Kobak and Berens 2019)
Writes  coordinates, float32 (n, 2) (.npy), and the divergence that is left (CSV)
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from stages.common.command import InputError, run
from stages.common.files import POINTS, load_array, save_array, save_table
from stages.common.params import read_params

# Half the time of scikit-learn's 1,000 and 0.5, at a higher divergence (docs/log-chain.md).
ITERATIONS = 600
ANGLE = 0.8  # how coarsely far points are taken together, 0.2-0.8


def project(encodings: np.ndarray, perplexity: float, seed: int) -> tuple[np.ndarray, float]:
    """Return coordinates, float32 (n, 2), and the Kullback-Leibler divergence in nats.

    Raises:
        InputError: there are too few encodings for the perplexity.
    """
    if len(encodings) <= perplexity:
        raise InputError(
            f"params.yaml: tsne.perplexity: expected less than the {len(encodings)} test images,"
            f" found {perplexity}"
        )
    options = {"max_iter": ITERATIONS, "angle": ANGLE, "n_jobs": 2, "verbose": 2}
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=seed, **options)
    with threadpool_limits(2, "openmp"):  # more threads add up in an order of their own
        return tsne.fit_transform(encodings), tsne.kl_divergence_


def main(encodings: Path, coordinates: Path, table: Path) -> None:
    params = read_params()
    perplexity = params["tsne"]["perplexity"]
    points, divergence = project(load_array(encodings, POINTS), perplexity, params["tsne"]["seed"])
    save_array(coordinates, points)
    save_table(table, pd.DataFrame({"perplexity": [perplexity], "kl_divergence": [divergence]}))


if __name__ == "__main__":
    run(main)
