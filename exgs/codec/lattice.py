"""Lattices of chunks: their corners, bits and boxes, as coarsely as the manifest spells them.

Spec: docs/bitstream.md, Manifest
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CORNER_BITS = 4
"""The corner of a lattice of n bits is a multiple of 2^(n - CORNER_BITS)."""


def corner_shift(bits: int) -> int:
    """How many low bits of the corner of a lattice of ``bits`` bits are zero."""
    return max(bits - CORNER_BITS, 0)


def extent_of(part: int, bits: int) -> int:
    """Size of the box along an axis, in lattice steps: 9 to 16 sixteenths of the lattice."""
    return (((9 + part) << bits) + 15) >> 4


def part_of(extent: int, bits: int) -> int:
    """The smallest part whose ``extent_of`` is at least ``extent``."""
    return next(part for part in range(8) if extent_of(part, bits) >= extent or part == 7)


def chunk_lattice(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corner [3] and bits [3] int64 of the smallest lattice of a chunk that holds ``cells`` [N,3] int64."""
    low, high = cells.min(axis=0), cells.max(axis=0)
    bits = np.array([int(side).bit_length() for side in high - low], np.int64)
    while True:
        shifts = np.maximum(bits - CORNER_BITS, 0)
        base = (low >> shifts) << shifts
        wanted = np.array([int(side).bit_length() for side in high - base], np.int64)
        if (wanted <= bits).all():
            return base, bits
        bits = np.maximum(bits, wanted)


def chunk_box(
    base: Sequence[int], extent: Sequence[int], origin: np.ndarray, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a box as [3] float32 each."""
    low = origin.astype(np.float64) + np.array(base) * step
    return low.astype(np.float32), (low + np.array(extent) * step).astype(np.float32)
