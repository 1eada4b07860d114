"""Repairs a rendered picture in one step."""

from exgs.painter.errors import PainterError
from exgs.painter.seam import Identity, Pictures, Restored, Restorer, Verdict, draw
from exgs.painter.visibility import splats_per_pixel

__all__ = [
    "Identity",
    "PainterError",
    "Pictures",
    "Restored",
    "Restorer",
    "Verdict",
    "draw",
    "splats_per_pixel",
]
