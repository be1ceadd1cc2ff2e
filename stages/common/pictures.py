"""Drawing pictures: grids of images, and saving any figure the same way."""

import math
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws to files, needs no screen

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from common.files import replacing

COLUMNS = 8  # images in a row
DPI = 150  # a figure 6.3 inches wide fills A4's text width and reads well in print


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG, without the time and versions that would change its bytes."""
    with replacing(path) as part:
        figure.savefig(part, dpi=DPI, metadata={"Software": None})


def draw_images(figure: SubFigure, images: np.ndarray, captions: list[str]) -> None:
    """Draw images (n, 28, 28, 1) in rows of `COLUMNS`, each below its caption of two lines."""
    n_rows = max(1, math.ceil(len(images) / COLUMNS))
    axes = list(figure.subplots(n_rows, COLUMNS, squeeze=False).flat)
    for ax in axes:
        ax.axis("off")
    for ax, image, caption in zip(axes, images, captions, strict=False):
        draw_image(ax, image)
        ax.set_title(caption, fontsize=6, pad=2)


def grid_height(n: int) -> float:
    """Inches that `n` images need with `draw_images`, and a title above them."""
    return 0.95 * max(1, math.ceil(n / COLUMNS)) + 0.45


def draw_image(ax: Axes, image: np.ndarray) -> None:
    """Draw one image (28, 28, 1) of values 0-255, dark on white, without axes."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    ax.axis("off")
