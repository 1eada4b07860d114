"""Gaussians and a camera in; a picture, its opacity and each Gaussian's weight out."""

from exgs.raster.seam import Blending, Rasterizer, Rendering

__all__ = ["Blending", "Rasterizer", "Rendering"]
