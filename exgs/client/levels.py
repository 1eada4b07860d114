"""How much of each level of detail is here, and how much of it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.codec import Preamble


@dataclass(frozen=True)
class LevelShare:
    """One level of a scene, as far as it has arrived."""

    level: int
    """Number of the level, 0 the finest."""
    chunks: int
    """Chunks of it that are held."""
    chunks_expected: int
    """Chunks that it has."""
    splats_shown: int
    """Splats of it that show: those of shown chunks that nothing finer has replaced."""
    splats: int
    """Splats that it has."""


class LevelMap:
    """Tells, from which chunks are held, what shows of each level."""

    def __init__(self, preamble: Preamble) -> None:
        chunks = preamble.chunks
        self._levels = preamble.header.levels
        self._level = np.array([chunk.level for chunk in chunks], np.int64)
        self._parent = np.array([chunk.parent for chunk in chunks], np.int64)
        self._replaced = np.array([chunk.replaced for chunk in chunks], np.int64)
        self._count = np.array([chunk.count for chunk in chunks], np.int64)
        self._chunks = np.bincount(self._level, minlength=self._levels)
        self._splats = self._sums(self._count)

    def of(self, held: np.ndarray) -> tuple[LevelShare, ...]:
        """A row for each level, finest first. ``held`` is boolean [chunks]."""
        shown = self._shown(held)
        child = shown & (self._parent >= 0)
        showing = self._sums(np.where(shown, self._count, 0))
        hidden = np.zeros(self._levels, np.int64)
        np.add.at(hidden, self._level[self._parent[child]], self._replaced[child])
        here = np.bincount(self._level[held], minlength=self._levels)
        rows = zip(here, self._chunks, showing - hidden, self._splats, strict=True)
        return tuple(LevelShare(level, *(int(value) for value in row)) for level, row in enumerate(rows))

    def _shown(self, held: np.ndarray) -> np.ndarray:
        """Which chunks show: held, and their parent shows."""
        shown = held & (self._parent < 0)
        for level in range(self._levels - 1, -1, -1):
            below = np.flatnonzero(held & (self._level == level) & (self._parent >= 0))
            shown[below] = shown[self._parent[below]]
        return shown

    def _sums(self, counts: np.ndarray) -> np.ndarray:
        return np.bincount(self._level, weights=counts, minlength=self._levels).astype(np.int64)
