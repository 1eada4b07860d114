"""How far what views show is away, and which way is up: from points, or from the cameras alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from exgs.scene import Camera, Frame

PERCENTILES = (1.0, 99.0)
"""Depths outside these count as outliers."""
MARGIN = 0.8
"""The nearest and the farthest depth get this much room."""
LEAST_DEPTHS = 16
"""Fewer say nothing."""
CROSSING = 0.02
"""Views look at one thing where the sharpest eigenvalue of their directions' spread is above this."""
NEAREST_FOCUS = 0.25
"""Who walks past a point does not look at it: none of them is nearer than this share of the median."""
AROUND = (0.5, 5.0)
"""Near and far of views of one thing, as multiples of its distance."""
NEAR_BETWEEN = 0.4
"""Near of other views, as a multiple of the geometric mean of the usual step and the way in all."""
FAR_STEPS, FAR_EXTENTS = 20.0, 4.0
"""Far of other views, as a multiple of either, the larger of both."""
LEVEL = 0.5
"""Cameras agree on which way is up where the mean of their upward directions is at least this long."""
FRAMES = {"+x": "URF", "-x": "DRB", "+y": "RUB", "-y": "RDF", "+z": "RFU", "-z": "RBD"}
"""A right-handed frame for each axis that may point up."""


def span_of_depths(depths: np.ndarray) -> tuple[float, float] | None:
    """Near and far of ``depths`` [n]; None where too few of them lie ahead."""
    ahead = depths[np.isfinite(depths) & (depths > 0)]
    if len(ahead) < LEAST_DEPTHS:
        return None
    nearest, farthest = np.percentile(ahead, PERCENTILES)
    return float(nearest * MARGIN), float(farthest / MARGIN)


def span_of_points(points: np.ndarray, cameras: Sequence[Camera]) -> tuple[float, float] | None:
    """Near and far of ``points`` [P,3] as far as they lie in the cameras' pictures; None for too few."""
    depths = []
    with np.errstate(all="ignore"):  # points may be anywhere
        for camera in cameras:
            local = points @ camera.camera_from_world[:3, :3].T + camera.camera_from_world[:3, 3]
            x = camera.fx * local[:, 0] / local[:, 2] + camera.cx
            y = camera.fy * local[:, 1] / local[:, 2] + camera.cy
            shown = (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
            depths.append(local[shown, 2])
    return span_of_depths(np.concatenate(depths))


@np.errstate(over="ignore", invalid="ignore")  # cameras, too: what is infinite then is refused by who asks
def span_of_cameras(cameras: Sequence[Camera]) -> tuple[float, float]:
    """A guess at near and far from where two or more cameras stand and look; infinite for one place.

    Cameras that look at one thing tell its distance. Of others the steps between neighbours and the whole
    way tell the scale: who takes pictures for a reconstruction lets neighbours overlap.
    """
    centres = np.stack([camera.position for camera in cameras])
    forward = np.stack([camera.camera_from_world[2, :3] for camera in cameras])
    depths = _depths_of_focus(centres, forward)
    if depths is not None:
        nearest, farthest = np.percentile(depths, (10, 90))
        return float(AROUND[0] * nearest), float(AROUND[1] * farthest)
    extent = float(np.linalg.norm(centres.max(axis=0) - centres.min(axis=0)))
    apart = np.linalg.norm(centres[:, None] - centres, axis=2)
    nearest_other = np.where(apart > 1e-6 * extent, apart, np.inf).min(axis=1)
    step = float(np.median(nearest_other))
    if extent == 0 or not math.isfinite(step):
        return math.inf, math.inf
    return NEAR_BETWEEN * (step * extent) ** 0.5, max(FAR_STEPS * step, FAR_EXTENTS * extent)


def upright_frame(cameras: Sequence[Camera], default: Frame) -> Frame:
    """The frame whose up is nearest to the cameras' own; ``default`` where they do not agree."""
    mean = -np.mean([camera.camera_from_world[1, :3] for camera in cameras], axis=0)
    if np.linalg.norm(mean) < LEVEL:
        return default
    axis = int(np.abs(mean).argmax())
    return Frame(FRAMES[("+" if mean[axis] > 0 else "-") + "xyz"[axis]])


def _depths_of_focus(centres: np.ndarray, forward: np.ndarray) -> np.ndarray | None:
    """[V] how far ahead of each camera the point lies that all look at; None where there is none.

    It is the point with the least squared distance to all lines of sight.
    """
    across = np.eye(3) - forward[:, :, None] * forward[:, None, :]
    spread = across.mean(axis=0)
    if np.linalg.eigvalsh(spread)[0] < CROSSING:
        return None
    focus = np.linalg.solve(spread, np.einsum("vij,vj->i", across, centres) / len(centres))
    depths = ((focus - centres) * forward).sum(axis=1)
    return depths if depths.min() > NEAREST_FOCUS * np.median(depths) else None
