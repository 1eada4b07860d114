"""Gaussians and a camera in; a picture, its opacity and each Gaussian's weight out."""

from exgs.raster.choose import RASTERIZERS, choose_rasterizer
from exgs.raster.seam import Blending, Rasterizer, Rendering
from exgs.raster.sh import sh_basis, view_colors, view_directions

__all__ = [
    "RASTERIZERS",
    "Blending",
    "Rasterizer",
    "Rendering",
    "choose_rasterizer",
    "sh_basis",
    "view_colors",
    "view_directions",
]
