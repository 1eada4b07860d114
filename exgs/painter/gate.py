"""Which pictures are left alone as a whole: those that nothing is to be won of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPLATS_PER_PIXEL = 0.25
"""Where weights do not say otherwise: about what a file at a twentieth of its size shows."""
FADE_OCTAVES = 0.5
"""Below the bound, restoring comes in over this many octaves, so that nothing jumps as a head turns."""
SEEN_THROUGH = 0.9
"""Alpha below which a pixel is part of a hole."""


@dataclass(frozen=True)
class Gate:
    """Goes by the rate, which is known before a picture is drawn, and by how much of the picture is missing.

    Within a picture the network has a gate of its own, for each pixel.
    """

    splats_per_pixel: float = SPLATS_PER_PIXEL
    """From this rate on a picture is left alone."""
    holes: float = 0.0
    """Share of the picture that holes take where it is restored in full, 0 to 1; where they take half of that
    it is left alone, and between the two restoring comes in."""

    def strength(self, splats_per_pixel: np.ndarray) -> np.ndarray:
        """[B] float32 share of the restoration that pictures at these rates [B] get, 0 to 1."""
        rates = np.maximum(splats_per_pixel, np.finfo(np.float64).tiny)
        if self.splats_per_pixel <= 0:
            return np.zeros(len(rates), np.float32)
        below = np.log2(self.splats_per_pixel) - np.log2(rates)
        return np.clip(below / FADE_OCTAVES, 0, 1).astype(np.float32)

    def need(self, holes: np.ndarray) -> np.ndarray:
        """[B] float32 share of the restoration that pictures get whose ``holes`` [B] are so large, 0 to 1."""
        if self.holes <= 0:
            return np.ones(len(holes), np.float32)
        return np.clip(2 * holes / self.holes - 1, 0, 1).astype(np.float32)


def hole_share(alpha: np.ndarray) -> np.ndarray:
    """[B] the shares of pictures with ``alpha`` [B,H,W] that holes take."""
    return np.asarray((alpha < SEEN_THROUGH).mean(axis=(1, 2)))
