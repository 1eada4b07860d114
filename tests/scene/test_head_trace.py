"""Head traces: files, interpolation, and their way into a scene."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from exgs.scene import (
    Frame,
    Gaussians,
    HeadTrace,
    SceneError,
    StartView,
    head_camera,
    head_cameras,
    read_head_trace,
    stereo_cameras,
    synthetic_head_trace,
    to_frame,
    write_head_trace,
)
from exgs.scene.head_trace_file import EYENAVGS_COLUMNS, OWN_COLUMNS

UP = np.array([0.0, -1.0, 0.0])
EYENAVGS_HEADER = (
    "ViewIndex,FOV1,FOV2,FOV3,FOV4,PositionX,PositionY,PositionZ,QuaternionX,QuaternionY,QuaternionZ,QuaternionW,"
    "GazePosX,GazePosY,GazePosZ,GazeQX,GazeQY,GazeQZ,GazeQW,Timestamp"
)


def start(up: np.ndarray = UP, units_per_metre: float = 1.0) -> StartView:
    """A start at (1, 2, 3) that looks along +x and somewhat down."""
    return StartView(np.array([1.0, 2, 3]), np.array([2.0, 2, 3]) - 0.3 * up, units_per_metre)


def recording(heads: Rotation, places: np.ndarray, *, scale: float = 1.0, ipd_m: float = 0.06) -> str:
    """EyeNavGS text of heads [T] at ``places`` [T,3], in metres times ``scale``."""
    lines = [EYENAVGS_HEADER]
    for number, (head, place) in enumerate(zip(heads, places, strict=True)):
        for view, side in enumerate((-0.5, 0.5)):
            eye = scale * (place + head.apply((side * ipd_m, 0, 0)))
            fields = [
                view,
                -0.9,
                0.7,
                -0.9,
                0.7,
                *eye,
                *head.as_quat(),
                *[0.0] * 6,
                1.0,
                14 * number + 5 * view,
            ]
            lines.append(",".join(f"{field:.6f}" for field in fields))
    return "﻿" + "\n".join(lines) + "\n"


def wandering(count: int = 60) -> tuple[Rotation, np.ndarray]:
    trace = synthetic_head_trace(seconds=count / 20, rate_hz=20, seed=2)
    return Rotation.from_quat(trace.quats[:count], scalar_first=True), trace.positions[:count]


def test_own_file_keeps_the_poses(tmp_path: Path) -> None:
    trace = synthetic_head_trace(seconds=2, seed=1)
    write_head_trace(tmp_path / "walk.csv", trace)
    again = read_head_trace(tmp_path / "walk.csv")
    assert np.allclose(again.times_s, trace.times_s, atol=1e-6)
    assert np.allclose(again.positions, trace.positions, atol=1e-6)
    assert np.allclose(again.quats, trace.quats, atol=1e-6)


def test_eyenavgs_with_settings_is_levelled_and_in_metres(tmp_path: Path) -> None:
    heads, places = wandering()
    tilt = Rotation.from_euler("x", 0.4)
    path = tmp_path / "user1_attic.csv"
    path.write_text(recording(tilt.inv() * heads, tilt.inv().apply(places), scale=2.0), encoding="utf-8")
    quat = ", ".join(f"{number:.7f}" for number in tilt.as_quat())
    settings = f'﻿Scene_Name,Quaternion,Scale,Initial_Position\nattic,"{quat}",2,"0,1,0"\n'
    (tmp_path / "scene_setting.csv").write_text(settings, encoding="utf-8")
    trace = read_head_trace(path)
    assert np.allclose(trace.positions, places, atol=1e-4)
    assert (heads.inv() * Rotation.from_quat(trace.quats, scalar_first=True)).magnitude().max() < 1e-3
    assert trace.ipd_m == pytest.approx(0.06, abs=1e-4)
    assert trace.times_s[:3] == pytest.approx([0, 0.014, 0.028])


def test_eyenavgs_alone_is_levelled_by_the_heads(tmp_path: Path) -> None:
    heads, places = wandering(300)
    tilt = Rotation.from_euler("x", 0.4)
    path = tmp_path / "user1_attic.csv"
    path.write_text(recording(tilt.inv() * heads, places, scale=3.0, ipd_m=0.063), encoding="utf-8")
    trace = read_head_trace(path)
    tops = Rotation.from_quat(trace.quats, scalar_first=True).apply((0, 1, 0))
    assert np.degrees(np.arccos(tops.mean(axis=0)[1])) < 12
    assert np.ptp(trace.positions, axis=0).max() == pytest.approx(np.ptp(places, axis=0).max(), rel=0.2)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "line 1"),
        ("a,b,c\n1,2,3\n", "line 1"),
        (",".join(OWN_COLUMNS) + "\n", "no poses"),
        (",".join(OWN_COLUMNS) + "\n0,0,0,0,1,0,0,0\n\n1,0,0,0,1,0,0\n", "line 4: expected 8 fields"),
        (",".join(OWN_COLUMNS) + "\n0,0,0,zero,1,0,0,0\n", "line 2"),
        (",".join(OWN_COLUMNS) + "\n0,0,0,nan,1,0,0,0\n", "line 2: a number is not finite"),
        (",".join(OWN_COLUMNS) + "\n0,0,0,1e30,1,0,0,0\n", "line 2"),
        (",".join(OWN_COLUMNS) + "\n0,0,0,0,0,0,0,0\n", "line 2: a rotation of length 0"),
        (",".join(OWN_COLUMNS) + "\n1,0,0,0,1,0,0,0\n1,0,0,0,1,0,0,0\n", "line 3: time does not increase"),
        (",".join(EYENAVGS_COLUMNS) + "\n1,0,0,0,0,0,0,1,0\n0,0,0,0,0,0,0,1,0\n", "line 2: expected rows"),
        (",".join(EYENAVGS_COLUMNS) + "\n0,0,0,0,0,0,0,1,0\n", "expected rows"),
        (",".join(EYENAVGS_COLUMNS) + "\n0,0,0,0,0,0,0,1,0\n1,0,0,0,0,0,0,1,1\n", "0 m apart"),
    ],
)
def test_broken_files_name_the_line(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "broken.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SceneError, match=complaint):
        read_head_trace(path)


def test_no_file_and_no_text(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match="No such file"):
        read_head_trace(tmp_path / "absent.csv")
    (tmp_path / "binary.csv").write_bytes(bytes(range(256)) * 8)
    with pytest.raises(SceneError, match="not a CSV file"):
        read_head_trace(tmp_path / "binary.csv")


def test_pose_at_turns_evenly_and_holds_at_the_ends() -> None:
    quats = Rotation.from_rotvec([[0, 0, 0], [0, 1.0, 0]]).as_quat(scalar_first=True)
    trace = HeadTrace(np.array([0.0, 2.0]), np.array([[0.0, 0, 0], [0, 0, 4]]), quats)
    pose = trace.pose_at(0.5)
    assert pose[:3, 3] == pytest.approx([0, 0, 1])
    assert Rotation.from_matrix(pose[:3, :3]).as_euler("yxz") == pytest.approx([0.25, 0, 0])
    assert np.allclose(trace.pose_at(-1), trace.pose_at(0))
    assert np.allclose(trace.pose_at(99), trace.pose_at(trace.duration_s))


def test_placed_begins_at_the_start_and_moves_at_the_scenes_scale() -> None:
    identity = np.tile([1.0, 0, 0, 0], (3, 1))
    moves = np.array([[5.0, 1, 2], [5, 1, 1], [6, 1.5, 2]])
    path = HeadTrace(np.array([0.0, 1, 2]), moves, identity).placed(start(units_per_metre=10.0), UP)
    camera = head_camera(path.pose_at(0), size=(64, 36))
    assert camera.position == pytest.approx([1, 2, 3])
    assert camera.camera_from_world[2, :3] == pytest.approx([1, 0, 0], abs=1e-9), "same heading, but level"
    assert path.pose_at(1)[:3, 3] == pytest.approx([11, 2, 3]), "one metre ahead"
    right = np.cross((1, 0, 0), UP)
    assert path.pose_at(2)[:3, 3] == pytest.approx(np.array([1, 2, 3]) + 10 * right + 5 * UP)
    assert path.ipd_units == pytest.approx(0.63)


@pytest.mark.parametrize("axes", ["RDF", "RUB", "LUF", "BRU"])
def test_level_heads_see_a_level_horizon_in_every_frame(axes: str) -> None:
    up = Frame(axes).up_vector
    yaws = Rotation.from_rotvec(np.outer(np.linspace(0, 3, 5), (0, 1, 0))).as_quat(scalar_first=True)
    path = HeadTrace(np.arange(5.0), np.zeros((5, 3)), yaws).placed(start(up), up)
    for time_s in range(5):
        camera = head_camera(path.pose_at(time_s), size=(64, 36))
        assert camera.camera_from_world[:3, :3] @ up == pytest.approx([0, -1, 0], abs=1e-9)


def test_turning_left_turns_left() -> None:
    left = Rotation.from_rotvec([[0, 0, 0], [0, 0.5, 0]]).as_quat(scalar_first=True)
    path = HeadTrace(np.array([0.0, 1]), np.zeros((2, 3)), left).placed(start(), UP)
    before, after = (head_camera(path.pose_at(time_s), size=(64, 36)) for time_s in (0, 1))
    assert before.camera_from_world[0, :3] @ after.camera_from_world[2, :3] < -0.4


def test_first_look_straight_down_still_has_a_heading() -> None:
    down = Rotation.from_rotvec([[-np.pi / 2, 0, 0]]).as_quat(scalar_first=True)
    path = HeadTrace(np.array([0.0]), np.zeros((1, 3)), down).placed(start(), UP)
    camera = head_camera(path.pose_at(0), size=(64, 36))
    assert camera.camera_from_world[2, :3] == pytest.approx(-UP, abs=1e-9)
    assert -camera.camera_from_world[1, :3] == pytest.approx([1, 0, 0], abs=1e-6), "top of the head ahead"


def test_left_eye_is_left_and_near_things_shift_more() -> None:
    trace = synthetic_head_trace(seconds=1, seed=4)
    path = trace.placed(start(), UP)
    left, right = stereo_cameras(path.pose_at(0.5), path.ipd_units, size=(64, 36), name="x")
    offset = right.position - left.position
    assert np.linalg.norm(offset) == pytest.approx(0.063)
    assert offset @ left.camera_from_world[0, :3] == pytest.approx(0.063)
    ahead = (left.position + right.position) / 2 + 2 * left.camera_from_world[2, :3]
    columns = [camera.camera_from_world[0] @ (*ahead, 1.0) for camera in (left, right)]
    assert columns[0] > 0 > columns[1], "what is ahead lies right of the left eye's middle"


def test_retarget_uses_the_scenes_unit_or_supposes_one(interior: Gaussians) -> None:
    trace = synthetic_head_trace(seconds=1)
    metres = trace.retarget(interior)
    assert metres.ipd_units == pytest.approx(trace.ipd_m)
    centimetres = to_frame(interior, Frame("RDF", metres_per_unit=0.01))
    assert trace.retarget(centimetres).ipd_units == pytest.approx(100 * trace.ipd_m)
    unknown = Gaussians(*[getattr(interior, name) for name in ARRAYS], Frame("RDF"))
    assert trace.retarget(unknown).ipd_units == pytest.approx(trace.ipd_m, rel=0.25)
    path = trace.retarget(interior, start=start(units_per_metre=7.0))
    assert path.ipd_units == pytest.approx(7 * trace.ipd_m)
    assert path.positions[0] == pytest.approx([1, 2, 3])


def test_a_start_must_look_somewhere_at_some_scale() -> None:
    here = np.zeros(3)
    for target, scale in ((here, 1.0), (here + np.nan, 1.0), (here + 1, 0.0), (here + 1, np.inf)):
        with pytest.raises(SceneError):
            StartView(here, target, scale)


ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


def test_head_cameras_walk_through_the_room(interior: Gaussians) -> None:
    cameras = head_cameras(synthetic_head_trace(seconds=4), interior, [0, 1, 2, 3], size=(64, 36))
    places = np.array([camera.position for camera in cameras])
    assert ((places > (0, -2.8, 0)) & (places < (9.5, 0, 5))).all()
    assert [camera.name for camera in cameras] == ["000", "001", "002", "003"]


def test_synthetic_trace_is_seeded_and_moves_like_a_head() -> None:
    first, again, other = (synthetic_head_trace(seconds=10, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.positions, again.positions) and np.array_equal(first.quats, again.quats)
    assert not np.allclose(first.positions, other.positions)
    assert first.duration_s == pytest.approx(10)
    speeds = np.linalg.norm(np.diff(first.positions, axis=0), axis=1) * 72
    turns = Rotation.from_quat(first.quats, scalar_first=True)
    rates = np.degrees((turns[:-1].inv() * turns[1:]).magnitude()) * 72
    assert 0.05 < speeds.mean() < 1.5 and speeds.max() < 3
    assert 5 < rates.mean() < 120 and rates.max() < 400
    assert np.ptp(first.positions, axis=0).max() < 3


@pytest.mark.parametrize(("seconds", "rate_hz"), [(-1, 72), (1e9, 72), (1, 0), (1, float("nan"))])
def test_synthetic_refuses_nonsense(seconds: float, rate_hz: float) -> None:
    with pytest.raises(SceneError, match="expected"):
        synthetic_head_trace(seconds=seconds, rate_hz=rate_hz)


def test_trace_refuses_unsound_arrays() -> None:
    quats = np.array([[1.0, 0, 0, 0]] * 2)
    for times, places, ipd in (([0, 0], 2, 0.06), ([1, 2], 2, 0.06), ([0, 1], 3, 0.06), ([0, 1], 2, 0.0)):
        with pytest.raises(SceneError, match="head trace"):
            HeadTrace(np.array(times, float), np.zeros((places, 3)), quats, ipd)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["user101_room", "user107_truck", "user101_playroom", "user107_berlin"])
def test_real_traces_are_level_metric_and_walk_ahead(shared_data: Path, name: str) -> None:
    trace = read_head_trace(shared_data / "head-traces" / "eyenavgs" / f"{name}.csv")
    assert 0.058 < trace.ipd_m < 0.072
    turns = Rotation.from_quat(trace.quats, scalar_first=True)
    assert turns.apply((0, 1, 0)).mean(axis=0)[1] > 0.9, "heads point upwards"
    assert np.abs(turns.apply((1, 0, 0))[:, 1]).mean() < 0.15, "and are level"
    steps = np.diff(trace.positions, axis=0)
    assert (steps * turns.apply((0, 0, -1))[:-1]).sum() > 0, "walking goes ahead"
    assert 60 < trace.duration_s < 200
