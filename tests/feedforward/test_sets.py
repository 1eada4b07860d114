import json
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sets import (
    INDEX,
    SetSettings,
    ViewSet,
    depth_range,
    make_view_set,
    read_view_set,
    read_view_sets,
    write_index,
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
    write_index(tmp_path, {"seed": 3}, ["room"])
    (back,) = read_view_sets(tmp_path)
    assert path.name == "room.npz" and back.scene == "room" and back.frame == views.frame
    for name in ("pictures", "depths", "walk"):
        assert np.array_equal(getattr(back, name), getattr(views, name)), name
    assert (back.near, back.far) == (views.near, views.far)
    for one, other in zip(back.cameras, views.cameras, strict=True):
        assert np.array_equal(one.camera_from_world, other.camera_from_world)
        assert (one.fx, one.cy, one.width, one.name) == (other.fx, other.cy, other.width, other.name)


def test_damaged_sets_are_refused(views: ViewSet, tmp_path: Path) -> None:
    path = write_view_set(tmp_path, views)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(FeedforwardError, match="not a view set"):
        read_view_set(path)
    path.unlink()
    with pytest.raises(FeedforwardError, match="No such file"):
        read_view_set(path)
    with pytest.raises(FeedforwardError, match="expected 0 < near < far"):
        read_view_set(write_view_set(tmp_path, replace(views, near=5.0, far=1.0)))
    with pytest.raises(FeedforwardError, match="depths"):
        read_view_set(write_view_set(tmp_path, replace(views, depths=views.depths[1:])))


def test_arrays_larger_than_their_bytes_are_refused_before_they_are_made(
    views: ViewSet, tmp_path: Path
) -> None:
    path = write_view_set(tmp_path, views)
    with zipfile.ZipFile(path) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist()}
    header = BytesIO()
    stated = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**6, 10**3, 3)}
    np.lib.format.write_array_header_1_0(header, stated)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in (arrays | {"pictures.npy": header.getvalue()}).items():
            archive.writestr(name, data)
    with pytest.raises(FeedforwardError, match=r"pictures.npy is cut short"):
        read_view_set(path)


def test_archives_packed_otherwise_are_refused(views: ViewSet, tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("pictures.npy", b"whatever")
    with pytest.raises(FeedforwardError, match="packed as no view set is"):
        read_view_set(path)


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 9}', json.dumps({"version": 1, "scenes": ["../a"]})]
)
def test_indices_of_something_else_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(FeedforwardError, match=INDEX):
        read_view_sets(tmp_path)


def test_a_range_needs_something_to_see() -> None:
    with pytest.raises(FeedforwardError, match="show nothing"):
        depth_range(np.zeros((2, 8, 8), np.float16))
