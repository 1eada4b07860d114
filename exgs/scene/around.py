"""Views of an object from outside, with or without the ground it stands on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exgs.scene.camera import Camera, cameras_looking
from exgs.scene.occupancy import Occupancy
from exgs.scene.spread import bearing, spread_points

LOWEST_PITCH_RAD = math.radians(-20.0)
HIGHEST_PITCH_RAD = math.radians(65.0)
_GROUND_PITCH_RAD = math.radians(6.0)
_CANDIDATES = 6
_HOLLOW = 0.8


@dataclass(frozen=True, eq=False)
class Subject:
    """What there is to look at."""

    center: np.ndarray
    """[3] middle of the object."""
    half: np.ndarray
    """[3] half edges of the box around the object, in units of the scene."""
    surface: np.ndarray
    """[n,3] places on the object and, fewer, on the ground around it."""
    detail: np.ndarray
    """[n] how much there is to see at those places, adding up to 1."""
    ground: float | None
    """Height of the ground along the up axis; None where the object stands on nothing."""

    @property
    def radius(self) -> float:
        """Half the diagonal of the object's box."""
        return float(np.linalg.norm(self.half))


def find_subject(grid: Occupancy, up: np.ndarray) -> Subject:
    """The object in a scene that is seen from outside."""
    cells = np.argwhere(grid.solid)
    if len(cells) == 0:
        cells = np.argwhere(grid.density > 0)
    if len(cells) == 0:
        cells = np.array([np.array(grid.density.shape) // 2])
    places, detail = grid.centers(cells), np.sqrt(grid.detail[tuple(cells.T)]) + 1e-3
    ground = _ground_height(grid, places, up)
    if ground is None:
        return _subject(places, places, detail, None, grid.cell)
    standing = places @ up > ground + 2 * grid.cell
    if standing.sum() < 0.02 * len(places):
        return _subject(places, places, detail, ground, grid.cell)
    away = np.linalg.norm(places - places[standing].mean(axis=0), axis=1)
    near = standing | (away < np.median(away))
    detail *= np.where(standing, 1.0, 0.3)
    return _subject(places[standing], places[near], detail[near], ground, grid.cell)


def sample_around(
    grid: Occupancy, up: np.ndarray, count: int, *, seed: int, size: tuple[int, int], fov_y_rad: float
) -> list[Camera]:
    """``count`` cameras around the object: most see it whole, the others step closer to a part of it."""
    subject = find_subject(grid, up)
    draws = spread_points(_CANDIDATES * count, 6, seed)
    lowest = LOWEST_PITCH_RAD if subject.ground is None else _GROUND_PITCH_RAD
    sines = math.sin(lowest) + draws[:, 1] * (math.sin(HIGHEST_PITCH_RAD) - math.sin(lowest))
    away = bearing(2 * np.pi * draws[:, 0], np.arcsin(sines), up)
    close = draws[:, 2] > 0.6
    whole = subject.center + (draws[:, 3:] - 0.5) * subject.half
    pick = np.searchsorted(np.cumsum(subject.detail), draws[:, 3] * 0.999999)
    parts = subject.surface[np.minimum(pick, len(subject.surface) - 1)]
    targets = np.where(close[:, None], parts, whole)
    fit = fitting_distance(subject, up, size=size, fov_y_rad=fov_y_rad)
    reach = np.where(close, 0.3 + 0.35 * draws[:, 4], 0.75 + 0.5 * draws[:, 5] ** 2)
    positions = targets + away * np.maximum(reach * fit, 3 * grid.cell)[:, None]
    order = np.argsort(~_good(grid, subject, up, positions, targets), kind="stable")
    chosen = np.sort(order[:count])
    return cameras_looking(positions[chosen], targets[chosen], up, fov_y_rad=fov_y_rad, size=size)


def fitting_distance(subject: Subject, up: np.ndarray, *, size: tuple[int, int], fov_y_rad: float) -> float:
    """Distance at which the object just fills the picture."""
    half_height = math.tan(fov_y_rad / 2)
    tall = float(np.abs(up) @ subject.half)
    wide = float(np.linalg.norm(subject.half * (1 - np.abs(up))))
    distance = max(tall / half_height, wide / (half_height * size[0] / size[1]))
    return distance + 0.5 * wide


def _good(
    grid: Occupancy, subject: Subject, up: np.ndarray, positions: np.ndarray, targets: np.ndarray
) -> np.ndarray:
    """[n] bool: cameras in the open, above the ground, with a free view most of the way to their target."""
    gaps = targets - positions
    distances = np.linalg.norm(gaps, axis=1)
    free = grid.depth_along(positions, gaps / distances[:, None], float(distances.max()))
    good = (free > 0.6 * distances) & (grid.at(positions) < 0.05)
    if subject.ground is not None:
        good &= positions @ up > subject.ground + 3 * grid.cell
    left = np.flatnonzero(good)
    good[left] = grid.enclosure(positions[left]) < _HOLLOW
    return np.asarray(good)


def _ground_height(grid: Occupancy, places: np.ndarray, up: np.ndarray) -> float | None:
    """Height of a layer that fills much of the scene's plan, where the scene is at least as wide as tall."""
    level = np.flatnonzero(up == 0)
    span = np.ptp(places, axis=0)
    if span[level].min() < 0.8 * np.abs(up) @ span:
        return None
    layers = np.round(places @ up / grid.cell).astype(np.int64)
    counts = np.bincount(layers - layers.min())
    pairs = counts + np.append(counts[1:], 0)
    plan = np.unique(np.round(places[:, level] / grid.cell).astype(np.int64), axis=0)
    best = int(pairs.argmax())
    if pairs[best] < 0.5 * len(plan):
        return None
    return float((best + 0.5 + layers.min()) * grid.cell)


def _subject(
    body: np.ndarray, surface: np.ndarray, detail: np.ndarray, ground: float | None, cell: float
) -> Subject:
    low, high = np.percentile(body, (1, 99), axis=0)
    half = np.maximum((high - low) / 2, cell / 2)
    return Subject((low + high) / 2, half, surface, detail / detail.sum(), ground)
