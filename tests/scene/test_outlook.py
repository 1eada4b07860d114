"""Predicted views: against the definition, by sampling, and where it is plain what must come out."""

import math

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from exgs.scene.outlook import MAX_AHEAD_S, Outlook, View, foresee

STILL = View(np.zeros(3), np.eye(3), 1.6, 1.2)


def share_of(outlook: Outlook, centre: tuple[float, float, float], half: float = 0.06) -> float:
    """Of a cube."""
    return float(outlook.share(np.array([centre], np.float32), np.full((1, 3), half**2 / 3, np.float32))[0])


def test_a_head_at_rest_stays() -> None:
    outlook = foresee(STILL, 0.5)
    assert outlook.position == pytest.approx([0, 0, 0])
    assert outlook.camera_from_world == pytest.approx(np.eye(3))
    assert outlook.turn_sigma_rad == pytest.approx(math.radians(9))
    assert outlook.move_sigma == 0


def test_a_head_goes_on_for_a_while_only() -> None:
    moving = View(np.zeros(3), np.eye(3), 1.6, 1.2, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))
    soon, late = foresee(moving, 0.1), foresee(moving, 1.0)
    assert soon.position == pytest.approx([0.0885, 0, 0], abs=1e-3)
    assert late.position == pytest.approx([0.367, 0, 0], abs=1e-3)
    turned = Rotation.from_matrix(late.camera_from_world).as_rotvec()
    assert turned == pytest.approx([0, -0.367, 0], abs=1e-3)
    assert late.turn_sigma_rad > 1.1 * foresee(STILL, 1.0).turn_sigma_rad
    assert late.move_sigma > soon.move_sigma > 0


def test_what_the_head_turns_to_comes_into_view() -> None:
    to_the_right = View(np.zeros(3), np.eye(3), 1.2, 1.2, turn_rate=np.array([0, 2.0, 0]))
    beside = (math.sin(1.0) * 5, 0, math.cos(1.0) * 5)
    assert share_of(foresee(to_the_right, 0.5), beside) > 0.7 > 0.3 > share_of(foresee(STILL, 0.5), beside)


def test_ahead_is_in_view_and_behind_is_not() -> None:
    outlook = foresee(STILL, 0.15)
    assert share_of(outlook, (0, 0, 5)) > 0.99
    for away in [(0, 0, -5), (0.1, 0, -5), (5, 0, -0.1), (0, 5, 0), (-5, 0, -5)]:
        assert share_of(outlook, away) < 1e-3


def test_the_further_ahead_the_less_sure() -> None:
    edge = (math.sin(0.6) * 5, 0, math.cos(0.6) * 5)
    beyond = (math.sin(1.1) * 5, 0, math.cos(1.1) * 5)
    inside = [share_of(foresee(STILL, ahead_s), edge) for ahead_s in (0.05, 0.3, 1.0, MAX_AHEAD_S)]
    outside = [share_of(foresee(STILL, ahead_s), beyond) for ahead_s in (0.05, 0.3, 1.0)]
    assert inside == sorted(inside, reverse=True) and inside[0] > 0.95 and inside[-1] < 0.7
    assert outside == sorted(outside) and outside[0] < 0.01 and outside[-1] > 0.15


def test_linger_is_chance_without_a_move() -> None:
    moving = View(np.zeros(3), np.eye(3), 1.6, 1.2, np.array([1.0, 0, 0]))
    late = foresee(moving, 0.2, linger_s=0.3)
    assert (late.position == foresee(moving, 0.2).position).all()
    assert late.turn_sigma_rad == foresee(moving, 0.5).turn_sigma_rad


@pytest.mark.parametrize("sigma", [0.05, 0.2, 0.4])
def test_shares_are_about_what_sampled_heads_see(sigma: float) -> None:
    rng = np.random.default_rng(3)
    outlook = Outlook(np.zeros(3, np.float32), np.eye(3, dtype=np.float32), (0.8, 0.6), sigma, 0.0)
    angles = rng.uniform(-1.6, 1.6, (60, 2)) * (1, 0.5)
    turn = Rotation.from_euler("yx", angles).as_matrix()
    centres = (turn @ (0, 0, 4.0)).astype(np.float32)
    halves = rng.uniform(0, 0.6, (60, 3))
    heads = Rotation.from_rotvec(rng.normal(size=(2000, 3)) * (sigma, sigma, 0)).as_matrix()
    points = centres[:, None] + rng.uniform(-1, 1, (60, 2000, 3)) * halves[:, None]
    x, y, z = np.moveaxis(np.einsum("sij,nsj->nsi", heads, points), 2, 0)
    seen = (z > 0) & (np.abs(x) < np.tan(0.8) * z) & (np.abs(y) < np.tan(0.6) * z)
    found = outlook.share(centres, (halves**2 / 3).astype(np.float32))
    assert np.abs(found - seen.mean(axis=1)).max() < 0.25
    assert np.abs(found - seen.mean(axis=1)).mean() < 0.07


def test_odd_views_and_boxes_give_shares() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(500, 3)).astype(np.float32)
    centres[0] = 0
    variances = np.geomspace(1e-18, 1e6, 1500).reshape(500, 3).astype(np.float32)
    for fov in (0.0, 1.0, 6.3):
        view = View(np.zeros(3), np.eye(3), fov, fov, rng.normal(size=3), rng.normal(size=3) * 1e4)
        for ahead_s in (-1.0, 0.0, 1e9):
            shares = foresee(view, ahead_s).share(centres, variances)
            assert np.isfinite(shares).all() and (shares >= 0).all() and (shares <= 1).all()
