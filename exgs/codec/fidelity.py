"""How near a scene comes to its source over the views of a survey."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.codec.survey import Survey
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians

_BEST_DB = 100.0


def mean_psnr(
    gaussians: Gaussians, views: Survey, rasterizer: Rasterizer, *, only: Sequence[int] | None = None
) -> float:
    """Mean PSNR [dB] of ``gaussians`` against the pictures of ``views``, both clipped to [0, 1].

    ``only`` names the views to look from; None takes all.
    """
    chosen = range(len(views.cameras)) if only is None else only
    total = 0.0
    for view in chosen:
        picture = rasterizer.render(gaussians, [views.cameras[view]]).color[0]
        error = np.clip(picture, 0.0, 1.0) - np.clip(views.pictures[view], 0.0, 1.0)
        mse = float(np.mean(np.square(error), dtype=np.float64))
        total += min(_BEST_DB, -10.0 * float(np.log10(max(mse, 1e-12))))
    return total / len(chosen)
