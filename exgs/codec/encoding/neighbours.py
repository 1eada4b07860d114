"""The nearest neighbours of points in space.

Theory of operation. Points come in an order in which near ones are mostly near in memory too: along a Morton
curve (``along_curve``), and what is left of it after merging. Every ``BLOCK`` of them in a row have a box,
every ``BLOCK`` boxes a box, and so on to the top. A block asks for all of its points at once: what it finds
in itself and in the blocks beside it bounds how far the rest can be, and one walk down the boxes names the
blocks within that bound. The result is exact for any order; the order only makes it fast.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exgs.codec.kernel import kernel, wide
from exgs.raster.crew import Crew

BLOCK = 8
"""Points of a block, and boxes of a larger box."""
_AXIS_CELLS = 1 << 20
"""Cells of the curve along an axis: three such numbers fit 64 bits."""
_STACK = 256
"""Boxes that wait to be looked into: at most seven on each level, and 21 levels hold 2^63 points."""
_NODE_BITS = 40
"""Of an entry of the stack that number the box; the level stands above them."""
_F: Any = np.float32


def along_curve(means: np.ndarray) -> np.ndarray:
    """[N] int32 order of ``means`` [N,3] along a Morton curve; what lies far out counts to the rim."""
    step = max(1, len(means) // 1_000_000)
    low, high = np.percentile(means[::step], (0.1, 99.9), axis=0)
    width = max(float((high - low).max()), 1e-30)
    codes = np.empty(len(means), np.int64)
    _fill_codes(means, low, (_AXIS_CELLS - 1) / width, codes)
    return np.argsort(codes, kind="stable").astype(np.int32)


@kernel
def _fill_codes(means: np.ndarray, low: np.ndarray, scale: float, out: np.ndarray) -> None:
    for i in range(len(means)):
        code = 0
        for axis in range(3):
            cell = wide(min(max((means[i, axis] - low[axis]) * scale, 0.0), _AXIS_CELLS - 1.0))
            # Every bit moves to three times its place.
            cell = (cell | (cell << 32)) & 0x1F00000000FFFF
            cell = (cell | (cell << 16)) & 0x1F0000FF0000FF
            cell = (cell | (cell << 8)) & 0x100F00F00F00F00F
            cell = (cell | (cell << 4)) & 0x10C30C30C30C30C3
            cell = (cell | (cell << 2)) & 0x1249249249249249
            code |= cell << axis
        out[i] = code


def nearest(means: np.ndarray, count: int, crew: Crew) -> np.ndarray:
    """[N,K] int32 indices of the ``count`` nearest others, nearest first; -1 where there are fewer."""
    total = len(means)
    sizes = [-(-total // BLOCK)]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // BLOCK))
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    boxes = np.empty((int(first[-1]), 6), np.float32)
    _fill_boxes(means, first, boxes)
    index = np.empty((total, count), np.int32)
    crew.share(_search, [(a, b, means, first, boxes, index) for a, b in crew.parts(sizes[0])])
    return index


@kernel
def _fill_boxes(means: np.ndarray, first: np.ndarray, boxes: np.ndarray) -> None:
    """Boxes of level after level; level l is boxes[first[l]:first[l + 1]]."""
    for b in range(first[1]):
        for axis in range(3):
            low, high = np.float32(np.inf), np.float32(-np.inf)
            for i in range(b * BLOCK, min((b + 1) * BLOCK, len(means))):
                low, high = min(low, means[i, axis]), max(high, means[i, axis])
            boxes[b, axis], boxes[b, axis + 3] = low, high
    for level in range(1, len(first) - 1):
        below = first[level - 1]
        for b in range(first[level + 1] - first[level]):
            for axis in range(3):
                low, high = np.float32(np.inf), np.float32(-np.inf)
                for c in range(below + b * BLOCK, min(below + (b + 1) * BLOCK, first[level])):
                    low, high = min(low, boxes[c, axis]), max(high, boxes[c, axis + 3])
                boxes[first[level] + b, axis], boxes[first[level] + b, axis + 3] = low, high


@kernel
def _gap(p: np.ndarray, q: np.ndarray) -> float:
    """Squared distance between two boxes."""
    total = _F(0.0)
    for axis in range(3):
        d = max(p[axis] - q[axis + 3], q[axis] - p[axis + 3])
        if d > _F(0.0):
            total += d * d
    return total


@kernel
def _scan(block: int, other: int, means: np.ndarray, index: np.ndarray, distance: np.ndarray) -> None:
    """Offers the points of block ``other`` to those of ``block``."""
    count = index.shape[1]
    for i in range(block * BLOCK, min((block + 1) * BLOCK, len(means))):
        x, y, z = means[i, 0], means[i, 1], means[i, 2]
        known = distance[i - block * BLOCK]
        worst = known[count - 1]
        for j in range(other * BLOCK, min((other + 1) * BLOCK, len(means))):
            dx, dy, dz = means[j, 0] - x, means[j, 1] - y, means[j, 2] - z
            d = dx * dx + dy * dy + dz * dz
            if d < worst and i != j:
                k = count - 1
                while k > 0 and known[k - 1] > d:
                    known[k], index[i, k] = known[k - 1], index[i, k - 1]
                    k -= 1
                known[k], index[i, k] = d, j
                worst = known[count - 1]


@kernel
def _reach(rows: int, distance: np.ndarray) -> float:
    """Squared distance within which the first ``rows`` points of a block have all that they look for."""
    farthest = _F(0.0)
    for i in range(rows):
        farthest = max(farthest, distance[i, distance.shape[1] - 1])
    return farthest


@kernel
def _search(
    begin: int, end: int, means: np.ndarray, first: np.ndarray, boxes: np.ndarray, index: np.ndarray
) -> None:
    """Finds the neighbours of the points of blocks [begin, end)."""
    stack = np.empty(_STACK, np.int64)
    distance = np.empty((BLOCK, index.shape[1]), np.float32)
    levels = len(first) - 1
    for block in range(begin, end):
        rows = min((block + 1) * BLOCK, len(means)) - block * BLOCK
        index[block * BLOCK : block * BLOCK + rows] = -1
        distance[:] = np.inf
        for other in range(max(block - 1, 0), min(block + 2, first[1])):
            _scan(block, other, means, index, distance)
        reach = _reach(rows, distance)
        stack[0] = (levels - 1) << _NODE_BITS
        depth = 1
        while depth > 0:
            depth -= 1
            level, node = stack[depth] >> _NODE_BITS, stack[depth] & ((1 << _NODE_BITS) - 1)
            if _gap(boxes[block], boxes[first[level] + node]) >= reach:
                continue
            if level == 0:
                if abs(node - block) > 1:
                    _scan(block, node, means, index, distance)
                    reach = _reach(rows, distance)
                continue
            for child in range(node * BLOCK, min((node + 1) * BLOCK, first[level] - first[level - 1])):
                stack[depth] = ((level - 1) << _NODE_BITS) | child
                depth += 1


@kernel
def inherit(
    begin: int, end: int, merged: tuple[np.ndarray, ...], old: np.ndarray, means: np.ndarray, new: np.ndarray
) -> None:
    """Neighbours ``new`` [N,K] of [begin, end) after a merge: the nearest of the ``old`` ones of its halves.

    ``merged`` says where the points before it went, and [N,2] what each was made of, -1 for nothing.
    """
    place, halves = merged
    count = new.shape[1]
    known = np.empty(count, np.float32)
    for i in range(begin, end):
        found = 0
        for half in halves[i]:
            if half < 0:
                continue
            for j in old[half]:
                if j < 0:
                    continue
                j = place[j]
                seen = j == i
                for k in range(found):
                    seen |= new[i, k] == j
                if seen:
                    continue
                dx, dy, dz = means[j, 0] - means[i, 0], means[j, 1] - means[i, 1], means[j, 2] - means[i, 2]
                d = dx * dx + dy * dy + dz * dz
                if found == count:
                    if d >= known[count - 1]:
                        continue
                    found -= 1
                k = found
                while k > 0 and known[k - 1] > d:
                    known[k], new[i, k] = known[k - 1], new[i, k - 1]
                    k -= 1
                known[k], new[i, k] = d, j
                found += 1
        new[i, found:] = -1
