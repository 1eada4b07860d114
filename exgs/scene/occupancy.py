"""A coarse grid of how much light a scene blocks: where a head can be, and how far it can look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene.gaussians import Gaussians
from exgs.scene.spread import sphere_directions

MAX_GAUSSIANS = 400_000
"""A larger scene is thinned evenly to this many before it is measured."""
SOLID_DENSITY = 0.7
"""A cell that stops about half of the light crossing it counts as solid."""
_MOST_ALONG = 16
_PROBES = 40
_AROUND = 0.5
_SEEN = 3.0
"""Standard deviations of a Gaussian that are looked at each way, where it is larger than what it lies in."""


@dataclass(frozen=True, eq=False)
class Occupancy:
    """Optical density on a regular grid; outside the grid there is nothing."""

    density: np.ndarray
    """[X,Y,Z] float32: a ray that crosses the whole cell keeps exp(-density) of its light."""
    origin: np.ndarray
    """[3] corner of the grid with the smallest coordinates."""
    cell: float
    """Edge of a cell, in units of the scene."""
    detail: np.ndarray
    """[X,Y,Z] float32 opacities of the Gaussians centred in the cell, added up: where training put many."""
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

    def depth_along(
        self, starts: np.ndarray, directions: np.ndarray, reach: float, *, near: float = 1.0
    ) -> np.ndarray:
        """[n] distance from ``starts`` [n,3] along unit ``directions`` [n,3] until the view is blocked.

        ``reach`` where nothing blocks it sooner; what is within ``near`` cells of the start does not count.
        """
        places, step = (starts - self.origin) / self.cell, 0.5
        begins, ends = self._crossing(places, directions)
        free, passed = np.full(len(places), float(reach)), np.zeros(len(places))
        at, ends = np.maximum(begins, near), np.minimum(ends, reach / self.cell)
        alive = np.flatnonzero(at < ends)
        flat, strides = self.density.ravel(), np.array((*self.density.shape[1:], 1))
        strides[0] *= strides[1]
        while len(alive):
            here = places[alive] + at[alive, None] * directions[alive]
            index = np.clip(here.astype(np.int32), 0, np.array(self.density.shape, np.int32) - 1)
            passed[alive] += step * flat[index @ strides]
            blocked = passed[alive] > 1.0
            free[alive[blocked]] = at[alive[blocked]] * self.cell
            at[alive] += step
            alive = alive[~blocked & (at[alive] < ends[alive])]
        return free

    def enclosure(self, places: np.ndarray, *, near: float = 1.0) -> np.ndarray:
        """[n] share of all directions in which something blocks the view from ``places`` [n,3]."""
        directions = sphere_directions(_PROBES)
        reach = float(np.linalg.norm(self.size))
        starts = np.repeat(places, _PROBES, axis=0)
        free = self.depth_along(starts, np.tile(directions, (len(places), 1)), reach, near=near)
        return np.asarray((free < reach).reshape(len(places), _PROBES).mean(axis=1))

    def _crossing(self, places: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """[n] and [n] distances, in cells, from ``places`` to where rays enter and leave the grid."""
        safe = np.where(np.abs(directions) < 1e-12, 1e-12, directions)
        walls = np.stack([-places / safe, (np.array(self.density.shape) - places) / safe])
        return walls.min(axis=0).max(axis=1), walls.max(axis=0).min(axis=1)


def measure_occupancy(gaussians: Gaussians, *, cells: int = 72, core: np.ndarray | None = None) -> Occupancy:
    """The grid of a scene, with ``cells`` cells along its longest side.

    It spans the scene's detail, or the box ``core`` [2,3] where one is given, and what lies around it within
    half its size: far outliers, distant backgrounds and what is not finite are left out.
    """
    thinned, stands_for = thin(gaussians)
    mass = stands_for * thinned.opacities.astype(np.float64) * areas(thinned)
    if core is None:
        core = np.stack(robust_bounds(thinned.means, thinned.opacities.astype(np.float64), outside=0.04))
    core = _around_all(core, thinned)
    low, high = _around_all(np.stack(robust_bounds(thinned.means, mass)), thinned)
    around = _AROUND * np.maximum(core[1] - core[0], 0.5 * (core[1] - core[0]).max())
    nearest, farthest = core[0] - around, core[1] + around
    low, high = np.maximum(low, nearest), np.minimum(high, farthest)
    # One distant backdrop may outweigh the scene: then its box and the detail's have nothing in common.
    apart = low >= high
    low, high = np.where(apart, nearest, low), np.where(apart, farthest, high)
    cell = float(max((high - low).max() / cells, 1e-9))
    shape = np.ceil((high - low) / cell).astype(np.int64) + 2
    origin = (low + high) / 2 - shape * cell / 2
    points, shares = _spread(thinned, mass / cell**2, cell)
    density = _sums(points, shares, origin, cell, shape)
    detail = _sums(thinned.means, thinned.opacities, origin, cell, shape)
    return Occupancy(density, origin, cell, detail, core)


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


def _around_all(box: np.ndarray, gaussians: Gaussians) -> np.ndarray:
    """``box`` [2,3] of places; widened where Gaussians are larger: there is one, or few at one place."""
    size = float(np.median(gaussians.scales.max(axis=1))) if len(gaussians) else 0.0
    if (box[1] - box[0]).max() >= size:
        return box
    return np.asarray(box.mean(axis=0) + _SEEN * size * np.array([[-1.0], [1.0]]))


def _sums(
    points: np.ndarray, weights: np.ndarray, origin: np.ndarray, cell: float, shape: np.ndarray
) -> np.ndarray:
    """[X,Y,Z] float32 weight of the points in every cell."""
    index = np.floor((points - origin) / cell)
    inside = ((index >= 0) & (index < shape)).all(axis=1)
    flat = np.ravel_multi_index(tuple(index[inside].astype(np.int64).T), tuple(shape))
    sums = np.bincount(flat, weights=weights[inside], minlength=int(shape.prod()))
    return sums.reshape(shape).astype(np.float32)


def _percentile(values: np.ndarray, weights: np.ndarray, part: float) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(total, part * total[-1])]])


def areas(gaussians: Gaussians) -> np.ndarray:
    """[N] largest area that each Gaussian covers, in squared units."""
    scales = np.sort(gaussians.scales.astype(np.float64), axis=1)
    return np.asarray(2 * np.pi * scales[:, 2] * scales[:, 1])


def _spread(gaussians: Gaussians, mass: np.ndarray, cell: float) -> tuple[np.ndarray, np.ndarray]:
    """Points [P,3] about a cell apart over every Gaussian's broadest section, and shares of ``mass`` [N]."""
    order = np.argsort(-gaussians.log_scales, axis=1, kind="stable")[:, :2]
    scales = np.take_along_axis(gaussians.scales.astype(np.float64), order, axis=1)
    axes = np.take_along_axis(rotations(gaussians.quats), order[:, None], axis=2) * scales[:, None]
    sides = np.clip(np.ceil(3 * scales / cell), 1, _MOST_ALONG).astype(np.int64)
    counts = sides.prod(axis=1)
    owner = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    side = sides[owner]
    uv = (np.stack([number // side[:, 1], number % side[:, 1]], axis=1) + 0.5) / side * 3 - 1.5
    weight = np.exp(-0.5 * (uv**2).sum(axis=1))
    share = weight / np.bincount(owner, weights=weight, minlength=len(counts))[owner]
    points = gaussians.means[owner] + np.einsum("pij,pj->pi", axes[owner], uv)
    return points, mass[owner] * share


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
