"""The door: whatever lies there is found out."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.folders import views_index
from exgs.feedforward.read import find_views, load_views, read_views
from exgs.feedforward.sets import ViewSet, write_view_set
from exgs.scene import Frame, write_cameras
from tests.feedforward.captures import (
    assert_same_cameras,
    cameras_around,
    points_around,
    write_binary,
    write_pictures,
    write_text,
    write_transforms,
)

CAMERAS, POINTS = cameras_around(), points_around()
KINDS = ["text", "binary", "transforms", "rendered"]


def make(folder: Path, kind: str) -> Path:
    """A folder of five views of that kind, all with the same cameras."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind in ("text", "binary"):
        write = write_text if kind == "text" else write_binary
        write(folder / "sparse" / "0", CAMERAS, POINTS)
        write_pictures(folder / "images", [f"im {number}.png" for number in range(len(CAMERAS))])
    elif kind == "transforms":
        write_transforms(folder, CAMERAS)
    else:
        write_cameras(folder / "cameras.json", CAMERAS)
        write_pictures(folder, [f"{camera.name}.png" for camera in CAMERAS])
    return folder


def view_set(folder: Path, count: int = 5) -> Path:
    shape = (count, *(CAMERAS[0].height, CAMERAS[0].width))
    pictures = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = ViewSet(
        "flat", pictures, np.ones(shape, np.float16), np.zeros(count, np.int32), tuple(CAMERAS[:count]),
        1.5, 6.0, Frame("RUB"),
    )  # fmt: skip
    return write_view_set(folder, found)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_views(tmp_path: Path, kind: str) -> None:
    views = read_views(make(tmp_path, kind))
    assert_same_cameras(views.cameras, CAMERAS)
    assert views.near < 3 < views.far
    assert len(np.unique(views.pictures.reshape(5, -1), axis=0)) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_views_is_known_by_its_names(tmp_path: Path, kind: str) -> None:
    named = {
        "text": "sparse",
        "binary": "sparse",
        "transforms": "transforms.json",
        "rendered": "cameras.json",
    }
    assert views_index(make(tmp_path, kind)) == tmp_path / named[kind]


def test_other_folders_are_none(tmp_path: Path) -> None:
    assert views_index(tmp_path) is None
    write_cameras(tmp_path / "cameras.json", CAMERAS)
    (tmp_path / "input.ply").write_bytes(b"ply")
    write_pictures(tmp_path, ["sheet.png"])
    assert views_index(tmp_path) is None
    write_text(tmp_path / "bare", CAMERAS, POINTS)
    assert views_index(tmp_path / "bare") is None
    (tmp_path / "bare" / "sparse").mkdir()
    assert views_index(tmp_path / "bare") is None


def test_the_file_that_lists_them_may_be_named(tmp_path: Path) -> None:
    make(tmp_path, "transforms")
    (tmp_path / "transforms.json").rename(tmp_path / "transforms_train.json")
    assert len(read_views(tmp_path / "transforms_train.json")) == 5
    make(tmp_path / "ours", "rendered")
    assert len(read_views(tmp_path / "ours" / "cameras.json")) == 5


def test_size_and_number_are_taken(tmp_path: Path) -> None:
    shares: list[float] = []
    views = read_views(make(tmp_path, "binary"), size=(12, 12), most=3, progress=shares.append)
    assert views.size == (12, 12)
    assert [camera.name for camera in views.cameras] == ["im 0.png", "im 2.png", "im 4.png"]
    assert shares[-1] == 1
    assert views.notes == ("3 of 5 views are used",)
    with pytest.raises(FeedforwardError, match="at least 2"):
        read_views(tmp_path, most=1)


def test_few_of_many_views_must_stand_apart_too(tmp_path: Path) -> None:
    write_transforms(tmp_path, [*CAMERAS, CAMERAS[0]])
    assert len(read_views(tmp_path)) == 6
    with pytest.raises(FeedforwardError, match="at one place"):
        read_views(tmp_path, most=2)


def test_pixels_bound_the_size_and_keep_the_shape(tmp_path: Path) -> None:
    found = find_views(make(tmp_path, "text"))
    assert load_views(found, pixels=24 * 16).size == (24, 16)
    assert load_views(found, pixels=100).size == (12, 8)
    assert load_views(found, pixels=100, size=(7, 5)).size == (7, 5)
    assert load_views(find_views(view_set(tmp_path)), pixels=100).size == (12, 8)


def test_the_shape_is_that_of_most_pictures(tmp_path: Path) -> None:
    from PIL import Image

    named = [replace(camera, width=16, height=24) if camera.name == "000" else camera for camera in CAMERAS]
    write_cameras(tmp_path / "cameras.json", named)
    write_pictures(tmp_path, [f"{camera.name}.png" for camera in CAMERAS])
    Image.new("RGB", (16, 24)).save(tmp_path / "000.png")
    assert load_views(find_views(tmp_path), pixels=100).size == (12, 8)


