"""What the chunks of a manifest are worth to a viewer: the picture error that each saves.

The encoder's importance is the squared picture error that a chunk removes, over views spread through the
scene. A viewer who stands nearer to the chunk than those views saves more of it, as the area in the picture
grows with the inverse square of the distance; and only the share that is in view counts. Those views stand,
as far as is known here, about the middle of the scene's detail.

A viewer and a server that know the same chunks and the same view come to the same numbers: the server sends
by them, and the client lets go by them (docs/decisions/0007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.codec.manifest import ChunkInfo
from exgs.scene.outlook import Outlook

LINGER_S = 0.25
"""A chunk shall be of use for a while: chance is taken at this much after its arrival."""
BUDGET_AHEAD_S = 0.15
"""So far ahead looks a viewer that cannot hold all chunks, and the server that sends it some. One that looked
further than the other would want again what the other holds for the least."""
ANYWHERE = 0.015
"""What counts of a chunk wherever the head will look: it may turn, and it must not find nothing."""
_LARGE = 0.1
"""A box whose variance is more than this share of its mean square distance is looked at in eight parts."""
_OCTANTS = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float32)


class ChunkTable:
    """A manifest as arrays; made once per scene and shared by all who watch it."""

    def __init__(self, chunks: Sequence[ChunkInfo]) -> None:
        """Ids are indices into ``chunks``.

        Raises:
            ValueError: a chunk's parent does not exist or is not of a coarser level.
        """
        self.count = len(chunks)
        """How many chunks there are."""
        self.levels = np.array([chunk.level for chunk in chunks], np.int64)
        """[N] level of each, 0 finest."""
        self.parents = np.array([chunk.parent for chunk in chunks], np.int64)
        """[N] id of each one's parent; -1 for none."""
        _check(self.levels, self.parents)
        self.splats = np.array([chunk.count for chunk in chunks], np.int64)
        """[N] splats of each."""
        self.bytes = np.array([chunk.size_bytes for chunk in chunks], np.int64)
        """[N] size of each."""
        self.importance = np.array([chunk.importance for chunk in chunks], np.float64)
        """[N] picture error that each removes over the encoder's views."""
        low = np.array([chunk.bounds_min for chunk in chunks], np.float32).reshape(-1, 3)
        high = np.array([chunk.bounds_max for chunk in chunks], np.float32).reshape(-1, 3)
        self.centres, self.variances = (low + high) / 2, np.square(high - low) / 12
        """[N,3] float32 means and variances of the points of the boxes, by axes of the scene."""
        self._order = np.argsort(self.parents, kind="stable")
        self._starts = np.searchsorted(self.parents[self._order], np.arange(-1, self.count + 1))
        self.density = self.per_byte(self.importance)
        """[N] float32 importance per byte of each, or of the best path that it opens where that is more."""
        self._usual = self._usual_square()

    def children(self, id: int) -> np.ndarray:
        """[n] ids of the chunks whose parent is ``id``; of those without a parent for -1."""
        return self._order[self._starts[id + 1] : self._starts[id + 2]]

    def benefit(self, ids: np.ndarray, outlook: Outlook) -> np.ndarray:
        """[n] float32 picture error that a byte of each of ``ids`` should save a viewer with ``outlook``."""
        return np.asarray(self.density[ids] * self.visible(ids, outlook))

    def visible(self, ids: np.ndarray, outlook: Outlook) -> np.ndarray:
        """[n] float32 by what the importance of ``ids`` is to be multiplied for a viewer with ``outlook``."""
        centres, variances = self.centres[ids], self.variances[ids]
        factors, size = _seen(centres, variances, outlook)
        large = np.flatnonzero(size > _LARGE)
        if len(large):
            parts = centres[large, None] + np.sqrt(0.75 * variances[large, None]) * _OCTANTS
            smaller = np.repeat(variances[large] / 4, 8, axis=0)
            factors[large] = _seen(parts.reshape(-1, 3), smaller, outlook)[0].reshape(-1, 8).mean(axis=1)
        return factors * self._usual[ids]

    def _usual_square(self) -> np.ndarray:
        """[N] float32 mean square of the distance at which the encoder's views see each chunk."""
        weight = np.where(self.levels == 0, self.importance, 0.0)
        if not weight.sum() > 0:
            weight = np.ones(self.count)
        weight = weight / max(weight.sum(), 1e-300)
        middle = weight @ self.centres
        spread = weight @ ((self.centres - middle) ** 2).sum(axis=1)
        away = ((self.centres - middle) ** 2).sum(axis=1)
        return np.asarray(away + spread + self.variances.sum(axis=1), np.float32)

    def per_byte(self, gains: np.ndarray) -> np.ndarray:
        """[N] float32 of ``gains`` [N]: that of each chunk per byte, or of the best path that it opens.

        A chunk is worth what it opens too: that of the best path down from it, per byte of that path.
        """
        gain, cost = gains.astype(np.float64), np.maximum(self.bytes, 1).astype(np.float64)
        for level in np.unique(self.levels):
            here = np.flatnonzero((self.levels == level) & (self.parents >= 0))
            here = here[np.argsort(gain[here] / cost[here], kind="stable")]
            best = np.full(self.count, -1, np.int64)
            best[self.parents[here]] = here
            above = np.flatnonzero(best >= 0)
            below = best[above]
            with_path = (gain[above] + gain[below]) / (cost[above] + cost[below])
            better = with_path > gain[above] / cost[above]
            gain[above[better]] += gain[below[better]]
            cost[above[better]] += cost[below[better]]
        return np.asarray(gain / cost, np.float32)


def seen_share(centres: np.ndarray, variances: np.ndarray, outlook: Outlook) -> np.ndarray:
    """[n] float32 share of each box that will be in view, over its mean square distance."""
    return _seen(centres, variances, outlook)[0]


def _seen(centres: np.ndarray, variances: np.ndarray, outlook: Outlook) -> tuple[np.ndarray, np.ndarray]:
    """[n] float32 share in view over mean square distance, and the share of size in the latter."""
    one = np.ones(3, np.float32)
    away, size = centres - outlook.position, variances @ one
    square = np.maximum((away * away) @ one + size, np.float32(1e-12))
    share = outlook.share(centres, variances)
    return (np.float32(1 - ANYWHERE) * share + np.float32(ANYWHERE)) / square, size / square


def _check(levels: np.ndarray, parents: np.ndarray) -> None:
    child = np.flatnonzero(parents != -1)
    bad = (parents[child] < 0) | (parents[child] >= len(levels))
    bad |= levels[np.clip(parents[child], 0, len(levels) - 1)] <= levels[child]
    for index in child[bad][:1]:
        raise ValueError(f"chunk {index} names {parents[index]} as its parent, which is not coarser")
