"""Views from within a room: where a head can be, in directions it can look."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage

from exgs.scene.camera import Camera
from exgs.scene.frame import Frame
from exgs.scene.occupancy import Occupancy
from exgs.scene.spread import bearing, sphere_directions, spread_points

EYE_HEIGHTS_M = (1.0, 1.9)
"""Range of heights of most viewpoints above the floor, where the unit is known."""
_PROBES = 48
_DIRECTIONS = 6


def is_room(grid: Occupancy) -> bool:
    """True where much of the scene's box is free space that is walled in on nearly all sides."""
    free = np.argwhere(~grid.solid)
    some = free[:: max(1, len(free) // 400)]
    walled = enclosure(grid, grid.centers(some)) > 0.8
    return bool(walled.sum() > 0.4 * len(some))


def enclosure(grid: Occupancy, places: np.ndarray) -> np.ndarray:
    """[n] share of all directions in which something blocks the view from ``places`` [n,3]."""
    directions = sphere_directions(_PROBES)
    reach = float(np.linalg.norm(grid.size))
    starts = np.repeat(places, _PROBES, axis=0)
    free = grid.depth_along(starts, np.tile(directions, (len(places), 1)), reach)
    return np.asarray((free < reach).reshape(len(places), _PROBES).mean(axis=1))


def standing_places(grid: Occupancy, frame: Frame) -> np.ndarray:
    """[n,3] cells where a head can be: free, off the walls, walled in, connected, and at a likely height."""
    gap = ndimage.distance_transform_edt(~grid.solid) * grid.cell
    unit = 1 / frame.metres_per_unit if frame.metres_per_unit else grid.size.max() / 8
    roomy = gap > min(0.3 * unit, 0.6 * gap.max())
    labels, _ = ndimage.label(roomy)
    cells = np.argwhere(roomy)
    cells = cells[:: max(1, len(cells) // 6000)]
    held = enclosure(grid, grid.centers(cells))
    cells = cells[held >= min(0.7, np.quantile(held, 0.5))]
    names, sizes = np.unique(labels[tuple(cells.T)], return_counts=True)
    cells = cells[labels[tuple(cells.T)] == names[sizes.argmax()]]
    places = grid.centers(cells)
    heights = places @ frame.up_vector
    low, high = _eye_range(grid, frame)
    likely = places[(heights >= low) & (heights <= high)]
    return likely if len(likely) > 20 else places


def sample_inside(
    grid: Occupancy, frame: Frame, count: int, *, seed: int, size: tuple[int, int], fov_y_rad: float
) -> list[Camera]:
    """``count`` cameras at evenly spread places of the room, looking all around."""
    up = frame.up_vector
    places = standing_places(grid, frame)
    draws = spread_points(count, 6, seed)
    pick = ((np.arange(count) + draws[0, 0]) / count * len(places)).astype(np.int64)
    pick = pick[np.random.default_rng(seed).permutation(count)]
    positions = places[pick] + (draws[:, 3:] - 0.5) * grid.cell
    targets = positions + _look(grid, up, positions, draws)
    return [
        Camera.looking(positions[i], targets[i], up, fov_y_rad=fov_y_rad, size=size, name=f"{i:03d}")
        for i in range(count)
    ]


def _look(grid: Occupancy, up: np.ndarray, positions: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """[n,3] directions: for each place the first of a few spread ones with room ahead, else the freest."""
    pitch = math.radians(-8) + math.radians(38) * (2 * draws[:, 1] - 1) ** 3
    reach = float(grid.size.max())
    enough = 0.15 * reach
    best = np.zeros_like(positions)
    best_free = np.full(len(positions), -1.0)
    for turn in range(_DIRECTIONS):
        toward = bearing(2 * np.pi * (draws[:, 0] + turn * 0.381966), pitch, up)
        free = grid.depth_along(positions, toward, reach)
        better = (best_free < enough) & (free > best_free)
        best[better], best_free[better] = toward[better], free[better]
    return best


def _eye_range(grid: Occupancy, frame: Frame) -> tuple[float, float]:
    """Heights along the up axis between which most eyes are."""
    heights = grid.centers(np.argwhere(grid.solid)) @ frame.up_vector
    floor, ceiling = np.percentile(heights, (2, 98))
    if frame.metres_per_unit:
        low, high = (floor + metres / frame.metres_per_unit for metres in EYE_HEIGHTS_M)
        if high < ceiling:
            return low, high
    return floor + 0.35 * (ceiling - floor), floor + 0.75 * (ceiling - floor)
