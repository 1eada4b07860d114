"""Gaussians that cannot be drawn, and the box of those that can."""

from __future__ import annotations

import numpy as np

from exgs.scene.gaussians import VALUES, Gaussians

BLOCK = 1 << 16
"""Gaussians that are looked at at a time."""


def finite_mask(gaussians: Gaussians) -> np.ndarray:
    """[N] bool: all values are finite, and the quaternion has a length."""
    mask = np.empty(len(gaussians), bool)
    # Signalling NaNs, which files may hold, warn when they are looked at.
    with np.errstate(invalid="ignore"):
        for start in range(0, len(gaussians), BLOCK):
            rows = slice(start, start + BLOCK)
            part = (gaussians.quats[rows] != 0).any(axis=1)
            for name in VALUES:
                values = getattr(gaussians, name)[rows]
                part &= np.isfinite(values).reshape(len(values), -1).all(axis=1)
            mask[rows] = part
    return mask


def drop_non_finite(gaussians: Gaussians) -> tuple[Gaussians, int]:
    """The Gaussians that can be drawn, and how many were dropped because a value is NaN or infinite.

    A quaternion of length zero counts as such: it is no rotation.
    """
    mask = finite_mask(gaussians)
    dropped = len(mask) - int(mask.sum())
    return (gaussians.select(mask), dropped) if dropped else (gaussians, 0)


def bounds(gaussians: Gaussians) -> tuple[np.ndarray, np.ndarray] | None:
    """Least and greatest coordinates [3] of the finite means; None where there are none."""
    lows, highs = [], []
    for start in range(0, len(gaussians), BLOCK):
        means = gaussians.means[start : start + BLOCK]
        means = means[np.isfinite(means).all(axis=1)]
        if len(means):
            lows.append(means.min(axis=0))
            highs.append(means.max(axis=0))
    return (np.min(lows, axis=0), np.max(highs, axis=0)) if lows else None
