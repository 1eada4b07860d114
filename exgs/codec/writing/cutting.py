"""Cuts the levels of a pyramid into chunks that replace ranges of one another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exgs.codec.errors import EncodeError
from exgs.codec.lattice import chunk_lattice
from exgs.codec.limits import MAX_CHUNK_SPLATS, MAX_CHUNKS, MAX_LEVELS, MAX_NUMBER, MAX_SPLATS
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.stages import stages
from exgs.codec.writing.symbol_writer import curve

USUAL_CHUNKS = 64
"""Chunks of a file, about, where they are neither too small nor too large for it."""
LEAST_SPLATS = 250
"""Fewer splats make no chunk of their own if that can be helped: its framing takes some 30 bytes."""


@dataclass(frozen=True, eq=False)
class Cut:
    """One chunk to be: which splats of its level it holds, in which order."""

    level: int
    """Level of detail, 0 finest."""
    tile: int
    """Number within the level, along the curve."""
    parent: int
    """Index of the parent in the list of cuts; -1 at the coarsest level."""
    first: int
    """First splat of the parent that it replaces."""
    replaced: int
    """How many splats of the parent it replaces."""
    index: np.ndarray
    """[N] int64 splats of the level, run by run, along the curve within each."""
    runs: tuple[int, ...]
    """Splats of each run, at most MAX_RUNS: one for each stage in which children come, then those without."""
    stages: tuple[int, ...]
    """The stage of each run."""
    base: np.ndarray
    """[3] int64 corner of the chunk's lattice within that of its level."""
    bits: np.ndarray
    """[3] int64 bits of its coordinates."""


def cut(pyramid: Pyramid, lattices: list[np.ndarray], most_splats: int) -> list[Cut]:
    """Chunks of at most about ``most_splats`` splats, coarsest level first, in the order of tiles.

    ``lattices`` holds the means of each level as [N,3] int64 lattice coordinates.

    Raises:
        EncodeError: there would be too many chunks, or too many splats in one.
    """
    knife = _Knife(pyramid, lattices, most_splats)
    top = len(pyramid.levels) - 1
    order = np.argsort(_keys(lattices[top])[0], kind="stable")
    cuts = [
        knife.make(top, tile, (-1, 0, 0), index)
        for tile, index in enumerate(np.array_split(order, knife.pieces(len(order))))
    ]
    start = 0
    for level in range(top - 1, -1, -1):
        stop, tile = len(cuts), 0
        for parent in range(start, stop):
            for run in knife.runs(cuts[parent], level):
                index = _members(knife.families[level], cuts[parent].index[run])
                cuts.append(knife.make(level, tile, (parent, run.start, run.stop - run.start), index))
                tile += 1
        start = stop
    if len(cuts) > MAX_CHUNKS:
        raise EncodeError(f"{len(cuts)} chunks, at most {MAX_CHUNKS}: simplify the scene first")
    return cuts


@dataclass(frozen=True, eq=False)
class _Families:
    """The children in one level of every splat of the next coarser one, in compressed rows."""

    children: np.ndarray
    starts: np.ndarray


def _families(pyramid: Pyramid, level: int) -> _Families:
    parents = pyramid.levels[level].parents
    assert parents is not None
    counts = np.bincount(parents, minlength=len(pyramid.levels[level + 1].gaussians))
    children = np.argsort(parents, kind="stable")
    return _Families(children, np.concatenate([[0], np.cumsum(counts)]))


def _members(family: _Families, parents: np.ndarray) -> np.ndarray:
    starts, counts = family.starts[parents], family.starts[parents + 1] - family.starts[parents]
    before = np.cumsum(counts) - counts
    return family.children[np.arange(counts.sum()) + np.repeat(starts - before, counts)]


