"""The restorer's seam: what every backend takes and gives, and how a picture comes to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from exgs.painter.visibility import layers, splats_per_pixel
from exgs.raster import Rasterizer
from exgs.scene import Camera, Gaussians

Verdict = Literal["restored", "off", "rich", "whole", "unsure", "budget"]
"""What became of pictures: restored; or left alone because nothing restores (``off``), because so many splats
are in view that nothing is to be won (``rich``), because they hardly have holes or, in a video, come right
after such (``whole``), because the network is not sure that the holes are any (``unsure``), or because there
is no time for it (``budget``)."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """What B cameras of one size see at one moment: the two eyes of a head, or one."""

    color: np.ndarray
    """[B,H,W,3] float32 over black, not clipped."""
    alpha: np.ndarray
    """[B,H,W] float32 accumulated opacity in [0, 1]; holes are where it is low."""
    cameras: tuple[Camera, ...]
    """B cameras."""
    splats_per_pixel: np.ndarray
    """[B] splats in view of each camera over its pixels."""
    depth: np.ndarray | None = None
    """[B,H,W] float32 as ``Rendering`` has it; None where the restorer did not ask for it."""
    layers: np.ndarray | None = None
    """[B] how many splats lie over one another in the mean; None where there is no depth either."""


@dataclass(frozen=True, eq=False)
class Restored:
    """What a restorer made of pictures."""

    color: np.ndarray
    """[B,H,W,3] float32 over black, not clipped; the very array that went in where nothing was done."""
    verdict: Verdict
    """What was done."""

    @property
    def asked(self) -> bool:
        """Whether a network was asked, which takes time whatever it says."""
        return self.verdict in ("restored", "unsure")


class Restorer(Protocol):
    """Pictures of a compressed scene in; pictures nearer to those of the whole scene out.

    A restorer may keep what it found for one moment for the next; so each video has its own, and one thread
    calls it.
    """

    name: str
    """What the backend is called in reports."""

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Whether it needs the depth of pictures with ``splats_per_pixel`` [B]; it takes time to draw."""

    def restore(self, pictures: Pictures) -> Restored:
        """Restores ``pictures``, and writes to none of their arrays.

        Raises:
            PainterError: the network gives something else than pictures.
        """

    def forget(self) -> None:
        """What comes next has nothing to do with what came before."""


class Identity:
    """Leaves every picture as it is."""

    name = "off"

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Never."""
        return False

    def restore(self, pictures: Pictures) -> Restored:
        """The very colours, not a copy."""
        return Restored(pictures.color, "off")

    def forget(self) -> None:
        """Knows nothing."""


def draw(
    rasterizer: Rasterizer, restorer: Restorer, gaussians: Gaussians, cameras: Sequence[Camera]
) -> Pictures:
    """Draws ``gaussians`` from ``cameras`` of one picture size, with all that ``restorer`` wants to know."""
    rates = splats_per_pixel(gaussians, cameras)
    wanted = restorer.wants_depth(rates)
    rendering = rasterizer.render(gaussians, cameras, depth=wanted)
    deep = layers(gaussians, cameras) if wanted else None
    return Pictures(rendering.color, rendering.alpha, tuple(cameras), rates, rendering.depth, deep)
