"""Reprojection against cameras whose geometry is plain."""

import numpy as np
import pytest

from exgs.painter.warping import one_surface, pixel_map, reproject, sample
from exgs.scene import Camera


def at(x: float, *, width: int = 8, height: int = 6, focal: float = 4.0) -> Camera:
    """Looks along z from (x, 0, 0)."""
    matrix = np.eye(4)
    matrix[0, 3] = -x
    return Camera(matrix, focal, focal, width / 2, height / 2, width, height)


def test_a_camera_that_did_not_move_sees_everything_where_it_was() -> None:
    depth = np.random.default_rng(1).uniform(1, 5, (6, 8))
    u, v, z = reproject(depth, at(0), at(0))
    assert np.allclose(u, np.arange(8) + 0.5) and np.allclose(v, (np.arange(6) + 0.5)[:, None])
    assert np.allclose(z, depth)


def test_a_step_aside_moves_pixels_by_focal_length_over_depth() -> None:
    depth = np.full((6, 8), 2.0)
    depth[:, 4:] = 4.0
    u, v, z = reproject(depth, at(0), at(0.5))
    assert np.allclose(u[:, :4], np.arange(4) + 0.5 - 1.0)
    assert np.allclose(u[:, 4:], np.arange(4, 8) + 0.5 - 0.5)
    assert np.allclose(z, depth) and np.allclose(v, (np.arange(6) + 0.5)[:, None])


def test_what_has_no_depth_or_lies_behind_is_nowhere() -> None:
    depth = np.full((6, 8), 2.0)
    depth[0] = 0
    u, _, _ = reproject(depth, at(0), at(0))
    assert np.isnan(u[0]).all() and np.isfinite(u[1:]).all()
    back = np.diag([-1.0, 1, -1, 1])
    turned = Camera(back, 4, 4, 4, 3, 8, 6)
    assert np.isnan(np.stack(reproject(depth, at(0), turned))).all()


def test_the_map_agrees_with_points_in_space() -> None:
    rng = np.random.default_rng(2)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    matrix = np.eye(4)
    matrix[:3, :3] = turn * np.sign(np.linalg.det(turn))
    matrix[:3, 3] = rng.normal(size=3)
    camera, other = at(0.3), Camera(matrix, 5, 6, 3, 2, 8, 6)
    x, y, z = 2.0, 5.0, 3.0
    point = camera.world_from_camera @ ((x - 4) / 4 * z, (y - 3) / 4 * z, z, 1)
    seen = (other.camera_from_world @ point)[:3]
    expected = (5 * seen[0] + 3 * seen[2], 6 * seen[1] + 2 * seen[2], seen[2])
    a, b = pixel_map(camera, other)
    assert z * (a @ (x, y, 1)) + b == pytest.approx(expected)


def test_samples_lie_between_pixels() -> None:
    image = np.arange(12.0).reshape(3, 4, 1)
    u, v = np.array([0.5, 1.0, 2.25, 0.4, 3.5, np.nan]), np.array([0.5, 1.0, 1.5, 1.0, 1.0, 1.0])
    found = sample(image, u, v)[:, 0]
    assert found[:3] == pytest.approx([0, 2.5, 5.75])
    assert np.isnan(found[3:]).all()


def test_a_surface_must_be_there_in_all_four_pixels() -> None:
    depth = np.full((2, 4), 2.0)
    depth[1, 3] = 2.1
    u, v = np.array([1.0, 2.0, 3.0, 1.0]), np.full(4, 1.0)
    assert one_surface(depth, u, v, np.array([2.0, 2.03, 2.0, 2.2])).tolist() == [True, True, False, False]
