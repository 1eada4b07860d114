"""Views from amid a scene: where a head can be in a room, in directions it can look."""

from __future__ import annotations

import math

import numpy as np
import scipy  # its parts are loaded when they are first used

from exgs.scene.frame import Frame
from exgs.scene.occupancy import Occupancy
from exgs.scene.spread import bearing, spread_points

HEAD_ABOVE_M = (0.7, 1.9)
"""Range of most heads' heights above what is below them, where the unit is known."""
HEAD_ABOVE_SHARE = (0.35, 0.75)
"""The same as a share of the way from floor to ceiling, where it is not."""
_SHELL_CELLS = 4.0
_DIRECTIONS = 6
_PITCH_RAD = math.radians(-8.0)
_AHEAD = 0.15
_SWING_RAD = math.radians(38.0)


def is_room(grid: Occupancy) -> bool:
    """True where most of the space amid the detail is walled in on nearly all sides, and there is much of it.

    A hollow statue is walled in too, but leaves no such large ball of air; an empty shell has nothing in it.
    """
    free = np.argwhere(~grid.solid)
    places = grid.centers(free)
    amid = ((places > grid.core[0]) & (places < grid.core[1])).all(axis=1)
    free, places = free[amid], places[amid]
    some = slice(None, None, max(1, len(free) // 500))
    if len(free) == 0:
        return False
    walled = grid.enclosure(places[some]) > 0.8
    gaps = scipy.ndimage.distance_transform_edt(~grid.solid)[tuple(free[some].T)] * grid.cell
    largest = gaps[walled].max(initial=0.0)
    if walled.mean() <= 0.45 or largest <= 0.3 * (grid.core[1] - grid.core[0]).min():
        return False
    solid = np.argwhere(grid.solid)
    held = grid.enclosure(grid.centers(solid[:: max(1, len(solid) // 500)]), near=_SHELL_CELLS)
    return bool((held > 0.85).sum() > 0.04 * len(held))


def standing_places(grid: Occupancy, frame: Frame) -> np.ndarray:
    """[n,3] cells where a head can be: free, amid the detail, off the walls, enclosed, at a likely height."""
    gap = scipy.ndimage.distance_transform_edt(~grid.solid) * grid.cell
    unit = 1 / frame.metres_per_unit if frame.metres_per_unit else (grid.core[1] - grid.core[0]).min() / 2.5
    cells = np.argwhere(gap > min(0.3 * unit, 0.6 * gap.max()))
    places = grid.centers(cells)
    amid = ((places > grid.core[0]) & (places < grid.core[1])).all(axis=1)
    if amid.any():
        cells = cells[amid]
    cells = cells[:: max(1, len(cells) // 4000)]
    held = grid.enclosure(grid.centers(cells))
    cells = _largest_part(grid, cells[held >= 0.93 * np.quantile(held, 0.9)], gap > 0)
    places = grid.centers(cells)
    likely = places[_head_high(grid, frame, places)]
    return likely if len(likely) >= 8 else places


def sample_amid(
    grid: Occupancy, up: np.ndarray, places: tuple[np.ndarray, np.ndarray], count: int, *, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """[count,3] positions spread over ``places`` [n,3] evenly by their weights [n], and [count,3] targets."""
    draws = spread_points(count, 6, seed)
    share = np.cumsum(places[1])
    pick = np.searchsorted(share, (np.arange(count) + draws[0, 0]) / count * share[-1], side="right")
    pick = np.minimum(pick, len(share) - 1)[np.random.default_rng(seed).permutation(count)]
    positions = places[0][pick] + (draws[:, 3:] - 0.5) * grid.cell
    return positions, positions + look_around(grid, up, positions, draws)


def look_around(grid: Occupancy, up: np.ndarray, positions: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """[n,3] directions: for each place the first of a few spread ones with room ahead, else the freest."""
    pitch = _PITCH_RAD + _SWING_RAD * (2 * draws[:, 1] - 1) ** 3
    reach = float(grid.size.max())
    best = np.zeros_like(positions)
    best_free = np.full(len(positions), -1.0)
    for turn in range(_DIRECTIONS):
        toward = bearing(2 * np.pi * (draws[:, 0] + turn * 0.381966), pitch, up)
        free = grid.depth_along(positions, toward, reach)
        better = (best_free < _AHEAD * reach) & (free > best_free)
        best[better], best_free[better] = toward[better], free[better]
    return best


def _largest_part(grid: Occupancy, cells: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Those of ``cells`` [n,3] that lie in the connected free space which holds most of them."""
    labels, _ = scipy.ndimage.label(free)
    mine = labels[tuple(cells.T)]
    names, sizes = np.unique(mine, return_counts=True)
    return cells[mine == names[sizes.argmax()]]


def _head_high(grid: Occupancy, frame: Frame, places: np.ndarray) -> np.ndarray:
    """[n] bool: places as high above the floor, or the furniture below them, as heads are."""
    up, reach = frame.up_vector, float(np.linalg.norm(grid.size))
    drop = grid.depth_along(places, np.tile(-up, (len(places), 1)), reach)
    rise = grid.depth_along(places, np.tile(up, (len(places), 1)), reach)
    if frame.metres_per_unit:
        height = drop * frame.metres_per_unit
        return np.asarray((height > HEAD_ABOVE_M[0]) & (height < HEAD_ABOVE_M[1]))
    share = np.where(drop + rise < 2 * reach, drop / (drop + rise), 0.0)
    return np.asarray((share > HEAD_ABOVE_SHARE[0]) & (share < HEAD_ABOVE_SHARE[1]))
