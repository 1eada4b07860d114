"""Unit quaternions stored as their three smallest components and the index of the largest."""

from __future__ import annotations

import numpy as np

_SOURCE = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [1, 2, 0, 3], [1, 2, 3, 0]])
"""Row: index of the largest component; for each component, 0 for the largest, 1 to 3 for the stored ones."""


def expand(first: np.ndarray, second: np.ndarray, third: np.ndarray, largest: np.ndarray) -> np.ndarray:
    """[n,4] float32 quaternions in the component order of the file.

    Args:
        first: [n] float64, the stored component of lowest index; likewise ``second`` and ``third``.
        second: see ``first``.
        third: see ``first``.
        largest: [n] integers 0 to 3, the component that is not stored and is taken as positive.
    """
    rest = np.sqrt(np.maximum(0.0, 1.0 - (first * first + second * second + third * third)))
    stored = np.stack([rest, first, second, third], axis=1).astype(np.float32)
    return np.take_along_axis(stored, _SOURCE[largest], axis=1)
