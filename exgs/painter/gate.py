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
DOUBT = 0.1
"""Below the bound on confidence, restoring comes in over so much of it."""


@dataclass(frozen=True)
class Gate:
    """Goes by the rate, which is known before a picture is drawn, by how much of the picture is missing, and
    by how sure the network is of what it would fill in.

    Within a picture the network has a gate of its own, for each pixel. Where that is half closed over most of
    the holes, the network has not made out whether they are any, and is right in neither half of the cases.
    """

    splats_per_pixel: float = SPLATS_PER_PIXEL
    """From this rate on a picture is left alone."""
    holes: float = 0.0
    """Share of the picture that holes take where it is restored in full, 0 to 1; where they take half of that
    it is left alone, and between the two restoring comes in."""
    confidence: float = 0.0
    """How far the network's gate has to be open over the holes, 0 to 1, for them to be filled in full; from
    ``DOUBT`` below that on nothing is, and between the two restoring comes in."""

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

    def trust(self, confidence: float) -> float:
        """Share of the restoration that is taken over from a network of such ``confidence``, 0 to 1."""
        if self.confidence <= 0:
            return 1.0
        return float(np.clip((confidence - self.confidence) / DOUBT + 1, 0, 1))


def hole_share(alpha: np.ndarray) -> np.ndarray:
    """[B] the shares of pictures with ``alpha`` [B,H,W] that holes take."""
    return np.asarray((alpha < SEEN_THROUGH).mean(axis=(1, 2)))


def confidence(gate: np.ndarray, alpha: np.ndarray) -> float:
    """The mean of the network's ``gate`` [B,H,W] over the holes of pictures with ``alpha`` [B,H,W]; 0 where
    there are none.

    All pictures of a moment are judged together: what one eye is shown, the other is, too.
    """
    holes = alpha < SEEN_THROUGH
    return float(gate[holes].mean()) if holes.any() else 0.0