class _Knife:
    """What is known of all levels while they are cut."""

    def __init__(self, pyramid: Pyramid, lattices: list[np.ndarray], most_splats: int) -> None:
        self.lattices = lattices
        self.families = [_families(pyramid, level) for level in range(len(pyramid.levels) - 1)]
        self.stages = stages(pyramid)
        splats = sum(len(level.gaussians) for level in pyramid.levels)
        self.chunk_splats = min(max(splats // USUAL_CHUNKS, LEAST_SPLATS), most_splats)

    def pieces(self, count: int) -> int:
        return max(1, round(count / self.chunk_splats))

    def make(self, level: int, tile: int, place: tuple[int, int, int], index: np.ndarray) -> Cut:
        if len(index) > MAX_CHUNK_SPLATS:
            raise EncodeError(
                f"one splat has {len(index)} children or more, a chunk at most {MAX_CHUNK_SPLATS}"
            )
        keys, base, bits = _keys(self.lattices[level][index])
        stage = self.stages[level][index]
        order = np.lexsort([keys, stage])
        present, runs = np.unique(stage, return_counts=True)
        return Cut(
            level, tile, *place, index[order], tuple(runs.tolist()), tuple(present.tolist()), base, bits
        )

    def runs(self, parent: Cut, level: int) -> list[slice]:
        """Ranges of the parent's splats whose children make a chunk each: within a run, of like sizes."""
        slices, end = [], 0
        starts = self.families[level].starts
        for count in parent.runs:
            index = parent.index[end : end + count]
            total = np.cumsum(starts[index + 1] - starts[index])
            if total[-1] > 0:
                pieces = self.pieces(int(total[-1]))
                goals = total[-1] * np.arange(1, pieces) / pieces
                edges = np.unique(np.concatenate([[0], np.searchsorted(total, goals) + 1, [count]])) + end
                slices += [slice(int(a), int(b)) for a, b in pairwise(edges)]
            end += count
        return slices


def _keys(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places along the curve through the lattice that just holds ``cells``, its corner and its bits."""
    base, bits = chunk_lattice(cells)
    return curve(cells - base, bits), base, bits


def check_pyramid(pyramid: Pyramid) -> None:
    """Raises ``EncodeError`` unless the levels make a tree of finite values."""
    levels = pyramid.levels
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise EncodeError(f"{len(levels)} levels: expected 1 to {MAX_LEVELS}")
    splats = sum(len(level.gaussians) for level in levels)
    if splats > MAX_SPLATS:
        raise EncodeError(f"{splats} splats, at most {MAX_SPLATS}: simplify the scene first")
    frames = {(level.gaussians.frame, level.gaussians.sh_degree) for level in levels}
    if len(frames) != 1:
        raise EncodeError("the levels differ in frame or SH degree")
    for number, level in enumerate(levels):
        _check_level(number, level, levels[number + 1] if number + 1 < len(levels) else None)


def _check_level(number: int, level: Level, coarser: Level | None) -> None:
    count = len(level.gaussians)
    if count == 0:
        raise EncodeError(f"level {number} has no Gaussians")
    if level.importance.shape != (count,) or not (level.importance >= 0).all():
        raise EncodeError(f"level {number}: expected {count} non-negative numbers of importance")
    if not (np.abs(level.gaussians.means) < MAX_NUMBER / 2).all():
        raise EncodeError(f"level {number}: a mean is not finite or beyond {MAX_NUMBER / 2:.1g}")
    for name in ("quats", "log_scales", "opacity_logits", "sh0", "shN"):
        if not np.isfinite(getattr(level.gaussians, name)).all():
            raise EncodeError(f"level {number}: {name} has values that are not finite")
    if coarser is None:
        return
    parents = level.parents
    if parents is None or parents.shape != (count,) or not np.issubdtype(parents.dtype, np.integer):
        raise EncodeError(f"level {number}: expected {count} parents")
    if parents.min() < 0 or parents.max() >= len(coarser.gaussians):
        raise EncodeError(
            f"level {number}: a parent is not among the {len(coarser.gaussians)} coarser Gaussians"
        )
