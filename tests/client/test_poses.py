import numpy as np
import pytest

from exgs.client.poses import HEAD_AXES, Fixed, Loop
from exgs.scene import Camera, head_camera


def ring(count: int) -> list[Camera]:
    angles = 2 * np.pi * np.arange(count) / count
    up = np.array([0.0, -1.0, 0.0])
    return [
        Camera.looking(
            np.array([3 * np.cos(a), 0.0, 3 * np.sin(a)]), np.zeros(3), up, fov_y_rad=1.0, size=(64, 36)
        )
        for a in angles
    ]


def test_a_loop_passes_through_every_camera():
    cameras = ring(8)
    loop = Loop(cameras, period_s=4.0)
    for number, camera in enumerate(cameras):
        pose = loop.pose_at(number * 0.5)
        seen = head_camera(pose, size=(64, 36), fov_y_rad=1.0)
        assert seen.camera_from_world == pytest.approx(camera.camera_from_world, abs=1e-9)


def test_a_loop_closes_and_is_steady_between_cameras():
    loop = Loop(ring(8), period_s=4.0)
    assert loop.pose_at(4.0) == pytest.approx(loop.pose_at(0.0))
    assert loop.pose_at(1003.3) == pytest.approx(loop.pose_at(3.3), abs=1e-6)
    for time_s in np.linspace(0, 8, 57):
        pose = loop.pose_at(float(time_s))
        assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
        assert -pose[:3, 2] @ pose[:3, 3] < -2.7  # it looks to the middle from where it is


def test_head_axes_are_their_own_inverse():
    assert (np.eye(4) == HEAD_AXES @ HEAD_AXES).all()


def test_a_fixed_head_stays():
    pose = np.eye(4)
    assert Fixed(pose).pose_at(3.0) is pose
