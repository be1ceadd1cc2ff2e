"""Random images of each label and cluster."""

import numpy as np

from stages.encoding import image_grids
from tests.helpers import captions_of, set_params, synthetic


def test_a_grid_shows_images_of_its_group_alone_with_label_and_row():
    images, labels = synthetic(50)
    rows = np.flatnonzero(labels == 3)
    figure = image_grids.draw_group("title", images, labels, rows, n=6, seed=1)
    captions = captions_of(figure)
    assert captions[0] == "mean of 10"
    shown = [int(caption.split("row ")[1]) for caption in captions[1:]]
    assert len(shown) == 6
    assert set(shown) <= set(rows)
    assert all(caption.startswith("label 3\n") for caption in captions[1:])


def test_grids_are_the_same_bytes_again(workspace):
    set_params(workspace, image_grids__images=9)  # two rows
    images, labels = synthetic(50)
    for name, array in {"x": images, "y": labels, "clusters": labels % 2}.items():
        np.save(f"{name}.npy", array)
    paths = [workspace / f"{name}.npy" for name in ("x", "y", "clusters")]
    for folder in ("a", "b"):
        image_grids.main(*paths, workspace / folder)
    names = sorted(path.name for path in (workspace / "a").iterdir())
    assert names == ["cluster_0.png", "cluster_1.png", *(f"label_{n}.png" for n in range(5))]
    for name in names:
        assert (workspace / "a" / name).read_bytes() == (workspace / "b" / name).read_bytes()
