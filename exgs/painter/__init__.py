"""Repairs a rendered picture in one step."""

from exgs.painter.seam import Identity, Restorer

__all__ = ["Identity", "Restorer"]
