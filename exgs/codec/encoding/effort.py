"""How much an encoding looks at a scene: the size of its pictures, their number, how often each is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PIXELS_PER_GAUSSIAN = 4
"""Pixels that take as long to draw as a Gaussian."""
FEWEST_DRAWS = 120
"""Pictures drawn to fit few Gaussians, which have little to learn."""
COARSE_DRAWS, COARSE_WORK = 0.625, 0.25
"""Bounds for a coarser level, in parts of those for the finest."""
TOUCH_DRAWS, TOUCH_WORK = 0.2, 0.08
"""The same where another fit is carried on."""


@dataclass(frozen=True)
class Effort:
    """Bounds of what an encoding does."""

    view_px: tuple[int, int]
    """Width and height of the pictures that everything is fitted to. A viewer's are larger: what a Gaussian
    looks like from nearer, small ones do not tell."""
    views: tuple[int, int]
    """Fewest and most viewpoints where their number is left to the encoder."""
    viewed: int
    """Gaussians looked at in all from so many viewpoints, about."""
    draws: int
    """Pictures drawn and carried back at most to fit the finest level."""
    work: int
    """Gaussians drawn for that at most, pixels counted as Gaussians by ``PIXELS_PER_GAUSSIAN``."""
    looks: int
    """Times that the steps that suit the scene are looked for."""

    def view_count(self, splats: int) -> int:
        """Viewpoints for a scene of so many Gaussians: a large one takes longer to look at."""
        fewest, most = self.views
        return min(max(self.viewed // max(splats, 1), fewest), most)

    def fine_draws(self, splats: int) -> int:
        """Pictures drawn to fit ``splats`` Gaussians of the finest level."""
        return min(self.draws, FEWEST_DRAWS + splats // 8, self.work // self._cost(splats))

    def coarse_draws(self, splats: int) -> int:
        """Pictures drawn to fit those of a coarser level, of which ``splats`` show."""
        return min(int(COARSE_DRAWS * self.draws), int(COARSE_WORK * self.work) // self._cost(splats))

    def touching_draws(self, splats: int) -> int:
        """Pictures drawn where another fit is carried on."""
        return min(int(TOUCH_DRAWS * self.draws), int(TOUCH_WORK * self.work) // self._cost(splats))

    def _cost(self, splats: int) -> int:
        width, height = self.view_px
        return splats + width * height // PIXELS_PER_GAUSSIAN


EFFORTS: Mapping[str, Effort] = MappingProxyType(
    {
        "fast": Effort(
            view_px=(320, 180), views=(48, 128), viewed=96_000_000, draws=640, work=75_000_000, looks=1
        ),
        "normal": Effort(
            view_px=(640, 360), views=(48, 128), viewed=96_000_000, draws=640, work=95_000_000, looks=2
        ),
        "best": Effort(
            view_px=(640, 360), views=(96, 256), viewed=192_000_000, draws=1280, work=190_000_000, looks=2
        ),
    }
)
"""By name, from least to most."""
DEFAULT_EFFORT = "normal"
"""What is done where nothing is said."""
