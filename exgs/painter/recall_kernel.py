"""The walk over pixels of ``recall``."""

from __future__ import annotations

import numpy as np

from exgs.painter.warping import AGREEMENT
from exgs.raster.cpu_blocks import Arrays, Range
from exgs.raster.kernel import inlined, kernel

Weights = tuple[np.float32, np.float32, np.float32, np.float32]
"""Of the upper left, upper right, lower left and lower right pixel."""

KEPT = 8
"""Values kept of each pixel: colour, residual, depth, and one to round them up."""
CHANGE = np.float32(0.08)
"""A colour that changed by this much since the last frame shows something else."""
MOST = np.float32(0.75)
"""Share of the residual of the last frame where nothing changed."""

_AGREEMENT = np.float32(AGREEMENT)
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@inlined
def _between(past: np.ndarray, top: int, left: int, weights: Weights, value: int) -> np.float32:
    """One value of ``past`` between four pixels, of which the upper left one is named."""
    upper = weights[0] * past[top, left, value] + weights[1] * past[top, left + 1, value]
    lower = weights[2] * past[top + 1, left, value] + weights[3] * past[top + 1, left + 1, value]
    return upper + lower


@inlined
def _one_surface(past: np.ndarray, top: int, left: int, z: np.float32) -> bool:
    """Whether the four pixels are as far away as ``z``."""
    upper = max(abs(past[top, left, 6] - z), abs(past[top, left + 1, 6] - z))
    lower = max(abs(past[top + 1, left, 6] - z), abs(past[top + 1, left + 1, 6] - z))
    return max(upper, lower) <= _AGREEMENT * z


@inlined
def _shown(value: np.float32) -> np.float32:
    return min(max(value, _ZERO), _ONE)


@kernel
def recall(
    rows: Range, seen: Arrays, now: Arrays, past: np.ndarray, out: np.ndarray, kept: np.ndarray
) -> None:
    """Blends the residual of rows [begin, end) with that of the last frame, moved to where it is now.

    ``seen`` is (pixel map [12] row by row and shift, depth [H,W]), ``now`` (colour as drawn and as restored,
    [H,W,3] each), ``past`` [H,W,8] what was kept of the last frame. ``out`` [H,W,3] gets the colours,
    ``kept`` [H,W,8] what the next frame is to know.
    """
    begin, end = rows
    where, depth = seen
    drawn, restored = now
    height, width = depth.shape
    right_end, low_end = np.float32(width - 1), np.float32(height - 1)
    for y in range(begin, end):
        for x in range(width):
            z = depth[y, x]
            c0, c1, c2 = _shown(drawn[y, x, 0]), _shown(drawn[y, x, 1]), _shown(drawn[y, x, 2])
            r0, r1, r2 = restored[y, x, 0] - c0, restored[y, x, 1] - c1, restored[y, x, 2] - c2
            px, py = np.float32(x) + _HALF, np.float32(y) + _HALF
            was = z * (where[6] * px + where[7] * py + where[8]) + where[11]
            if z > _ZERO and was > _ZERO:
                u = (z * (where[0] * px + where[1] * py + where[2]) + where[9]) / was - _HALF
                v = (z * (where[3] * px + where[4] * py + where[5]) + where[10]) / was - _HALF
                if _ZERO <= u < right_end and _ZERO <= v < low_end:
                    left, top = int(u), int(v)
                    a, b = u - np.float32(left), v - np.float32(top)
                    if _one_surface(past, top, left, was):
                        weights = ((_ONE - a) * (_ONE - b), a * (_ONE - b), (_ONE - a) * b, a * b)
                        change = max(
                            abs(_between(past, top, left, weights, 0) - c0),
                            abs(_between(past, top, left, weights, 1) - c1),
                            abs(_between(past, top, left, weights, 2) - c2),
                        )
                        share = MOST * max(_ONE - change / CHANGE, _ZERO)
                        r0 += share * (_between(past, top, left, weights, 3) - r0)
                        r1 += share * (_between(past, top, left, weights, 4) - r1)
                        r2 += share * (_between(past, top, left, weights, 5) - r2)
            kept[y, x, 0], kept[y, x, 1], kept[y, x, 2] = c0, c1, c2
            kept[y, x, 3], kept[y, x, 4], kept[y, x, 5] = r0, r1, r2
            kept[y, x, 6], kept[y, x, 7] = z, _ZERO
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = _shown(c0 + r0), _shown(c1 + r1), _shown(c2 + r2)
