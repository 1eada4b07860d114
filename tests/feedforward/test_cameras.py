import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.cameras import Rig  # noqa: E402
from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.scene import Camera  # noqa: E402

UP = np.array([0.0, -1.0, 0.0])


def camera(place: tuple[float, float, float], target: tuple[float, float, float]) -> Camera:
    return Camera.looking(np.array(place), np.array(target), UP, fov_y_rad=0.9, size=(64, 48))


CAMERAS = [
    camera((0, 0, 0), (0, 0, 4)),
    camera((0.5, 0.1, 0), (0.1, 0, 4)),
    camera((-0.4, 0, 0.3), (0, 0.2, 4)),
]


def pixel(shot: Camera, point: np.ndarray) -> tuple[np.ndarray, float]:
    x, y, z = shot.camera_from_world[:3, :3] @ point + shot.camera_from_world[:3, 3]
    return np.array([shot.fx * x / z + shot.cx, shot.fy * y / z + shot.cy]), z


@pytest.mark.parametrize("stride", [1, 4])
def test_a_pose_takes_positions_to_where_the_other_camera_sees_them(stride: int) -> None:
    rig, point = Rig.of(CAMERAS, 1.0, 9.0), np.array([0.3, -0.2, 3.5])
    (here, depth), (there, other) = pixel(CAMERAS[0], point), pixel(CAMERAS[1], point)
    x, y = here / stride - 0.5
    found = rig.pose(0, 1, stride) @ [x, y, 1, rig.near / depth]
    assert found[:2] / found[2] == pytest.approx(there / stride - 0.5)
    assert found[2] == pytest.approx(other / depth)


def test_slopes_are_points_of_pixels_at_depth_one() -> None:
    rig = Rig.of(CAMERAS, 1.0, 9.0)
    slopes = rig.slopes(1, 2, (24, 32)).numpy()
    shot = CAMERAS[1]
    assert slopes[3, 5] == pytest.approx([(11 - shot.cx) / shot.fx, (7 - shot.cy) / shot.fy, 1])


def test_scale_and_place_change_nothing_that_networks_see() -> None:
    moved = [
        Camera(
            np.block([[shot.camera_from_world[:3, :3], (shot.camera_from_world[:3, 3:] * 1000
            - shot.camera_from_world[:3, :3] @ [[7.0], [8.0], [9.0]])], [np.eye(4)[3:]]]),
            shot.fx, shot.fy, shot.cx, shot.cy, shot.width, shot.height,
        )
        for shot in CAMERAS
    ]  # fmt: skip
    one, other = Rig.of(CAMERAS, 1.0, 9.0), Rig.of(moved, 1000.0, 9000.0)
    assert other.origin == pytest.approx(one.origin * 1000 + [7, 8, 9])
    assert np.allclose(one.pose(0, 2, 4), other.pose(0, 2, 4))
    assert np.allclose(one.ladder(8), other.ladder(8))
    assert one.parallax(0, 1) == pytest.approx(other.parallax(0, 1))


def test_neighbours_stand_a_little_aside_and_look_the_same_way() -> None:
    shots = [
        camera((0, 0, 0), (0, 0, 4)),
        camera((0, 0, 0), (0, 0, 4)),  # the same place: shows no depth
        camera((0.1, 0, 0), (0.1, 0, 4)),
        camera((0.1, 0, 0), (0.1, 0, -4)),  # looks away
        camera((3, 0, 0), (0, 0, 4)),
    ]
    rig = Rig.of(shots, 1.0, 9.0)
    assert rig.neighbours(0, range(5), 2)[0] == 2
    assert 1 not in rig.neighbours(0, range(5), 2)
    assert rig.neighbours(0, [0, 3], 4) == (3,)
    assert rig.companions(0, [0]) == ()


def test_neighbours_stand_apart_from_each_other() -> None:
    places = (0, 0.3, 0.31, 0.32, -0.45)
    rig = Rig.of([camera((x, 0, 0), (x, 0, 4)) for x in places], 1.0, 9.0)
    nearest = sorted(range(1, 5), key=lambda other: abs(abs(places[other]) - 0.15 / rig.middle))
    assert 4 not in nearest[:2], "by themselves two of one side would suit best"
    assert 4 in rig.neighbours(0, range(5), 2)


def test_a_ladder_covers_the_range_in_equal_parts() -> None:
    rungs = Rig.of(CAMERAS, 1.0, 5.0).ladder(4)
    assert rungs == pytest.approx([0.3, 0.5, 0.7, 0.9])


@pytest.mark.parametrize(("near", "far"), [(0.0, 1.0), (2.0, 1.0), (1.0, float("inf"))])
def test_impossible_depths_are_refused(near: float, far: float) -> None:
    with pytest.raises(FeedforwardError, match="near"):
        Rig.of(CAMERAS, near, far)


def test_cameras_of_several_sizes_are_refused() -> None:
    with pytest.raises(FeedforwardError, match="one picture size"):
        Rig.of([CAMERAS[0], CAMERAS[1].resized(32, 24)], 1.0, 2.0)
