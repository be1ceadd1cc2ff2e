"""Drawing pictures: grids of images, heat maps, fonts, and saving any figure the same way."""

import math
import textwrap
import warnings
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws to files, needs no screen

import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ft2font import FT2Font

from stages.common.files import replacing

matplotlib.rcdefaults()  # whatever a user's matplotlibrc says
FONT = "STIXGeneral"
matplotlib.rcParams.update({"font.family": FONT, "mathtext.fontset": "stix"})

COLUMNS = 8  # images in a row
CELL = (46, 32)  # height and width of an image with its caption and some space, in image pixels
MOST_NUMBERED = 16  # columns of a heat map that have room for numbers
NOTE = 110  # characters in a line of a note below a figure
DPI = 150  # a figure 6.3 inches wide fills A4's text width and reads well in print


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` as PNG, without the time and versions that would change its bytes."""
    with replacing(path) as part:
        figure.savefig(part, dpi=DPI, metadata={"Software": None})


def fonts_for(text: str) -> dict[str, Path]:
    """Return the fonts that a user's words need: by name, our own first, and where they are.

    What our font lacks is looked for in Matplotlib's own fonts, then in the system's, upright ones
    first. A line says which characters no font at hand has.
    """
    own = Path(matplotlib.get_data_path()) / "fonts/ttf"
    system = sorted(map(Path, font_manager.findSystemFonts()))
    system.sort(key=lambda path: "regular" not in path.name.lower())
    fonts: dict[str, Path] = {}
    missing = {character for character in text if not character.isspace()}
    for path in (own / f"{FONT}.ttf", own / "DejaVuSans.ttf", *system):
        try:
            font = FT2Font(path)
            found = missing & set(map(chr, font.get_charmap()))
        except (OSError, RuntimeError, UnicodeError):
            continue  # whatever lies in a folder of fonts
        if found or not fonts:
            font_manager.fontManager.addfont(path)
            fonts[font.family_name] = path
            missing -= found
    if missing:
        characters = " ".join(sorted(missing))
        print(f"fonts: none at hand has {characters}: install one, such as Noto's", flush=True)
        warnings.filterwarnings("ignore", "Glyph .* missing")  # once is enough
    return fonts


def draw_images(figure: Figure | SubFigure, images: np.ndarray, captions: list[str]) -> None:
    """Draw images (n, 28, 28, 1) in rows of `COLUMNS`, each below its caption of two lines.

    All are one picture with captions on it: an axes for each image takes eight times as long.
    """
    ax = figure.subplots()
    n_rows = max(1, math.ceil(len(images) / COLUMNS))
    sheet = np.zeros((n_rows * CELL[0], COLUMNS * CELL[1]))
    for number, (image, caption) in enumerate(zip(images, captions, strict=True)):
        height, width = image.shape[:2]
        row, column = divmod(number, COLUMNS)
        top, left = (row + 1) * CELL[0] - height, column * CELL[1] + (CELL[1] - width) // 2
        sheet[top : top + height, left : left + width] = image[..., 0]
        ax.text(left + width / 2, top - 2, caption, fontsize=7, ha="center", va="bottom")
    draw_image(ax, sheet)


def grid_height(n: int) -> float:
    """Inches that `n` images need with `draw_images`, and a title above them."""
    return 0.95 * max(1, math.ceil(n / COLUMNS)) + 0.45


def draw_image(ax: Axes, image: np.ndarray) -> None:
    """Draw one image, (28, 28, 1) or (28, 28), of values 0-255, dark on white, without axes."""
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    ax.axis("off")


def named_columns(n: int, most: int = MOST_NUMBERED) -> list[int]:
    """Return which of the `n` columns of a heat map to name.

    All of up to `most`, for which there is room; or else every fifth, and the last.
    """
    return list(range(n)) if n <= most else [*range(0, n - 3, 5), n - 1]


def draw_counts(title: str, counts: pd.DataFrame, note: str) -> Figure:
    """Draw counts as a heat map, each cell shaded by its fraction of the row, above a note.

    Of many columns the counts are not written out, and not every one is named.

    Args:
        counts: its index and columns have the names of the axes
        note: one or more lines; long ones are wrapped
    """
    lines = [part for line in note.splitlines() for part in textwrap.wrap(line, NOTE)]
    figure = Figure(figsize=(6.3, 2.8 + 0.15 * len(lines)), layout="constrained")
    ax = figure.subplots()
    fractions = counts.div(counts.sum(axis=1), axis=0).to_numpy()
    ax.imshow(fractions, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    named = named_columns(counts.shape[1])
    for (row, column), fraction in (
        np.ndenumerate(fractions) if len(named) == counts.shape[1] else ()
    ):
        color = "white" if fraction > 0.5 else "black"
        text = f"{counts.iat[row, column]:,}"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=color)
    ax.set_xticks(named, counts.columns[named], fontsize=8)
    ax.set_yticks(range(counts.shape[0]), counts.index, fontsize=8)
    ax.set_ylabel(counts.index.name, fontsize=9)
    ax.set_xlabel("\n".join([counts.columns.name, "", *lines]), fontsize=8.5)
    ax.set_title(title, fontsize=10)
    return figure
