"""Pictures: room for what is written on them."""

import pandas as pd
import pytest

from stages.common.pictures import MOST_NUMBERED, draw_counts


@pytest.mark.parametrize("n", [MOST_NUMBERED, MOST_NUMBERED + 1])
def test_a_heat_map_of_many_clusters_has_room_for_what_is_written_on_it(n):
    clusters = pd.RangeIndex(n, name="cluster")
    counts = pd.DataFrame(1_000, index=pd.RangeIndex(5, name="label"), columns=clusters)
    ax = draw_counts("", counts, "").axes[0]
    numbered = n == MOST_NUMBERED
    assert len(ax.texts) == (5 * n if numbered else 0)
    assert len(ax.get_xticks()) == (n if numbered else 4)
