"""Which pictures are left alone as a whole: those that so many splats make that nothing is to be won."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SPLATS_PER_PIXEL = 0.25
"""Where weights do not say otherwise: about what a file at a twentieth of its size shows."""
FADE_OCTAVES = 0.5
"""Below the bound, restoring comes in over this many octaves, so that nothing jumps as a head turns."""


@dataclass(frozen=True)
class Gate:
    """Goes by the rate alone, so that it is known before a picture is drawn.

    Within a picture the network has a gate of its own, for each pixel.
    """

    splats_per_pixel: float = SPLATS_PER_PIXEL
    """From this rate on a picture is left alone."""

    def strength(self, splats_per_pixel: np.ndarray) -> np.ndarray:
        """[B] float32 share of the restoration that pictures at these rates [B] get, 0 to 1."""
        rates = np.maximum(splats_per_pixel, np.finfo(np.float64).tiny)
        if self.splats_per_pixel <= 0:
            return np.zeros(len(rates), np.float32)
        below = np.log2(self.splats_per_pixel) - np.log2(rates)
        return np.clip(below / FADE_OCTAVES, 0, 1).astype(np.float32)
