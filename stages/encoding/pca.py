"""Project the test encodings to the plane by principal component analysis (PCA).

Reads   test encodings (.npy)
Does    finds the two directions along which they vary most
Writes  coordinates, float32 (n, 2) (.npy), and the fraction of the variance that they hold (JSON)
"""

from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from stages.common.command import run
from stages.common.files import POINTS, load_array, save_array, save_json


def project(encodings: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return coordinates, float32 (n, 2), and each axis' fraction of the variance, (2,), 0-1."""
    pca = PCA(n_components=2, svd_solver="covariance_eigh")  # exact, no random numbers
    coordinates = pca.fit_transform(encodings.astype(np.float64))
    return coordinates.astype(np.float32), pca.explained_variance_ratio_


def main(encodings: Path, coordinates: Path, metrics: Path) -> None:
    points, fractions = project(load_array(encodings, POINTS))
    save_array(coordinates, points)
    save_json(
        metrics,
        {
            "explained_variance_1": float(fractions[0]),
            "explained_variance_2": float(fractions[1]),
            "explained_variance": float(fractions.sum()),
        },
    )


if __name__ == "__main__":
    run(main)
