"""Adaptive amplification of pruned Gaussians, in closed form (docs/decisions/0004-amplification.md)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import scipy  # its parts are loaded when they are first used

from exgs.codec.encoding.moments import areas, covariances
from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.visibility import LEAST_CLEAR
from exgs.scene import Gaussians

GROWTH = 0.25
"""Power of the mass ratio by which scales grow; 0.5 would keep the mass itself."""
LARGEST = 4.0
"""Largest factor on the scales."""


def amplify(gaussians: Gaussians, kept: np.ndarray, views: Survey) -> Gaussians:
    """The ``kept`` of the Gaussians (indices), enlarged to stand for those dropped around them.

    Every dropped Gaussian leaves its visible mass, opacity x area x light, to the nearest kept one; the
    scales of that one grow by a power of the ratio of the mass that it then has to its own.
    """
    sparse = gaussians.select(kept).with_sh_degree(0)
    area = areas(covariances(gaussians.quats, gaussians.log_scales))
    whole = gaussians.opacities * area
    light = np.clip(
        views.weight_sum / np.maximum(2 * np.pi * whole * views.footprint, 1e-12), LEAST_CLEAR, 1.0
    )
    mass = (whole * light).astype(np.float64)
    heir = scipy.spatial.cKDTree(sparse.means).query(gaussians.means, workers=-1)[1]
    heir[kept] = np.arange(len(kept))
    inherited = np.bincount(heir, mass, len(kept))
    growth = np.clip((inherited / np.maximum(mass[kept], 1e-30)) ** GROWTH, 1.0, LARGEST)
    return replace(sparse, log_scales=(sparse.log_scales + np.log(growth)[:, None]).astype(np.float32))
