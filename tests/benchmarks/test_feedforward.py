"""The tables and the plot of reconstruction's benchmark."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")

from benchmarks import feedforward
from benchmarks.feedforward import keep, memory_rows, rows
from benchmarks.feedforward_plot import plot
from exgs.codec import EncodeConfig, Photographs
from exgs.feedforward import evaluation, reconstructing
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


def test_the_codec_is_measured_both_ways(monkeypatch: pytest.MonkeyPatch, make_set: MakeSet) -> None:  # noqa: F811
    views = as_views(make_set(), (0, 3, 6))
    walk = SimpleNamespace(targets=views.cameras[:1], truth=None, context=lambda count: views)
    worth = {"made": 25.0, "made None": 24.5, "made 3": 25.25}

    def encode(made: str, config: EncodeConfig, *, rasterizer: object, cameras: Photographs | None) -> Any:
        assert config.ratio == 20
        return SimpleNamespace(data=f"{made} {cameras and len(cameras)}")

    monkeypatch.setattr(feedforward, "load_network", lambda weights: None)
    monkeypatch.setattr(feedforward, "open_weights", lambda name: None)
    monkeypatch.setattr(feedforward, "coded_scenes", lambda args: [("room", lambda: None)])
    monkeypatch.setattr(evaluation, "walk_through", lambda *a, **k: walk)
    monkeypatch.setattr(reconstructing, "reconstruct", lambda *a, **k: SimpleNamespace(gaussians="made"))
    monkeypatch.setattr(feedforward, "encode", encode)
    monkeypatch.setattr(feedforward, "decode", lambda data: data)
    monkeypatch.setattr(feedforward, "judged", lambda made, *more: worth[made])
    args = SimpleNamespace(weights="", targets=1, ratios=[20.0])
    _, _, itself, photographs = feedforward.coded(args)  # type: ignore[arg-type]
    assert itself == "| room | itself | 25.00 dB | 24.50 dB (-0.50), 9 B |"
    assert photographs == "| room | its photographs | 25.00 dB | 25.25 dB (+0.25), 6 B |"