def test_a_view_set_is_read(tmp_path: Path) -> None:
    path = view_set(tmp_path)
    views = read_views(path, most=3, size=(12, 8))
    assert (len(views), views.size, views.near, views.far, views.frame.axes) == (3, (12, 8), 1.5, 6.0, "RUB")
    assert_same_cameras(read_views(path).cameras, CAMERAS)


def test_a_view_set_is_not_blown_up_beyond_all_memory(tmp_path: Path) -> None:
    with pytest.raises(FeedforwardError, match="take more than 4 GiB"):
        load_views(find_views(view_set(tmp_path)), size=(30_000, 30_000))


def test_a_view_set_needs_two_places(tmp_path: Path) -> None:
    with pytest.raises(FeedforwardError, match="1 view"):
        read_views(view_set(tmp_path, 1))
    path = view_set(tmp_path)
    with np.load(path) as stored:
        arrays = dict(stored)
    arrays["camera_from_world"][:] = arrays["camera_from_world"][0]
    np.savez(path, **arrays)
    with pytest.raises(FeedforwardError, match="at one place"):
        read_views(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FeedforwardError, match="not a view set"):
        read_views(path)


def test_rendered_pictures_may_be_of_any_format(tmp_path: Path) -> None:
    from PIL import Image

    make(tmp_path, "rendered")
    name = CAMERAS[2].name
    Image.open(tmp_path / f"{name}.png").save(tmp_path / f"{name}.jpg")
    (tmp_path / f"{name}.png").unlink()
    views = read_views(tmp_path)
    assert len(views) == 5
    assert views.frame.axes == "RDF"
    assert "guessed" in views.notes[0]


def test_a_camera_may_be_called_as_its_picture_is(tmp_path: Path) -> None:
    named = [replace(camera, name=f"shot {camera.name}.png") for camera in CAMERAS]
    write_cameras(tmp_path / "cameras.json", named)
    write_pictures(tmp_path, [camera.name for camera in named])
    assert read_views(tmp_path).cameras[1].name == "shot 001.png"


def test_a_missing_rendered_picture_is_named(tmp_path: Path) -> None:
    make(tmp_path, "rendered")
    (tmp_path / f"{CAMERAS[0].name}.png").unlink()
    with pytest.raises(FeedforwardError, match=r"000\.png: there is no such picture \(1 of 5"):
        read_views(tmp_path)


def test_what_is_not_there_or_nothing_known_is_said(tmp_path: Path) -> None:
    with pytest.raises(FeedforwardError, match="no such file or folder"):
        read_views(tmp_path / "nowhere")
    with pytest.raises(FeedforwardError, match="no views here; expected a COLMAP folder"):
        read_views(tmp_path)
    (tmp_path / "scene.ply").write_bytes(b"ply")
    with pytest.raises(FeedforwardError, match=r"scene\.ply: no views"):
        read_views(tmp_path / "scene.ply")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(FeedforwardError, match='neither "frames" nor "cameras"'):
        read_views(tmp_path / "a.json")
    (tmp_path / "b.json").write_text(json.dumps({"cameras": [1]}))
    with pytest.raises(FeedforwardError, match="camera 0: expected an object"):
        read_views(tmp_path / "b.json")


def test_transforms_go_before_a_model_beside_them(tmp_path: Path) -> None:
    """nerfstudio leaves both; its own file is the one whose pictures it names."""
    make(tmp_path, "transforms")
    write_text(tmp_path / "sparse" / "0", CAMERAS, POINTS)
    assert read_views(tmp_path).frame.axes == "RFU"
    shutil.rmtree(tmp_path / "sparse")
    assert read_views(tmp_path).frame.axes == "RFU"


def test_fewer_views_of_a_set_are_said_to_be_fewer(tmp_path: Path) -> None:
    path = view_set(tmp_path)
    views = read_views(path, most=3)
    assert len(views) == 3 and views.notes == ("3 of 5 views are used",)
    assert read_views(path, most=5).notes == read_views(path).notes == ()


def test_a_camera_file_may_say_near_and_far(tmp_path: Path) -> None:
    write_pictures(tmp_path, [f"{camera.name}.png" for camera in CAMERAS])
    write_cameras(tmp_path / "cameras.json", CAMERAS)
    guessed = read_views(tmp_path)
    assert any("guessed" in note for note in guessed.notes)
    write_cameras(tmp_path / "cameras.json", CAMERAS, span=(1.25, 7.5))
    views = read_views(tmp_path)
    assert (views.near, views.far, views.notes) == (1.25, 7.5, ())
    write_cameras(tmp_path / "cameras.json", CAMERAS, span=(7.5, 1.25))
    with pytest.raises(FeedforwardError, match=r"near 7\.5 and far 1\.25"):
        read_views(tmp_path)
