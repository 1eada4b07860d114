"""The restorer's seam: what every backend takes and gives."""

from __future__ import annotations

from typing import Protocol

import numpy as np


class Restorer(Protocol):
    """Pictures of a compressed scene in; pictures nearer to those of the whole scene out."""

    name: str
    """What the backend is called in reports."""

    needs_depth: bool
    """Whether ``restore`` wants depth; the rasteriser leaves it out otherwise."""

    def restore(self, color: np.ndarray, alpha: np.ndarray, depth: np.ndarray | None) -> np.ndarray:
        """[B,H,W,3] float32 restored pictures over black, not clipped.

        ``color`` [B,H,W,3], ``alpha`` [B,H,W] and ``depth`` [B,H,W] are those of ``Rendering``; none is
        written to. Holes are where ``alpha`` is low.
        """


class Identity:
    """Leaves every picture as it is."""

    name = "identity"
    needs_depth = False

    def restore(self, color: np.ndarray, alpha: np.ndarray, depth: np.ndarray | None) -> np.ndarray:
        """``color`` itself, not a copy."""
        return color
