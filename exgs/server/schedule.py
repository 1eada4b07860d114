"""Which chunk a viewer needs next, decided as late as possible.

Order: coarser levels first (so a parent always goes before its children); within a level the chunks that the
widened view frustum touches, then the others; among each, by what the encoder says the chunk improves, times
the share of the view that its box can take from where the head is now; at last by id. The same calls give the
same order.

A rank is made for one level at a time, and only when a chunk is asked for after the head moved: asking costs
a pop from a list, a new view a few array operations over the level's remaining chunks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exgs.server.errors import ServerError

FRUSTUM_MARGIN_RAD = math.radians(10.0)
"""The frustum is widened by this on every side: a head turns about as much in 100 ms (95th percentile)."""
MAX_HALF_FOV_RAD = math.radians(85.0)
"""Half the widened field of view stays below this, so that its side planes remain planes."""

RANKED_AT_ONCE = 64
"""So many chunks are put in order for one view; the next ones when these are sent."""


class Chunk(Protocol):
    """What the scheduler reads of a row of the manifest (``exgs.codec.ChunkInfo``)."""

    @property
    def level(self) -> int:
        """Level of detail, 0 finest."""

    @property
    def parent(self) -> int:
        """Id of the chunk whose splats this one replaces, -1 at the coarsest level."""

    @property
    def count(self) -> int:
        """Splats in the chunk."""

    @property
    def replaced(self) -> int:
        """Splats of the parent that it takes the place of."""

    @property
    def bounds_min(self) -> Sequence[float] | np.ndarray:
        """[3] least corner of the box of the means, scene coordinates."""

    @property
    def bounds_max(self) -> Sequence[float] | np.ndarray:
        """[3] greatest corner."""

    @property
    def importance(self) -> float:
        """Picture error that the chunk removes, non-negative."""


@dataclass(frozen=True, eq=False)
class View:
    """Where the viewer's head is and what it sees."""

    position: np.ndarray
    """[3] float64 in scene coordinates."""
    camera_from_world: np.ndarray
    """[3,3] float64 rotation to camera axes: x right, y down, z forward."""
    fov_x_rad: float
    """Full horizontal field of view, over both eyes."""
    fov_y_rad: float
    """Full vertical field of view."""


