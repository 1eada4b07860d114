"""How far away things are, told from points or from cameras; and which way is up."""

from __future__ import annotations

import numpy as np
import pytest

from exgs.feedforward.span import (
    FRAMES,
    LEAST_DEPTHS,
    span_of_cameras,
    span_of_depths,
    span_of_points,
    upright_frame,
)
from exgs.scene import Frame
from exgs.scene.camera import cameras_looking
from tests.feedforward.captures import cameras_around

DOWN = np.array([0.0, -1.0, 0.0])


def test_outliers_do_not_move_near_and_far() -> None:
    depths = np.linspace(2, 4, 1000)
    near, far = span_of_depths(np.concatenate([depths, [1e-6, 1e9, -5, np.nan, np.inf]])) or (0, 0)
    assert 1.5 < near < 2
    assert 4 < far < 5.5


def test_few_depths_say_nothing() -> None:
    assert span_of_depths(np.ones(LEAST_DEPTHS - 1)) is None
    assert span_of_depths(-np.ones(100)) is None


def test_points_beside_all_pictures_do_not_count() -> None:
    cameras = cameras_around()
    inner = np.random.default_rng(0).normal(scale=0.1, size=(50, 3))
    near, far = span_of_points(np.concatenate([inner, [[0.0, 900, 0]] * 50]), cameras) or (0, 0)
    assert 1.8 < near < 3 < far < 4.5
    assert span_of_points(np.array([[0.0, 900, 0]] * 50), cameras) is None


def test_cameras_that_look_at_one_thing_tell_its_distance() -> None:
    near, far = span_of_cameras(cameras_around())
    assert 0.8 < near < 2
    assert 4 < far < 20


@pytest.mark.parametrize("unit", [1.0, 1000.0, 1e-3])
def test_a_walk_is_measured_by_its_steps(unit: float) -> None:
    places = unit * np.linspace(0, 4, 9)[:, None] * (1.0, 0, 0)
    cameras = cameras_looking(places, places + (0, 0, unit) * np.ones(3), DOWN, fov_y_rad=1, size=(8, 8))
    near, far = span_of_cameras(cameras)
    np.testing.assert_allclose((near, far), (0.4 * 2**0.5 * unit, 16 * unit))


def test_who_walks_past_a_thing_does_not_look_at_it() -> None:
    places = np.linspace(0.2, 4, 12)[:, None] * (1.0, 0, 0) + (0, 0, 0.3)
    near, far = span_of_cameras(cameras_looking(places, np.zeros((12, 3)), DOWN, fov_y_rad=1, size=(8, 8)))
    assert 0.3 < near < 1
    assert 10 < far < 30


def test_cameras_that_look_apart_have_no_focus() -> None:
    angle = np.linspace(0, 6, 12)
    out = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=1)
    near, far = span_of_cameras(cameras_looking(out, 2 * out, DOWN, fov_y_rad=1, size=(8, 8)))
    assert 0 < near < 1 < far


@pytest.mark.parametrize("up", FRAMES)
def test_the_frame_stands_as_the_cameras_do(up: str) -> None:
    upward = np.zeros(3)
    upward["xyz".index(up[1])] = 1 if up[0] == "+" else -1
    assert Frame(FRAMES[up]).up == up
    basis = Frame("RUB").to(Frame(FRAMES[up]))
    assert np.linalg.det(basis) > 0
    level = np.roll(upward, 1) * 3
    places = np.array([level, -level, np.roll(level, 1)])
    cameras = cameras_looking(places, 0.2 * upward * np.ones((3, 1)), upward, fov_y_rad=1, size=(8, 8))
    assert upright_frame(cameras, Frame("LUF")).axes == FRAMES[up]


def test_cameras_that_do_not_agree_leave_the_frame() -> None:
    place = np.array([[0.0, 0, -1]])
    turned = [
        cameras_looking(place, np.zeros((1, 3)), up, fov_y_rad=1, size=(8, 8))[0]
        for up in np.array([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    ]
    assert upright_frame(turned, Frame("LUF")).axes == "LUF"
