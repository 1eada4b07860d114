"""transforms.json in the manners of nerfstudio, instant-ngp and the first NeRF scenes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.point_cloud import read_points
from exgs.feedforward.transforms import read_transforms
from tests.feedforward.captures import (
    angle_x,
    assert_same_cameras,
    cameras_around,
    frames,
    points_around,
    write_pictures,
    write_transforms,
)

CAMERAS = cameras_around()
SHARED = ("fl_x", "fl_y", "cx", "cy", "w", "h")
KEYS = ["frames", "file_path", "transform_matrix", "w", "h", "fl_x", "cx", "camera_model", "k1", "near"]
NONE_SHARED: dict[str, Any] = dict.fromkeys(SHARED)


def write_ply(path: Path, points: np.ndarray, *, text: bool = False) -> None:
    kind = "ascii" if text else "binary_little_endian"
    head = f"ply\nformat {kind} 1.0\nelement vertex {len(points)}\nproperty float x\nproperty float y\n"
    head += "property float z\nproperty uchar red\nend_header\n"
    if text:
        body = "".join(f"{x} {y} {z} 9\n" for x, y, z in points).encode()
    else:
        records = np.zeros(len(points), [("xyz", "<f4", 3), ("red", "u1")])
        records["xyz"] = points
        body = records.tobytes()
    path.write_bytes(head.encode() + body)


def test_shared_intrinsics(tmp_path: Path) -> None:
    found = read_transforms(write_transforms(tmp_path, CAMERAS))
    assert_same_cameras(found.cameras, CAMERAS)
    assert found.pictures[3] == tmp_path / "images" / "03.png"
    assert found.frame.up == "+z"


def test_intrinsics_of_each_frame_go_before_shared_ones(tmp_path: Path) -> None:
    each = [{**frame, "fl_x": 30.0 + index} for index, frame in enumerate(frames(CAMERAS))]
    found = read_transforms(write_transforms(tmp_path, CAMERAS, frames=each))
    assert [camera.fx for camera in found.cameras] == [30, 31, 32, 33, 34]
    one = CAMERAS[0]
    own = {"fl_x": one.fx, "fl_y": one.fy, "cx": one.cx, "cy": one.cy, "w": one.width, "h": one.height}
    each = [{**frame, **own} for frame in frames(CAMERAS)]
    assert_same_cameras(
        read_transforms(write_transforms(tmp_path, CAMERAS, frames=each, **NONE_SHARED)).cameras, CAMERAS
    )


def test_the_angle_of_view_alone_is_enough(tmp_path: Path) -> None:
    """The first NeRF scenes: names without a suffix, the size told by the pictures."""
    path = write_transforms(
        tmp_path, CAMERAS, camera_angle_x=angle_x(CAMERAS[0]), camera_model=None,
        frames=frames(CAMERAS, suffix=""), **NONE_SHARED,
    )  # fmt: skip
    found = read_transforms(path)
    assert_same_cameras(found.cameras, CAMERAS)
    assert found.pictures[0].name == "00.png"


def test_views_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = write_transforms(tmp_path, CAMERAS, frames=frames(CAMERAS)[::-1])
    assert_same_cameras(read_transforms(path).cameras, CAMERAS)


def test_without_points_near_and_far_are_guessed_and_it_is_said(tmp_path: Path) -> None:
    found = read_transforms(write_transforms(tmp_path, CAMERAS))
    assert found.near < 3 < found.far
    assert "guessed" in found.notes[0]


@pytest.mark.parametrize("text", [True, False])
def test_points_tell_near_and_far(tmp_path: Path, text: bool) -> None:
    write_ply(tmp_path / "sparse_pc.ply", points_around(200), text=text)
    found = read_transforms(write_transforms(tmp_path, CAMERAS, ply_file_path="sparse_pc.ply"))
    assert 1.3 < found.near < 3 < found.far < 5
    assert found.notes == ()


def test_stated_near_and_far_are_taken(tmp_path: Path) -> None:
    found = read_transforms(write_transforms(tmp_path, CAMERAS, near=2, far=6.5))
    assert (found.near, found.far, found.notes) == (2.0, 6.5, ())
    with pytest.raises(FeedforwardError, match="0 < near < far"):
        read_transforms(write_transforms(tmp_path, CAMERAS, near=7, far=6))


SQUASHED = [
    {**frames(CAMERAS)[0], "transform_matrix": np.diag([1.0, 2, 1, 1]).tolist()},
    *frames(CAMERAS)[1:],
]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"k1": 0.02}, r"distorted \(k1 0.02\); undistort"),
        ({"p2": -1e-5}, "distorted"),
        ({"camera_model": "OPENCV_FISHEYE"}, "OPENCV_FISHEYE is no pinhole"),
        ({"camera_model": ["x"]}, "no pinhole"),
        ({"is_fisheye": True}, "no pinhole"),
        ({"fl_x": None, "fl_y": None}, "no focal length"),
        ({"fl_x": "wide"}, "fl_x is 'wide', expected a number"),
        ({"fl_x": -4}, "focal lengths must be positive"),
        ({"fl_x": 10**400}, "fl_x is '1000"),
        ({"fl_x": math.nan}, "fl_x is 'nan'"),
        ({"cx": True}, "cx is 'True'"),
        ({"w": 24.5}, "24.5 x 16"),
        ({"w": 10**9}, "1000000000 x 16"),
        ({"camera_angle_x": 4, "fl_x": None}, "expected radians from 0 to pi"),
        ({"frames": None}, 'expected a list "frames"'),
        ({"frames": [3]}, "frame 0: expected an object"),
        ({"frames": [{"file_path": 3}]}, "frame 0: expected an object"),
        ({"frames": []}, "0 views, at least 2"),
        ({"frames": frames(CAMERAS[:1])}, "1 views, at least 2"),
        ({"frames": frames([CAMERAS[0]] * 5)}, "at one place"),
        ({"frames": SQUASHED}, "not a rotation"),
        ({"frames": [{"file_path": "images/00.png"}]}, "not 4 x 4"),
        ({"frames": [{"file_path": "images/00.png", "transform_matrix": [[1, 2]]}]}, "not 4 x 4"),
        ({"frames": [{"file_path": "images/00.png", "transform_matrix": "none"}]}, "not 4 x 4"),
        ({"frames": [{"file_path": "images/00.png", "transform_matrix": [[10**400] * 4] * 4}]}, "not 4 x 4"),
        ({"frames": [{"file_path": "images/00.png", "transform_matrix": [[math.nan] * 4] * 4}]}, "finite"),
        ({"frames": [{"file_path": "../out.png"}]}, "within the folder"),
        ({"frames": [{"file_path": "/etc/passwd"}]}, "within the folder"),
        ({"ply_file_path": "../x.ply"}, "within the folder"),
        ({"ply_file_path": "x.ply"}, r"x\.ply: No such file"),
    ],
)
def test_what_makes_no_sense_is_said(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(FeedforwardError, match=said):
        read_transforms(write_transforms(tmp_path, CAMERAS, **change))


def test_missing_pictures_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    path = write_transforms(tmp_path, CAMERAS)
    for number in (1, 4):
        (tmp_path / "images" / f"0{number}.png").unlink()
    with pytest.raises(FeedforwardError, match=r"01\.png: there is no such picture \(2 of 5"):
        read_transforms(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000, '{"a": \xff}'])
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "transforms.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(FeedforwardError, match=r"transforms\.json"):
        read_transforms(path)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
        max_leaves=20,
    )
)
def test_any_document_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, document: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any" / "transforms.json"
    path.parent.mkdir(exist_ok=True)
    write_pictures(path.parent, ["a.png"])
    path.write_text(json.dumps({"frames": [document], "fl_x": 3} if isinstance(document, dict) else document))
    with pytest.raises(FeedforwardError):
        read_transforms(path)


def test_every_truncation_of_a_point_cloud_is_refused(tmp_path: Path) -> None:
    for text in (True, False):
        path = tmp_path / "a.ply"
        write_ply(path, points_around(5), text=text)
        data = path.read_bytes()
        np.testing.assert_allclose(read_points(path), points_around(5), rtol=1e-6)
        for end in range(len(data) - (2 if text else 0)):
            path.write_bytes(data[:end])
            with pytest.raises(FeedforwardError, match=r"a\.ply"):
                read_points(path)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("element face 3\nproperty float x", "without vertices"),
        ("element vertex 3\nproperty float x", "without vertices"),
        ("element vertex 3\nproperty list uchar int x", "without vertices"),
        ("element vertex 99999999\nproperty float x\nproperty float y\nproperty float z", "at most 50000000"),
        ("element vertex 9999999\nproperty float x\nproperty float y\nproperty float z", "the file has"),
    ],
)
def test_point_clouds_that_are_none_are_refused(tmp_path: Path, head: str, said: str) -> None:
    path = tmp_path / "a.ply"
    path.write_text(f"ply\nformat binary_little_endian 1.0\n{head}\nend_header\nabc")
    with pytest.raises(FeedforwardError, match=said):
        read_points(path)


@pytest.mark.parametrize("far_off", [1e160, 1e300])
def test_cameras_beyond_all_measure_are_refused(tmp_path: Path, far_off: float) -> None:
    each = frames(CAMERAS)
    for index, frame in enumerate(each):
        frame["transform_matrix"][0][3] = far_off * index
    with pytest.raises(FeedforwardError, match=r"is inf to inf away"):
        read_transforms(write_transforms(tmp_path, CAMERAS, frames=each))
