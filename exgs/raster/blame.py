"""Which Gaussians are to blame for what is wrong in a picture."""

from __future__ import annotations

import numpy as np

from exgs.raster.seam import Rasterizer
from exgs.scene import Camera, Gaussians


def blamed_error(
    gaussians: Gaussians, camera: Camera, target: np.ndarray, rasterizer: Rasterizer
) -> np.ndarray:
    """[N] float64 squared error of ``camera``'s picture against ``target`` [H,W,3], by blending weight."""
    shares, _ = rasterizer.share_out(gaussians, camera, lambda picture: np.square(target - picture))
    return np.asarray(shares.sum(axis=1, dtype=np.float64))
