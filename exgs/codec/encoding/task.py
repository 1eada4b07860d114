"""What a method of encoding is given, and what it gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exgs.codec.encoding.carrying import Fitted
from exgs.codec.encoding.config import EncodeConfig
from exgs.codec.encoding.merge_tree import MergeTree
from exgs.codec.encoding.rate import Fit
from exgs.codec.encoding.report import TakenOver
from exgs.codec.encoding.survey import Survey
from exgs.codec.writing.pyramid import Pyramid
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians, StartView

Progress = Callable[[str, float], None]
"""Told the phase that begins or goes on, and the share of the whole that is done, 0 to 1."""


@dataclass(frozen=True, eq=False)
class Task:
    """A scene to encode and everything that takes."""

    gaussians: Gaussians
    """The scene, sound and visible Gaussians only."""
    views: Survey
    """What views tell about them."""
    config: EncodeConfig
    """What is asked for."""
    budget_bytes: int
    """Bytes that the file may take."""
    rasterizer: Rasterizer
    """Draws."""
    tell: Progress
    """Hears of progress."""
    start: StartView
    """Where a viewer begins."""

    @property
    def highest_degree(self) -> int:
        """Highest degree of the harmonics that may be kept."""
        wanted = self.config.sh_degree
        have = self.gaussians.sh_degree
        return have if wanted is None else min(wanted, have)


@dataclass(frozen=True, eq=False)
class MergeTask(Task):
    """A task whose Gaussians may be merged."""

    tree: MergeTree
    """All their merges."""
    fitted: Fitted | None = None
    """A cut through the tree that was fitted for another budget; None where none was, or none may be used."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """A file within its budget and the pyramid in it."""

    pyramid: Pyramid
    """What was coded."""
    fit: Fit
    """The file."""
    fp16_bytes: int | None = None
    """Bytes by which FP16 storage counts; None where it does not."""
    fitted: Fitted | None = None
    """The finest cut as it was fitted, for other budgets."""
    taken_over: TakenOver = ""
    """Out of a cache."""
