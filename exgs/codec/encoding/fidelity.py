"""How near a scene comes to its source over the views of a survey."""

from __future__ import annotations

from exgs.codec.encoding.at_once import each
from exgs.codec.encoding.survey import Survey
from exgs.raster.quality import psnr
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians


def mean_psnr(gaussians: Gaussians, views: Survey, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of ``gaussians`` against the pictures of ``views``, at most 100 each."""

    def look(view: int) -> float:
        return psnr(views.pictures[view], rasterizer.render(gaussians, [views.cameras[view]]).color[0])

    values = list(each(rasterizer, look, range(len(views.cameras))))
    return float(sum(values) / len(values))
