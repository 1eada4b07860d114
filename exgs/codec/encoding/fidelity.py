"""How near a scene comes to its source over the views of a survey."""

from __future__ import annotations

from exgs.codec.encoding.survey import Survey
from exgs.raster.quality import psnr
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians


def mean_psnr(gaussians: Gaussians, views: Survey, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of ``gaussians`` against the pictures of ``views``, at most 100 each."""
    pairs = zip(views.cameras, views.pictures, strict=True)
    values = [psnr(picture, rasterizer.render(gaussians, [camera]).color[0]) for camera, picture in pairs]
    return sum(values) / len(values)
