"""The tables and the plot of reconstruction's benchmark."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from benchmarks.feedforward import keep, memory_rows, plot, rows
from exgs.feedforward.rendered import read_set
from exgs.feedforward.sampling import as_views
from tests.feedforward.conftest import MakeSet, make_set  # noqa: F401


def score(views: int, anchors: int) -> dict[str, Any]:
    found = {"views": views, "anchors": anchors, "psnr": 20 + views / 10, "ssim": 0.7654}
    return found | {"gaussians": 1000 * anchors, "seconds": 1.25, "peak_bytes": 1}


KINDS = {"interior": {"with": [score(6, 6), score(12, 6)], "without": [score(6, 6), score(12, 12)]}}
MEMORY = [
    {"case": case, "views": views, "bytes": 10**6 * views, "gaussians": 1000 * views}
    for views in (6, 12)
    for case in ("with", "without")
]


def test_both_ways_stand_beside_each_other() -> None:
    *_, last_with, last_without = rows(KINDS)
    assert last_with == "| interiors | 12 | with | 6 | 21.20 | 0.765 | 6,000 | 1.2 |"
    assert last_without == "| interiors | 12 | without | 12 | 21.20 | 0.765 | 12,000 | 1.2 |"
    assert list(memory_rows(MEMORY))[-1] == "| 12 | 12.00 MB | 12.00 MB | 12,000 | 12,000 |"


def test_the_plot_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    plot(tmp_path / "plot.png", KINDS, MEMORY)
    with Image.open(tmp_path / "plot.png") as picture:
        assert picture.width > 800 and np.asarray(picture).std() > 5


def test_views_reach_a_process_of_their_own(make_set: MakeSet, tmp_path: Path) -> None:  # noqa: F811
    views = as_views(make_set(), (0, 3, 6))
    back = read_set(keep(tmp_path, "three", views))
    assert (back.pictures == views.pictures).all() and (back.near, back.far) == (views.near, views.far)
