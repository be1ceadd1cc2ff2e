"""Join coordinates, pictures, labels, clusters and predictions into what the plots draw.

Reads   PCA and t-SNE coordinates, labels, clusters, predicted labels and images of the test set
        (.npy)
Does    draws a stratified sample of rows: a plots page holds every row that it shows
Writes  pca.csv and tsne.csv: test_row, x, y, label, cluster, prediction, and image, a data URL: in
        the plot's tooltip a field of that name is shown as a picture
"""

import base64
import io
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from stages.common.command import run
from stages.common.files import IMAGES, LABELS, POINTS, load_array, save_table
from stages.common.params import read_params
from stages.data.sampling import draw_rows

SCALE = 2  # a pixel's side on the screen


def to_data_url(image: np.ndarray) -> str:
    """Return an image, uint8 (28, 28, 1), as a data URL that holds a PNG, dark on white.

    The sixteen greys that it keeps cost half the bytes of 256 and look the same.
    """
    greys = np.kron(15 - image[:, :, 0] // 16, np.ones((SCALE, SCALE), np.uint8))
    picture = Image.frombytes("P", greys.shape, greys.tobytes())
    picture.putpalette([grey * 17 for grey in range(16) for _ in "rgb"])
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, bits=4)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def main(
    pca: Path,
    tsne: Path,
    labels_path: Path,
    clusters_path: Path,
    predicted_path: Path,
    images_path: Path,
    scatter: Path,
) -> None:
    params = read_params()
    labels = load_array(labels_path, LABELS)
    rows, _ = draw_rows(labels, params["scatter"]["points"], params["scatter"]["seed"])
    marks = {
        "label": labels[rows],
        "cluster": load_array(clusters_path, LABELS, len(labels))[rows],
        "prediction": load_array(predicted_path, LABELS, len(labels))[rows],
        "image": list(map(to_data_url, load_array(images_path, IMAGES, len(labels))[rows])),
    }
    for path in (pca, tsne):
        x, y = load_array(path, POINTS, len(labels))[rows].T.round(3)
        table = pd.DataFrame({"test_row": rows, "x": x, "y": y} | marks)
        save_table(scatter / f"{path.stem}.csv", table)


if __name__ == "__main__":
    run(main)
