"""Fits a scene to the photographs that it was made from, Gaussian by Gaussian, and encodes nothing."""

from __future__ import annotations

import numpy as np

from exgs.codec.encoding.effort import EFFORTS
from exgs.codec.encoding.finetune import finetune
from exgs.codec.encoding.photographs import Photographs
from exgs.codec.encoding.survey import Survey
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians

EFFORT = EFFORTS["fast"]
"""How much the photographs are looked at."""


def refine(gaussians: Gaussians, photographs: Photographs, *, rasterizer: Rasterizer) -> Gaussians:
    """``gaussians`` with every value fitted to the photographs, as the encoder fits what it merged.

    There are as many of them as before. Over the photographs that are left out, one in eight, they are never
    worse than they were; of less than four none is left out, and nothing changes.
    """
    taken = photographs.thinned(EFFORT.views[1]).within(*EFFORT.view_px)
    nothing = np.zeros(len(gaussians), np.float32)
    views = taken.instead_of(Survey((), np.zeros((0, 1, 1, 3), np.float32), nothing, nothing))
    draws = EFFORT.fine_draws(len(gaussians))
    return finetune(gaussians, views, rasterizer, degree=gaussians.sh_degree, draws=draws)
