"""Gaussians and a camera in; a picture, its opacity and each Gaussian's weight out."""

from exgs.raster.blame import blamed_error
from exgs.raster.choose import (
    RASTERIZERS,
    RasterizerError,
    RasterizerReport,
    choose_rasterizer,
    rasterizer_report,
)
from exgs.raster.pictures import to_bytes
from exgs.raster.seam import Gradients, Pull, Rasterizer, Rendering, Telling
from exgs.raster.sh import sh_basis, view_colors, view_directions

__all__ = [
    "RASTERIZERS",
    "Gradients",
    "Pull",
    "Rasterizer",
    "RasterizerError",
    "RasterizerReport",
    "Rendering",
    "Telling",
    "blamed_error",
    "choose_rasterizer",
    "rasterizer_report",
    "sh_basis",
    "to_bytes",
    "view_colors",
    "view_directions",
]
