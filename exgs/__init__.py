"""exgs: a streaming codec that brings 3D Gaussian Splatting scenes to XR headsets."""

from exgs.version import __version__

__all__ = ["__version__"]
