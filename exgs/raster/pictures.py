"""From what a rasteriser draws to what files and screens hold."""

from __future__ import annotations

import numpy as np


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """[H,W,3] uint8 of a float picture, clipped to [0, 1] and rounded; not-a-number is black."""
    scaled = picture * np.float32(255)
    scaled += np.float32(0.5)
    return np.fmin(np.fmax(scaled, 0), 255).astype(np.uint8)
