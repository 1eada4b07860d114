"""Repairs a rendered picture in one step."""

from exgs.painter.choose import ENGINES, MODES, RestorerReport, choose_restorer, restorer_report
from exgs.painter.errors import PainterError
from exgs.painter.seam import Identity, Pictures, Restored, Restorer, Verdict, draw
from exgs.painter.visibility import splats_per_pixel

__all__ = [
    "ENGINES",
    "MODES",
    "Identity",
    "PainterError",
    "Pictures",
    "Restored",
    "Restorer",
    "RestorerReport",
    "Verdict",
    "choose_restorer",
    "draw",
    "restorer_report",
    "splats_per_pixel",
]
