"""Cubic grids as fine as a number of occupied voxels allows."""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import kernel, wide

_TRIALS = 16
"""Halvings of the range in which the size of a voxel is looked for."""
_FINEST = 12
"""Binary logarithm of the voxels along the scene at most; as many again count on either side of it."""
_AXIS_BITS = 20
"""Of the place along an axis in a voxel's code."""
_FREE = -1
"""Code in a slot of the table that no voxel has taken."""
_SPREAD = 0x9E3779B97F4A7C15 >> 2
"""2^62 over the golden ratio, which spreads codes over the table (Knuth's multiplicative hashing)."""
_SPREAD_FROM = 20
"""Lowest bit of a code's product that says where it stands in the table: those below are spread less."""


def voxels(means: np.ndarray, occupied: int) -> np.ndarray:
    """[N] int64 number of each mean's voxel, in a cubic grid with at most ``occupied`` occupied voxels."""
    step = max(1, len(means) // 1_000_000)
    low, high = np.percentile(means[::step], (0.5, 99.5), axis=0)
    extent = float((high - low).max())
    if not extent > 0:
        return np.zeros(len(means), np.int64)
    numbers = np.zeros(len(means), np.int64)
    table = np.empty(1 << max(4, (4 * occupied).bit_length()), np.int64)
    coarse, fine = 0.0, float(_FINEST)
    for _ in range(_TRIALS):
        middle = 0.5 * (coarse + fine)
        if _number(means, low, 2.0**middle / extent, (table, np.empty_like(table)), occupied, numbers):
            coarse = middle
        else:
            fine = middle
    if not _number(means, low, 2.0**coarse / extent, (table, np.empty_like(table)), occupied, numbers):
        numbers[:] = 0
    return numbers


@kernel
def _number(
    means: np.ndarray,
    low: np.ndarray,
    scale: float,
    tables: tuple[np.ndarray, ...],
    most: int,
    numbers: np.ndarray,
) -> bool:
    """Numbers the occupied voxels of edge 1 / ``scale`` as they are met; gives up beyond ``most`` of them."""
    keys, known = tables
    keys[:] = _FREE
    found, last, cells = 0, len(keys) - 1, 1 << _FINEST
    for i in range(len(means)):
        code = wide(0)
        for axis in range(3):
            cell = np.floor((means[i, axis] - low[axis]) * scale)
            code = (code << _AXIS_BITS) | (wide(min(max(cell, -1.0 * cells), 2.0 * cells)) + cells)
        slot = ((code * _SPREAD) >> _SPREAD_FROM) & last
        while keys[slot] != code and keys[slot] != _FREE:
            slot = (slot + 1) & last
        if keys[slot] == _FREE:
            if found == most:
                return False
            keys[slot], known[slot] = code, found
            found += 1
        numbers[i] = known[slot]
    return True
