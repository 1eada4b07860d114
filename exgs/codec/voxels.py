"""Cubic grids as fine as a number of occupied voxels allows."""

from __future__ import annotations

import numpy as np

_TRIALS = 16


def voxels(means: np.ndarray, occupied: int) -> np.ndarray:
    """[N] int64 number of each mean's voxel, in a cubic grid with at most ``occupied`` occupied voxels."""
    low = np.percentile(means, 0.5, axis=0)
    extent = float((np.percentile(means, 99.5, axis=0) - low).max())
    if not extent > 0:
        return np.zeros(len(means), np.int64)
    coarse, fine = 0.0, 12.0
    best = np.zeros(len(means), np.int64)
    for _ in range(_TRIALS):
        middle = 0.5 * (coarse + fine)
        cells = np.clip(np.floor((means - low) / extent * 2.0**middle), -4096, 8192).astype(np.int64) + 4096
        numbers = np.unique((cells[:, 0] << 40) | (cells[:, 1] << 20) | cells[:, 2], return_inverse=True)[1]
        if numbers.max() + 1 <= occupied:
            best, coarse = numbers, middle
        else:
            fine = middle
    return best
