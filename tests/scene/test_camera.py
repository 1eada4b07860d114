import json
import math
from pathlib import Path

import numpy as np
import pytest

from exgs.scene import Camera, SceneError, read_cameras, write_cameras
from exgs.scene import camera as camera_module


def pose(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.sign(np.linalg.det(turn))
    matrix[:3, 3] = rng.normal(size=3)
    return matrix


def camera(**changes: object) -> Camera:
    values = {
        "camera_from_world": pose(),
        "fx": 500.0,
        "fy": 510.0,
        "cx": 320.0,
        "cy": 180.0,
        "width": 640,
        "height": 360,
    }
    return Camera(**values | changes)


def test_position_and_inverse() -> None:
    view = camera()
    np.testing.assert_allclose(view.camera_from_world @ view.world_from_camera, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(view.camera_from_world @ np.r_[view.position, 1], [0, 0, 0, 1], atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"camera_from_world": np.eye(3)}, "4 x 4"),
        ({"camera_from_world": np.full((4, 4), np.nan)}, "4 x 4"),
        ({"camera_from_world": np.diag([1.0, 1, -1, 1])}, "rotation"),
        ({"camera_from_world": np.diag([2.0, 2, 2, 1])}, "rotation"),
        ({"camera_from_world": np.diag([1.0, 1, 1, 2])}, "last row"),
        ({"fx": 0.0}, "focal"),
        ({"fy": float("inf")}, "focal"),
        ({"cx": float("nan")}, "focal"),
        ({"width": 0}, "picture"),
        ({"height": 1 << 20}, "picture"),
    ],
)
def test_unsound_cameras(changes: dict[str, object], word: str) -> None:
    with pytest.raises(SceneError, match=word):
        camera(**changes, name="left")
    with pytest.raises(SceneError, match="left"):
        camera(**changes, name="left")


@pytest.mark.parametrize("up", [(0, -1, 0), (0, 0, 1), (1, 2, 3), (3, 0, -4)])
def test_looking(up: tuple[float, float, float]) -> None:
    """The target is in the middle, up points up, and the field of view is what was asked for."""
    position, target = np.array([1.0, 2, 3]), np.array([4.0, 2, -1])
    view = Camera.looking(position, target, np.array(up), fov_y_rad=1.0, size=(640, 360))
    np.testing.assert_allclose(view.position, position, atol=1e-12)
    seen = view.camera_from_world[:3, :3] @ (target - position)
    np.testing.assert_allclose(seen, [0, 0, 5], atol=1e-12)
    across = np.cross(target - position, up)
    if np.linalg.norm(across) > 1e-9:
        assert (view.camera_from_world[:3, :3] @ np.array(up))[1] < 0
        assert abs((view.camera_from_world[:3, :3] @ np.array(up))[0]) < 1e-9
    assert 2 * math.atan(view.height / 2 / view.fy) == pytest.approx(1.0)


def test_looking_straight_up_is_some_picture() -> None:
    view = Camera.looking(
        np.zeros(3), np.array([0.0, 0, 2]), np.array([0.0, 0, 1]), fov_y_rad=1.0, size=(8, 8)
    )
    np.testing.assert_allclose(view.camera_from_world[2, :3], [0, 0, 1])
    with pytest.raises(SceneError, match="coincide"):
        Camera.looking(np.ones(3), np.ones(3), np.array([0.0, 0, 1]), fov_y_rad=1.0, size=(8, 8))


def test_resized_keeps_the_vertical_field_of_view() -> None:
    view = camera(cx=300.0, cy=200.0)
    larger = view.resized(1280, 720)
    assert (larger.fx, larger.fy, larger.cx, larger.cy) == (1000, 1020, 600, 400)
    wider = view.resized(900, 360)
    assert (wider.fx, wider.cx) == (500, 430)


def test_file_round_trip(tmp_path: Path) -> None:
    views = [camera(name="left eye"), camera(camera_from_world=pose(1), name="right-eye.2")]
    write_cameras(tmp_path / "cameras.json", views)
    back = read_cameras(tmp_path / "cameras.json")
    assert [view.name for view in back] == ["left eye", "right-eye.2"]
    for view, other in zip(views, back, strict=True):
        np.testing.assert_array_equal(view.camera_from_world, other.camera_from_world)
        assert (view.fx, view.fy, view.cx, view.cy, view.width, view.height) == (
            (other.fx, other.fy, other.cx, other.cy, other.width, other.height)
        )


def entry(**changes: object) -> dict[str, object]:
    values: dict[str, object] = {"fx": 1, "fy": 1, "cx": 1, "cy": 1, "width": 2, "height": 2}
    return values | {"name": "a", "camera_from_world": np.eye(4).tolist()} | changes


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ([], "a JSON object"),
        ({}, "non-empty list"),
        ({"cameras": []}, "non-empty list"),
        ({"cameras": {}}, "non-empty list"),
        ({"cameras": [1]}, "camera 0"),
        ({"cameras": [entry(), entry(name="../b")]}, "camera 1"),
        ({"cameras": [entry(name=".hidden")]}, "file name"),
        ({"cameras": [entry(), entry()]}, "share a name"),
        ({"cameras": [{key: value for key, value in entry().items() if key != "fx"}]}, "fx is missing"),
        ({"cameras": [entry(fx="wide")]}, "camera 0"),
        ({"cameras": [entry(fx=None)]}, "camera 0"),
        ({"cameras": [entry(fx=10**400)]}, "camera 0"),
        ({"cameras": [entry(width=float("nan"))]}, "camera 0"),
        ({"cameras": [entry(width=10**9)]}, "picture"),
        ({"cameras": [entry(camera_from_world=[[1, 2], [3]])]}, "camera 0"),
        ({"cameras": [entry(camera_from_world=[[1, 2], [3, 4]])]}, "4 x 4"),
    ],
)
def test_broken_camera_files(document: object, word: str, tmp_path: Path) -> None:
    path = tmp_path / "cameras.json"
    path.write_text(json.dumps(document))
    with pytest.raises(SceneError, match=rf"cameras\.json: .*{word}"):
        read_cameras(path)


def test_files_that_hold_no_cameras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cameras.json"
    with pytest.raises(SceneError, match="No such file"):
        read_cameras(path)
    for data in (b"", b"\xff", b"[" * 100_000, b'{"cameras": [' + b"9" * 5000 + b"]}"):
        path.write_bytes(data)
        with pytest.raises(SceneError, match="not a JSON document"):
            read_cameras(path)
    monkeypatch.setattr(camera_module, "MAX_CAMERA_FILE_BYTES", 10)
    path.write_bytes(bytes(11))
    with pytest.raises(SceneError, match="11 bytes, expected 10 at most"):
        read_cameras(path)


@pytest.mark.shared
def test_shared_cameras_can_be_read(shared_data: Path) -> None:
    for path in sorted((shared_data / "cameras").glob("*.json")):
        views = read_cameras(path)
        assert len(views) >= 4
        assert len({view.name for view in views}) == len(views)
