"""Values to integers of steps: the nearest one, and colours as luma and chroma."""

from __future__ import annotations

import math

import numpy as np

from exgs.codec.kernel import inlined, kernel, wide

LARGEST = 30000
"""Bound of scales, colours and coefficients in steps of class 0: folded differences are below MAX_VALUE."""


@kernel
def nearest(value: float, level: int) -> int:
    """The integer nearest to ``value`` steps of class ``level``, within bounds."""
    largest = LARGEST >> level
    return wide(min(max(math.floor(value + 0.5), -largest), largest))


@inlined
def luma_chroma(rgb: np.ndarray, per_step: float) -> tuple[float, float, float]:
    """Luma, chroma o and chroma g of red, green and blue [3], in steps of which a unit has ``per_step``."""
    luma = (rgb[0] + 2.0 * rgb[1] + rgb[2]) * (0.25 * per_step)
    chroma_o = (rgb[0] - rgb[2]) * (0.5 * per_step)
    chroma_g = (2.0 * rgb[1] - rgb[0] - rgb[2]) * (0.25 * per_step)
    return luma, chroma_o, chroma_g
