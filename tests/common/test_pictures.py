"""Pictures: room for what is written on them."""

import hashlib
import os
import subprocess
import sys

import pandas as pd
import pytest

from stages.common.pictures import MOST_NUMBERED, draw_counts
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
