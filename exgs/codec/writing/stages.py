"""In which order a pyramid is refined: by the picture error that goes per Gaussian sent, across all levels.

What is refined at about the same time goes into the same chunks: the Gaussians of a parent chunk stand in
runs, one for each stage in which children of theirs come, and the children of a run make chunks of their own.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

import numpy as np

from exgs.codec.writing.pyramid import Pyramid

MOST_STAGES = 3
"""A chunk has a run for each, and one more for what has no children; each costs the positions half a bit."""
STAGE_SPLATS = 1000
"""Splats of a pyramid for each chunk that as many stages make where every chunk has children in each."""


def stage_count(splats: int) -> int:
    """Stages for a pyramid of so many splats: each doubles the chunks, which should not get too small."""
    return min(max(int(math.log2(max(splats / STAGE_SPLATS, 1.0))), 1), MOST_STAGES)


def stages(pyramid: Pyramid) -> list[np.ndarray]:
    """For each level [N] int64 the stage in which the children of each splat come.

    It is one more than the last where there are none. Each stage multiplies what was sent by the same factor.
    """
    sizes = [len(level.gaussians) for level in pyramid.levels]
    count = stage_count(sum(sizes))
    families = [np.zeros(size, np.int64) for size in sizes]
    worths = [np.zeros(size) for size in sizes]
    for number, level in enumerate(pyramid.levels[:-1]):
        assert level.parents is not None
        families[number + 1] = np.bincount(level.parents, minlength=sizes[number + 1])
        total = np.bincount(level.parents, level.importance, sizes[number + 1])
        worths[number + 1] = total / np.maximum(families[number + 1], 1)
    family, worth = np.concatenate(families), np.concatenate(worths)
    order = np.argsort(np.where(family > 0, -worth, np.inf), kind="stable")
    sent = sizes[-1] + np.cumsum(family[order])
    grown = np.log(sent / sizes[-1]) / max(math.log(sum(sizes) / sizes[-1]), 1e-9)
    stage = np.empty(len(family), np.int64)
    stage[order] = np.minimum((grown * count - 1e-9).astype(np.int64), count - 1)
    stage[family == 0] = count
    return np.split(stage, np.cumsum(sizes)[:-1])


def file_order(parents: Sequence[int], worth: Sequence[float]) -> list[int]:
    """Indices of chunks in file order: all without a parent, then always the most ``worth`` that may come.

    ``parents`` are indices, -1 for none; no chunk comes before its parent.
    """
    children: dict[int, list[int]] = {}
    for index, parent in enumerate(parents):
        children.setdefault(parent, []).append(index)
    order = sorted(children.get(-1, []), key=lambda index: (-worth[index], index))
    ready = [(-worth[child], child) for index in order for child in children.get(index, [])]
    heapq.heapify(ready)
    while ready:
        _, index = heapq.heappop(ready)
        order.append(index)
        for child in children.get(index, []):
            heapq.heappush(ready, (-worth[child], child))
    return order
