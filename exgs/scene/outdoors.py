"""A captured garden, street or square: walkable ground, things near, a background all around."""

from __future__ import annotations

import math

import numpy as np
import scipy  # its parts are loaded when they are first used

from exgs.scene.gaussians import Gaussians
from exgs.scene.occupancy import Occupancy, areas, robust_bounds, thin
from exgs.scene.spread import bearing

HEAD_ABOVE_M = (0.5, 2.0)
"""Range of heads' heights above the ground, where the unit is known."""
HEAD_ABOVE_SHARE = (0.035, 0.2)
"""The same as a share of how wide the walkable part is, where it is not."""
_BEARINGS = 24
_LEVEL_RAD = math.radians(12.0)
_SURROUNDED = 0.6
_BACKGROUND = 0.35
_PLOTS = 6


def near_core(gaussians: Gaussians) -> np.ndarray:
    """[2,3] corners of the box around what was captured from near: there Gaussians are many and small."""
    some, _ = thin(gaussians)
    if len(some) == 0:
        return np.stack([np.full(3, -0.5), np.full(3, 0.5)])
    size = np.sqrt(areas(some))
    weight = some.opacities / np.maximum(size, np.quantile(size, 0.05) + 1e-12)
    return np.stack(robust_bounds(some.means, weight, outside=0.08))


def is_outdoors(gaussians: Gaussians, grid: Occupancy, up: np.ndarray) -> bool:
    """True where a head amid the scene has ground below it and a background most of the way around it."""
    middle = grid.core.mean(axis=0)
    radius = float(np.linalg.norm(grid.core[1] - grid.core[0])) / 2
    behind = _background(gaussians, middle, 1.5 * radius, up) > 0.7
    if behind.mean() < _BACKGROUND:
        return False
    starts = _over_ground(grid, up)[0]
    starts = starts[((starts > grid.core[0]) & (starts < grid.core[1])).all(axis=1)]
    if len(starts) < 8:
        return False
    starts = starts[:: max(1, len(starts) // 100)]
    ways = np.tile(bearing(_turns(), np.full(_BEARINGS, 0.5 * _LEVEL_RAD), up), (len(starts), 1))
    reach = float(np.linalg.norm(grid.size))
    blocked = grid.depth_along(np.repeat(starts, _BEARINGS, axis=0), ways, reach) < reach
    around = (blocked.reshape(-1, _BEARINGS) | behind).mean(axis=1)
    return bool(np.median(around) > _SURROUNDED)


def walkable(grid: Occupancy, up: np.ndarray, unit: float | None) -> tuple[np.ndarray, np.ndarray]:
    """[n,3] places where a head can be, amid the detail, and [n] their heights above the ground.

    ``unit`` is a metre; where that is not known, the heights range widely.
    """
    places, heights = _over_ground(grid, up)
    if len(places) == 0:
        return grid.core.mean(axis=0, keepdims=True), np.ones(1)
    span = float(np.sort((grid.core[1] - grid.core[0])[up == 0]).mean())
    low, high = (unit * np.array(HEAD_ABOVE_M)) if unit else span * np.array(HEAD_ABOVE_SHARE)
    likely = (
        (heights > low) & (heights < high) & _on_the_lowest(places @ up - heights, places, up, grid, span)
    )
    if likely.sum() < 8:
        likely = np.argsort(np.abs(heights - 0.5 * (low + high)), kind="stable")[:8]
    return places[likely], heights[likely]


def _over_ground(grid: Occupancy, up: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[n,3] free cells amid the detail with something below them, and [n] how far below."""
    gap = scipy.ndimage.distance_transform_edt(~grid.solid)
    cells = np.argwhere(gap > 1.5)
    places = grid.centers(cells)
    level = up == 0
    amid = ((places > grid.core[0]) & (places < grid.core[1]))[:, level].all(axis=1)
    places = places[amid]
    places = places[:: max(1, len(places) // 30_000)]
    reach = float(np.linalg.norm(grid.size))
    drop = grid.depth_along(places, np.tile(-up, (len(places), 1)), reach)
    return places[drop < reach], drop[drop < reach]


def _on_the_lowest(
    ground: np.ndarray, places: np.ndarray, up: np.ndarray, grid: Occupancy, span: float
) -> np.ndarray:
    """[n] bool: what is below is no roof or crown of a tree, but about the lowest there is thereabouts."""
    part = (places - grid.core[0]) / (grid.core[1] - grid.core[0])
    plot = np.clip(part[:, up == 0] * _PLOTS, 0, _PLOTS - 1).astype(np.int64) @ (1, _PLOTS)
    lowest = np.full(_PLOTS**2, np.inf)
    for number in np.unique(plot):
        lowest[number] = np.quantile(ground[plot == number], 0.2)
    return np.asarray(ground < lowest[plot] + 0.06 * span)


def _turns() -> np.ndarray:
    return np.linspace(0, 2 * np.pi, _BEARINGS, endpoint=False)


def _background(gaussians: Gaussians, middle: np.ndarray, radius: float, up: np.ndarray) -> np.ndarray:
    """[_BEARINGS] optical density at about eye level of what lies farther than ``radius`` from ``middle``."""
    some, stands_for = thin(gaussians)
    gap = some.means.astype(np.float64) - middle
    away = np.linalg.norm(gap, axis=1)
    solid_angle = np.minimum(areas(some) / np.maximum(away, 1e-12) ** 2, 0.05)
    rise = np.arcsin(np.clip(gap @ up / np.maximum(away, 1e-12), -1, 1))
    counts = (away > radius) & (np.abs(rise - 0.5 * _LEVEL_RAD) < _LEVEL_RAD)
    first, second = bearing(np.array([0.0, np.pi / 2]), np.zeros(2), up)
    turn = np.arctan2(gap @ second, gap @ first)
    number = np.floor((turn / (2 * np.pi) + 0.5 / _BEARINGS) * _BEARINGS).astype(np.int64) % _BEARINGS
    mass = (stands_for * some.opacities * solid_angle)[counts]
    sums = np.bincount(number[counts], mass, minlength=_BEARINGS)
    return np.asarray(sums / (2 * _LEVEL_RAD * 2 * np.pi / _BEARINGS))
