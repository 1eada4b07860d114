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

import numpy as np

from exgs.codec import ChunkInfo
from exgs.server.errors import ServerError

FRUSTUM_MARGIN_RAD = math.radians(10.0)
"""The frustum is widened by this on every side: a head turns about as much in 100 ms (95th percentile)."""
MAX_HALF_FOV_RAD = math.radians(85.0)
"""Half the widened field of view stays below this, so that its side planes remain planes."""

RANKED_AT_ONCE = 64
"""So many chunks are put in order for one view; the next ones when these are sent."""


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


class ChunkTable:
    """A manifest as arrays; made once per scene and shared by all who watch it."""

    def __init__(self, chunks: Sequence[ChunkInfo]) -> None:
        """Ids are indices into ``chunks``.

        Raises:
            ServerError: a chunk's parent does not exist or is not of a coarser level.
        """
        _check(chunks)
        self.count = len(chunks)
        """How many chunks there are."""
        levels = np.array([chunk.level for chunk in chunks], np.int64)
        self.by_level = tuple(np.flatnonzero(levels == level) for level in np.unique(levels))
        """Ids of each level, finest first."""
        low = np.array([chunk.bounds_min for chunk in chunks], np.float64).reshape(-1, 3)
        high = np.array([chunk.bounds_max for chunk in chunks], np.float64).reshape(-1, 3)
        self.centres, self.halves = (low + high) / 2, (high - low) / 2
        """[N,3] centre and half size of each box."""
        self.importance = np.array([chunk.importance for chunk in chunks], np.float64)
        """[N] picture error that each chunk removes."""
        self.growth = np.array([chunk.count - chunk.replaced for chunk in chunks], np.int64)
        """[N] Gaussians that each chunk adds to those shown."""


class Schedule:
    """The chunks that one viewer still needs."""

    def __init__(self, table: ChunkTable, *, held: Iterable[int] = ()) -> None:
        """``held`` are the ids that the viewer already has; ids that do not exist are ignored."""
        self._table = table
        self._levels = list(table.by_level)
        self._open = np.ones(table.count, bool)
        self._open[[index for index in held if 0 <= index < table.count]] = False
        self._remaining = int(self._open.sum())
        self._splats = int(table.growth[~self._open].sum())
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

    def next_chunk(self, *, max_splats: int | None = None) -> int | None:
        """The id of the chunk to send now, which counts as sent from here on.

        None when all are sent, or when the chunk would make the viewer show more than ``max_splats``.
        """
        if not self._remaining:
            return None
        if not self._ranked:
            self._ranked = self._rank()
        chunk_id = self._ranked[-1]
        if max_splats is not None and self._splats + self._table.growth[chunk_id] > max_splats:
            return None
        self._ranked.pop()
        self._close(chunk_id)
        return chunk_id

    def _close(self, chunk_id: int) -> None:
        self._open[chunk_id] = False
        self._remaining -= 1
        self._splats += int(self._table.growth[chunk_id])

    def _rank(self) -> list[int]:
        """The most wanted open chunks of the coarsest level that has any, the first to send last."""
        ids = self._level_ids()
        if self._view is None:
            return ids[::-1].tolist()
        centres, halves = self._table.centres.take(ids, axis=0), self._table.halves.take(ids, axis=0)
        visible = touches_frustum(self._view, centres, halves)
        if visible.any():
            ids, centres, halves = ids[visible], centres[visible], halves[visible]
        worth = self._table.importance[ids] * _nearness(self._view.position, centres, halves)
        if len(ids) > RANKED_AT_ONCE:
            best = worth >= np.partition(worth, -RANKED_AT_ONCE)[-RANKED_AT_ONCE]
            ids, worth = ids[best], worth[best]
        return ids[np.lexsort((-ids, worth))].tolist()

    def _level_ids(self) -> np.ndarray:
        """Ids of the open chunks of the coarsest level that has any; there is one."""
        while True:
            ids = self._levels[-1][self._open[self._levels[-1]]]
            if len(ids):
                return ids
            self._levels.pop()


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


def _check(chunks: Sequence[ChunkInfo]) -> None:
    for index, chunk in enumerate(chunks):
        if chunk.parent == -1:
            continue
        if not 0 <= chunk.parent < len(chunks) or chunks[chunk.parent].level <= chunk.level:
            raise ServerError(
                f"manifest: chunk {index} names {chunk.parent} as its parent, which is not coarser"
            )
