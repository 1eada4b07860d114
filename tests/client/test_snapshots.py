import numpy as np
import pytest

from exgs.client.snapshots import VISIBILITY_SAMPLE, visible_splats
from exgs.scene import Camera, Gaussians
from tests.client.stage import some_gaussians

UP = np.array([0.0, -1.0, 0.0])


def looking(from_z: float, towards_z: float) -> Camera:
    position, target = np.array([0, 0, from_z]), np.array([0, 0, towards_z])
    return Camera.looking(position, target, UP, fov_y_rad=1.2, size=(64, 64))


def test_all_none_and_either_eye():
    scene = some_gaussians(1000)
    assert visible_splats(scene, [looking(-20, 0)]) == 1000
    assert visible_splats(scene, [looking(-20, -40)]) == 0
    assert visible_splats(scene, [looking(-20, -40), looking(-20, 0)]) == 1000


def test_from_within_about_what_a_full_count_says():
    scene = some_gaussians(10 * VISIBILITY_SAMPLE)
    camera = looking(0, 1)
    points = scene.means @ camera.camera_from_world[:3, :3].T + camera.camera_from_world[:3, 3]
    half = np.tan(0.6) * points[:, 2]
    exact = int(((points[:, 2] > 0.01) & (np.abs(points[:, :2]) < half[:, None]).all(axis=1)).sum())
    assert visible_splats(scene, [camera]) == pytest.approx(exact, rel=0.1)


def test_nothing_is_nothing():
    assert visible_splats(Gaussians.empty(), [looking(0, 1)]) == 0
