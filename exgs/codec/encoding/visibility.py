"""What sampled views tell of views that nobody sampled: how large each Gaussian shows, and how clearly."""

from __future__ import annotations

import numpy as np

from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.voxels import voxels

LEAST_CLEAR = 0.05
"""Light that is taken to reach a Gaussian that no view saw: what is behind may yet be looked at."""
SURROUNDINGS = 48
"""Gaussians per voxel, on average, that count as one another's surroundings."""
LEAST_FOOTPRINT = 0.05
"""Footprint of a Gaussian that few views frame, of the median one."""
LEAST_WEIGHT = 0.05
"""Weight in the pictures of a Gaussian that no view sees, of the median one."""


def floor_of(values: np.ndarray, share: float, smallest: float) -> float:
    """``share`` of the median of ``values``, but at least ``smallest``: no Gaussian counts for less."""
    return max(share * float(np.median(values)), smallest)


def likely_footprint(survey: Survey) -> np.ndarray:
    """[N] float32 pixels per unit of area, summed over the views: also for what few of them frame."""
    return np.maximum(survey.footprint, np.float32(floor_of(survey.footprint, LEAST_FOOTPRINT, 1e-12)))


def light(means: np.ndarray, unoccluded: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """[N] float32 light that reaches each Gaussian, LEAST_CLEAR to 1, in part relative to its surroundings.

    What occludes the surroundings as a whole, such as the walls of another room, says little of what lies in
    front of what among them, and it is that which a merged Gaussian must stand for; yet it does say what
    shows less. The geometric mean stands between the two views of the matter.

    Args:
        means: [N,3] where the Gaussians are.
        unoccluded: [N] weight that each would have with nothing in front of it.
        weight: [N] weight that each has.
    """
    share = np.clip(weight / np.maximum(unoccluded, 1e-12), 0.0, 1.0)
    voxel = voxels(means, max(1, len(means) // SURROUNDINGS))
    seen = weight + np.float64(1e-9)
    around = np.bincount(voxel, seen * share) / np.bincount(voxel, seen)
    relative = share / np.sqrt(np.maximum(around[voxel], 1e-3))
    return np.clip(relative, LEAST_CLEAR, 1.0).astype(np.float32)
