"""A coarse grid of how much light a scene blocks: where a head can be, and how far it can look."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from exgs.scene.gaussians import Gaussians

MAX_GAUSSIANS = 400_000
"""A larger scene is thinned evenly to this many before it is measured."""
SOLID_DENSITY = 0.7
"""A cell that stops about half of the light crossing it counts as solid."""
_SPREAD = 8
_AROUND = 0.5


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Optical density on a regular grid; outside the grid there is nothing."""

    density: np.ndarray
    """[X,Y,Z] float32: a ray that crosses the whole cell keeps exp(-density) of its light."""
    origin: np.ndarray
    """[3] corner of the grid with the smallest coordinates."""
    cell: float
    """Edge of a cell, in units of the scene."""
    core: np.ndarray
    """[2,3] corners of the box that holds most of the detail."""

    @property
    def solid(self) -> np.ndarray:
        """[X,Y,Z] bool: cells that block the view."""
        return self.density > SOLID_DENSITY

    @property
    def size(self) -> np.ndarray:
        """[3] edges of the whole grid, in units of the scene."""
        return np.array(self.density.shape) * self.cell

    def centers(self, index: np.ndarray) -> np.ndarray:
        """[n,3] middles of the cells at ``index`` [n,3]."""
        return np.asarray(self.origin + (index + 0.5) * self.cell)

    def at(self, points: np.ndarray) -> np.ndarray:
        """[...] density of the cells that hold ``points`` [...,3]; 0 outside the grid."""
        index = np.floor((points - self.origin) / self.cell).astype(np.int64)
        shape = np.array(self.density.shape)
        inside = ((index >= 0) & (index < shape)).all(axis=-1)
        index = np.clip(index, 0, shape - 1)
        return np.where(inside, self.density[index[..., 0], index[..., 1], index[..., 2]], 0.0)

    def depth_along(self, starts: np.ndarray, directions: np.ndarray, reach: float) -> np.ndarray:
        """[n] distance from ``starts`` [n,3] along unit ``directions`` [n,3] until the view is blocked.

        ``reach`` where nothing blocks it sooner; the cell in which a ray starts does not count.
        """
        step = 0.5 * self.cell
        distances = np.arange(self.cell, reach, step)
        free = np.full(len(starts), float(reach))
        passed = np.zeros(len(starts))
        for distance in distances:
            open_rays = np.flatnonzero(free == reach)
            if len(open_rays) == 0:
                break
            here = starts[open_rays] + distance * directions[open_rays]
            passed[open_rays] += 0.5 * self.at(here)
            free[open_rays[passed[open_rays] > 1.0]] = distance
        return free


def measure_occupancy(gaussians: Gaussians, *, cells: int = 72) -> Occupancy:
    """The grid of a scene, with ``cells`` cells along its longest side.

    It spans the scene's detail and what lies around it within half its size: far outliers, distant backgrounds
    and what is not finite are left out.
    """
    thinned, share = thin(gaussians)
    mass = share * thinned.opacities.astype(np.float64) * _areas(thinned)
    core = np.stack(robust_bounds(thinned.means, thinned.opacities.astype(np.float64), outside=0.04))
    low, high = robust_bounds(thinned.means, mass)
    around = _AROUND * np.maximum(core[1] - core[0], 0.5 * (core[1] - core[0]).max())
    low, high = np.maximum(low, core[0] - around), np.minimum(high, core[1] + around)
    cell = float(max((high - low).max() / cells, 1e-9))
    shape = np.ceil((high - low) / cell).astype(np.int64) + 2
    origin = (low + high) / 2 - shape * cell / 2
    density = np.zeros(int(shape.prod()))
    for points in _spread(thinned):
        index = np.floor((points - origin) / cell)
        inside = ((index >= 0) & (index < shape)).all(axis=1)
        flat = np.ravel_multi_index(tuple(index[inside].astype(np.int64).T), tuple(shape))
        density += np.bincount(flat, weights=mass[inside] / (_SPREAD * cell**2), minlength=len(density))
    return Occupancy(density.reshape(shape).astype(np.float32), origin, cell, core)


def thin(gaussians: Gaussians) -> tuple[Gaussians, float]:
    """At most ``MAX_GAUSSIANS`` finite Gaussians, evenly chosen, and how many each of them stands for."""
    stride = -(-len(gaussians) // MAX_GAUSSIANS) or 1
    some = gaussians.select(slice(None, None, stride))
    sound = np.isfinite(some.means).all(axis=1) & np.isfinite(some.opacity_logits)
    sound &= np.isfinite(some.quats).all(axis=1) & (some.log_scales < 80).all(axis=1)
    return (some if sound.all() else some.select(sound)), float(stride)


def robust_bounds(
    points: np.ndarray, weights: np.ndarray, *, outside: float = 0.004
) -> tuple[np.ndarray, np.ndarray]:
    """[3] and [3] corners of the box that leaves out ``outside`` of the weight on each of its sides.

    Never empty: a flat or tiny scene still gets a box with some width.
    """
    if len(points) == 0:
        return np.full(3, -0.5), np.full(3, 0.5)
    weights = np.minimum(weights, 20 * np.mean(weights)) + 1e-12
    low, high = (
        np.array([_percentile(points[:, axis], weights, part) for axis in range(3)])
        for part in (outside, 1 - outside)
    )
    margin = np.maximum(0.02 * (high - low).max(), 1e-6 * (1 + np.abs(low).max()))
    return low - margin, high + margin


def _percentile(values: np.ndarray, weights: np.ndarray, part: float) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, part * total[-1])]])


def _areas(gaussians: Gaussians) -> np.ndarray:
    """[N] largest area that each Gaussian covers, in squared units."""
    scales = np.sort(gaussians.scales.astype(np.float64), axis=1)
    return np.asarray(2 * np.pi * scales[:, 2] * scales[:, 1])


def _spread(gaussians: Gaussians) -> Iterator[np.ndarray]:
    """Points [N,3] that stand for the extent of each Gaussian, ``_SPREAD`` times."""
    turns = rotations(gaussians.quats)
    for corner in range(_SPREAD):
        signs = np.array([1 if corner >> axis & 1 else -1 for axis in range(3)])
        yield gaussians.means + np.einsum("nij,nj->ni", turns, gaussians.scales * signs)


def rotations(quats: np.ndarray) -> np.ndarray:
    """[N,3,3] rotation matrices of wxyz quaternions [N,4] of any length; the identity for zero ones."""
    quats = np.asarray(quats, np.float64)
    length = np.linalg.norm(quats, axis=1, keepdims=True)
    w, x, y, z = np.where(length > 0, quats / np.where(length > 0, length, 1), (1.0, 0, 0, 0)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    return np.moveaxis(np.array(rows), 2, 0)
