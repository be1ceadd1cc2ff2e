"""Pictures: room for what is written on them."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from stages.common.pictures import FONT, MOST_NUMBERED, draw_counts, fonts_for
from tests.helpers import ROOT


@pytest.mark.parametrize("n", [MOST_NUMBERED, MOST_NUMBERED + 1])
def test_a_heat_map_of_many_clusters_has_room_for_what_is_written_on_it(n):
    clusters = pd.RangeIndex(n, name="cluster")
    counts = pd.DataFrame(1_000, index=pd.RangeIndex(5, name="label"), columns=clusters)
    ax = draw_counts("", counts, "").axes[0]
    numbered = n == MOST_NUMBERED
    assert len(ax.texts) == (5 * n if numbered else 0)
    assert len(ax.get_xticks()) == (n if numbered else 4)


def test_a_users_matplotlib_settings_change_no_byte_of_a_picture(tmp_path):
    code = (
        "from pathlib import Path; from matplotlib.figure import Figure;"
        "from stages.common.pictures import save_figure;"
        "figure = Figure(); figure.subplots().set_title('A label');"
        "save_figure(figure, Path('a.png'))"
    )
    found = set()
    for settings in ("", "text.usetex: True", "savefig.bbox: tight", "font.size: 20"):
        (tmp_path / "matplotlibrc").write_text(settings + "\n")
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            cwd=tmp_path,
            check=True,
        )
        found.add(hashlib.sha256((tmp_path / "a.png").read_bytes()).hexdigest())
    assert len(found) == 1


@pytest.fixture
def fonts_of_the_system(monkeypatch):
    """Let the system have no fonts but those that a test puts into this list."""
    paths: list[str] = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: paths)
    return paths


def test_words_in_our_fonts_letters_need_no_other_font_and_say_nothing(fonts_of_the_system, capsys):
    assert list(fonts_for("Hüte, coats and T-shirts")) == [FONT]
    assert list(fonts_for("шапки и сумки قبعة")) in ([FONT], [FONT, "DejaVu Sans"])
    assert capsys.readouterr().out == ""


def test_characters_that_no_font_at_hand_has_are_told_in_a_line(fonts_of_the_system, capsys):
    assert list(fonts_for("帽子 and टोपी")) == [FONT]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("fonts: none at hand has ")
    assert "帽" in line and "install one" in line


def test_a_font_of_the_system_is_used_for_what_ours_lacks(fonts_of_the_system, tmp_path):
    has_it = Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSansMono.ttf"
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    fonts_of_the_system += [str(tmp_path / "broken.ttf"), str(has_it)]
    only_there = set(map(chr, FT2Font(has_it).get_charmap()))
    for other in ("STIXGeneral.ttf", "DejaVuSans.ttf"):
        only_there -= set(map(chr, FT2Font(has_it.with_name(other)).get_charmap()))
    assert list(fonts_for("hat " + min(only_there))) == [FONT, "DejaVu Sans Mono"]
