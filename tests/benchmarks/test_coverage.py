"""The table of what anchors cover."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks import coverage
from benchmarks.coverage import Place, loop, rows, scored
from exgs.feedforward import reconstructing
from exgs.feedforward.coverage import Coverage
from exgs.raster.cpu import CpuRasterizer
from exgs.scene import generate_interior


def case(way: str, anchors: int, *, psnr: float, empty: float) -> dict[str, Any]:
    found = {"scene": "one", "kind": "interiors, a loop", "views": 24, "way": way, "anchors": anchors}
    return found | {
        "psnr": psnr, "worst": psnr - 3, "empty": empty, "worst_empty": 4 * empty, "gaussians": 1000 * anchors
    }  # fmt: skip


def test_scenes_of_a_kind_are_one_row() -> None:
    found = [case("auto", 9, psnr=25, empty=0.001), case("off", 24, psnr=26, empty=0)]
    found += [case("auto", 12, psnr=24, empty=0.003), case("off", 24, psnr=27, empty=0)]
    _, _, auto, off = rows(found)
    assert auto == "| interiors, a loop | 24 | auto | 9 to 12 | 24.50 | 21.00 | 0.2% | 1.2% | 10,500 |"
    assert off == "| interiors, a loop | 24 | off | 24 | 26.50 | 23.00 | 0.0% | 0.0% | 24,000 |"


def test_a_loop_is_judged_from_between_its_views(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, rasterizer = generate_interior(seed=1, count=20_000), CpuRasterizer(threads=1)
    walk = loop(scene, 4, rasterizer)
    views = walk.context(4)
    assert (len(views), len(walk.targets), len(walk.truth)) == (4, 4, 4)
    places = np.array([camera.position for camera in walk.targets])
    assert np.linalg.norm(places[:, None] - views.centres, axis=2).min() > 0.05

    class Made:
        gaussians, anchors, coverage = scene, None, Coverage(np.zeros((4, 2, 2), bool))

    monkeypatch.setattr(reconstructing, "reconstruct", lambda *args, **words: Made)
    found = list(scored(Place("one", "interiors, a loop", (4,), lambda count: walk), None, rasterizer))  # type: ignore[arg-type]
    assert [one["way"] for one in found] == [str(way or "off") for way in coverage.WAYS]
    assert all(one["psnr"] > 60 and one["anchors"] == 4 for one in found)
