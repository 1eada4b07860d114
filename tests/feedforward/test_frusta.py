"""Points that stand for what views see, and who else sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from exgs.feedforward.frusta import DEPTHS, Points, points_behind, sees
from exgs.scene import Camera

SPAN = (1.0, 4.0)


def camera(place: tuple[float, float, float], target: tuple[float, float, float] = (0, 0, 3)) -> Camera:
    up = np.array([0.0, -1.0, 0.0])
    return Camera.looking(np.array(place), np.array(target), up, fov_y_rad=1.0, size=(64, 48))


def test_points_lie_behind_their_pixels_evenly_in_inverse_depth() -> None:
    eye = camera((0.5, 0.2, -1))
    x, y = np.array([3.5, 60.0]), np.array([40.0, 8.5])
    points = points_behind(eye, x, y, SPAN)
    assert len(points) == 2 * DEPTHS
    local = points.places @ eye.camera_from_world[:3, :3].T + eye.camera_from_world[:3, 3]
    np.testing.assert_allclose(eye.fx * local[:, 0] / local[:, 2] + eye.cx, x.repeat(DEPTHS))
    np.testing.assert_allclose(eye.fy * local[:, 1] / local[:, 2] + eye.cy, y.repeat(DEPTHS))
    np.testing.assert_allclose(np.diff(1 / local[:DEPTHS, 2]), -0.75 / DEPTHS)
    np.testing.assert_allclose(points.footprints, local[:, 2] / eye.fx)


@pytest.mark.parametrize(
    ("place", "target", "seen"),
    [
        ((0, 0, 0), (0, 0, 3), True),
        ((0.3, 0, 0), (0.3, 0, 3), True),
        ((0, 0, 0), (3, 0, 0), False),  # beside its picture
        ((0, 0, -3), (0, 0, 3), False),  # farther than far
        ((0, 0, -1.9), (0, 0, 3), False),  # too coarsely, by twice
        ((-1.9, 0, 1.6), (0, 0, 1.6), False),  # from another side
    ],
)
def test_a_point_is_seen_inside_finely_and_squarely(
    place: tuple[float, float, float], target: tuple[float, float, float], seen: bool
) -> None:
    middle = points_behind(camera((0, 0, 0)), np.array([32.0]), np.array([24.0]), SPAN)
    assert sees(camera(place, target), middle, SPAN)[1] == seen
    assert sees(camera(place, target), middle, SPAN).shape == (DEPTHS,)


def test_every_view_sees_its_own_points() -> None:
    eye = camera((0, 0, 0))
    x, y = np.meshgrid([0.5, 32, 63.5], [0.5, 47.5])
    assert sees(eye, points_behind(eye, x.ravel(), y.ravel(), SPAN), SPAN).all()


def test_parts_are_joined_in_order_and_selected() -> None:
    one = points_behind(camera((0, 0, 0)), np.array([1.0]), np.array([2.0]), SPAN)
    two = replace(one, places=one.places + 1)
    both = Points.joined([one, two])
    np.testing.assert_array_equal(both.select(np.arange(DEPTHS, 2 * DEPTHS)).places, two.places)
    assert len(both) == 2 * DEPTHS