class Schedule:
    """The chunks that one viewer still needs. Ids are indices into the manifest."""

    def __init__(self, chunks: Sequence[Chunk], *, held: Iterable[int] = ()) -> None:
        """``held`` are the ids that the viewer already has; ids that do not exist are ignored.

        Raises:
            ServerError: a chunk's parent does not exist or is not of a coarser level.
        """
        _check(chunks)
        count = len(chunks)
        levels = np.array([chunk.level for chunk in chunks], np.int64)
        self._by_level = [np.flatnonzero(levels == level) for level in np.unique(levels)]
        low = np.array([chunk.bounds_min for chunk in chunks], np.float64).reshape(count, 3)
        high = np.array([chunk.bounds_max for chunk in chunks], np.float64).reshape(count, 3)
        self._centres, self._halves = (low + high) / 2, (high - low) / 2
        self._importance = np.array([chunk.importance for chunk in chunks], np.float64)
        self._growth = [chunk.count - chunk.replaced for chunk in chunks]
        self._open = np.ones(count, bool)
        self._open[[index for index in held if 0 <= index < count]] = False
        self._remaining = int(self._open.sum())
        self._splats = sum(self._growth[index] for index in np.flatnonzero(~self._open))
        self._view: View | None = None
        self._ranked: list[int] | None = None

    @property
    def splats(self) -> int:
        """Gaussians that the viewer shows once it has everything given out or held."""
        return self._splats

    @property
    def remaining(self) -> int:
        """How many chunks are still to be sent."""
        return self._remaining

    def see(self, view: View) -> None:
        """Takes the newest head pose; the next chunk is chosen for it."""
        self._view = view
        self._ranked = None

    def hold(self, chunk_id: int) -> None:
        """Notes that the viewer has a chunk that was never given out here."""
        if 0 <= chunk_id < len(self._open) and self._open[chunk_id]:
            self._close(chunk_id)
            self._ranked = None

    def next_chunk(self, *, max_splats: int | None = None) -> int | None:
        """The id of the chunk to send now, which counts as sent from here on.

        None when all are sent, or when the chunk would make the viewer show more than ``max_splats``.
        """
        if not self._remaining:
            return None
        if not self._ranked:
            self._ranked = self._rank()
        chunk_id = self._ranked[-1]
        if max_splats is not None and self._splats + self._growth[chunk_id] > max_splats:
            return None
        self._ranked.pop()
        self._close(chunk_id)
        return chunk_id

    def _close(self, chunk_id: int) -> None:
        self._open[chunk_id] = False
        self._remaining -= 1
        self._splats += self._growth[chunk_id]

    def _rank(self) -> list[int]:
        """The most wanted open chunks of the coarsest level that has any, the first to send last."""
        ids = self._level_ids()
        if self._view is None:
            return ids[::-1].tolist()
        centres, halves = self._centres.take(ids, axis=0), self._halves.take(ids, axis=0)
        visible = touches_frustum(self._view, centres, halves)
        if visible.any():
            ids, centres, halves = ids[visible], centres[visible], halves[visible]
        worth = self._importance[ids] * _nearness(self._view.position, centres, halves)
        if len(ids) > RANKED_AT_ONCE:
            best = worth >= np.partition(worth, -RANKED_AT_ONCE)[-RANKED_AT_ONCE]
            ids, worth = ids[best], worth[best]
        return ids[np.lexsort((-ids, worth))].tolist()

    def _level_ids(self) -> np.ndarray:
        """Ids of the open chunks of the coarsest level that has any; there is one."""
        ids = self._by_level[-1][self._open[self._by_level[-1]]]
        while not len(ids):
            self._by_level.pop()
            ids = self._by_level[-1][self._open[self._by_level[-1]]]
        return ids


def touches_frustum(view: View, centres: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """[N] bool: which boxes (``centres``, ``halves`` [N,3]) the widened frustum may touch; misses none."""
    planes = _side_planes(view) @ view.camera_from_world
    distance = planes @ (centres - view.position).T
    distance += np.abs(planes) @ halves.T
    return np.asarray((distance >= 0).all(axis=0))


def _side_planes(view: View) -> np.ndarray:
    """[5,3] inward normals in camera axes of planes through the head: left, right, top, bottom, front."""
    half_x = min(view.fov_x_rad / 2 + FRUSTUM_MARGIN_RAD, MAX_HALF_FOV_RAD)
    half_y = min(view.fov_y_rad / 2 + FRUSTUM_MARGIN_RAD, MAX_HALF_FOV_RAD)
    cos_x, sin_x, cos_y, sin_y = math.cos(half_x), math.sin(half_x), math.cos(half_y), math.sin(half_y)
    return np.array(
        [[cos_x, 0, sin_x], [-cos_x, 0, sin_x], [0, cos_y, sin_y], [0, -cos_y, sin_y], [0, 0, 1]], np.float64
    )


def _nearness(position: np.ndarray, centres: np.ndarray, halves: np.ndarray) -> np.ndarray:
    """[N] in (0, 1]: about the share of the view that a box can fill; 1 where the head is inside it."""
    gap = np.maximum(np.abs(centres - position) - halves, 0.0)
    radius_squared = np.maximum((halves * halves) @ np.ones(3), 1e-12)
    return np.asarray(radius_squared / (radius_squared + (gap * gap) @ np.ones(3)))


def _check(chunks: Sequence[Chunk]) -> None:
    for index, chunk in enumerate(chunks):
        if chunk.parent == -1:
            continue
        if not 0 <= chunk.parent < len(chunks) or chunks[chunk.parent].level <= chunk.level:
            raise ServerError(
                f"manifest: chunk {index} names {chunk.parent} as its parent, which is not coarser"
            )
