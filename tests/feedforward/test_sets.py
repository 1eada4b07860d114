from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sets import (
    SETS,
    SetSettings,
    ViewSet,
    depth_range,
    make_view_set,
    read_view_set,
    read_view_sets,
    write_view_set,
)
from exgs.raster import choose_rasterizer
from exgs.scene import generate_interior

SETTINGS = SetSettings(views=6, walk=4, size=(32, 18), seed=3)


@pytest.fixture(scope="module")
def views() -> ViewSet:
    room = generate_interior(seed=3, count=4000).with_sh_degree(0)
    return make_view_set("room", room, SETTINGS, rasterizer=choose_rasterizer("cpu", threads=1))


def test_a_set_holds_walks_with_pictures_and_depths(views: ViewSet) -> None:
    assert views.pictures.shape == (6, 18, 32, 3) and views.pictures.std() > 5
    assert views.walk.tolist() == [0, 0, 0, 0, 1, 1]
    seen = views.depths[views.depths > 0].astype(float)
    assert 0 < views.near < np.median(seen) < views.far
    assert np.mean((seen > views.near) & (seen < views.far)) > 0.98


def test_a_set_comes_back_from_disk_as_it_was(views: ViewSet, tmp_path: Path) -> None:
    path = write_view_set(tmp_path, views)
    SETS.write_index(tmp_path, {"seed": 3}, ["room"])
    (back,) = read_view_sets(tmp_path)
    assert path.name == "room.npz" and back.scene == "room" and back.frame == views.frame
    for name in ("pictures", "depths", "walk"):
        assert np.array_equal(getattr(back, name), getattr(views, name)), name
    assert (back.near, back.far) == (views.near, views.far)
    for one, other in zip(back.cameras, views.cameras, strict=True):
        assert np.array_equal(one.camera_from_world, other.camera_from_world)
        assert (one.fx, one.cy, one.width, one.name) == (other.fx, other.cy, other.width, other.name)


def test_damaged_sets_are_refused(views: ViewSet, tmp_path: Path) -> None:
    (tmp_path / "cut.npz").write_bytes(b"PK")
    with pytest.raises(FeedforwardError, match="not a view set"):
        read_view_set(tmp_path / "cut.npz")
    with pytest.raises(FeedforwardError, match="expected 0 < near < far"):
        read_view_set(write_view_set(tmp_path, replace(views, near=5.0, far=1.0)))
    with pytest.raises(FeedforwardError, match="depths"):
        read_view_set(write_view_set(tmp_path, replace(views, depths=views.depths[1:])))


def test_a_range_needs_something_to_see() -> None:
    with pytest.raises(FeedforwardError, match="show nothing"):
        depth_range(np.zeros((2, 8, 8), np.float16))
