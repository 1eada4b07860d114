import math

import numpy as np
import pytest

from exgs.client.optics import Optics
from exgs.client.poses import HEAD_AXES


def test_one_eye_is_in_the_middle_of_the_head():
    pose = HEAD_AXES.copy()
    pose[:3, 3] = (1.0, 2.0, 3.0)
    (camera,) = Optics((640, 360), 1.0).eyes(pose)
    assert camera.position == pytest.approx([1, 2, 3])
    assert camera.camera_from_world[:3, :3] == pytest.approx(np.eye(3))
    assert (camera.width, camera.height) == (640, 360)
    assert 2 * math.atan(180 / camera.fy) == pytest.approx(1.0)


def test_the_left_eye_comes_first_and_sees_near_things_further_right():
    left, right = Optics((640, 360), 1.0, ipd=0.06).eyes(HEAD_AXES)
    assert right.position - left.position == pytest.approx([0.06, 0, 0])
    near = np.array([0.0, 0.0, 1.0, 1.0])
    across = [camera.fx * (camera.camera_from_world @ near)[0] for camera in (left, right)]
    assert across[0] > 0 > across[1]


def test_the_field_of_view_keeps_pixels_square():
    horizontal, vertical = Optics((800, 400), math.pi / 2).fov_rad
    assert vertical == math.pi / 2
    assert math.tan(horizontal / 2) == pytest.approx(2 * math.tan(vertical / 2))
