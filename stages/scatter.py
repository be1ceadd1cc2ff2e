"""Join coordinates, labels, clusters and predictions into what the plots draw.

Reads   PCA and t-SNE coordinates, labels, clusters and predicted labels of the test images (.npy)
Does    draws a stratified sample of rows: a plots page holds every row that it shows
Writes  pca.csv and tsne.csv: test_row, x, y, label, cluster, prediction
"""

from pathlib import Path

import numpy as np
import pandas as pd

from common.command import run
from common.files import save_table
from common.params import read_params
from common.sampling import draw_rows


def main(
    pca: Path,
    tsne: Path,
    labels_path: Path,
    clusters_path: Path,
    predicted_path: Path,
    scatter: Path,
) -> None:
    params = read_params()
    labels = np.load(labels_path)
    rows, _ = draw_rows(labels, params["scatter"]["points"], params["scatter"]["seed"])
    marks = {
        "label": labels[rows],
        "cluster": np.load(clusters_path)[rows],
        "prediction": np.load(predicted_path)[rows],
    }
    for path in (pca, tsne):
        x, y = np.load(path)[rows].T.round(3)
        table = pd.DataFrame({"test_row": rows, "x": x, "y": y} | marks)
        save_table(scatter / f"{path.stem}.csv", table)


if __name__ == "__main__":
    run(main)
