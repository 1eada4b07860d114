"""Cuts the levels of a pyramid into chunks that replace ranges of one another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exgs.codec.errors import EncodeError
from exgs.codec.limits import MAX_CHUNK_SPLATS, MAX_CHUNKS, MAX_LEVELS, MAX_NUMBER, MAX_SPLATS
from exgs.codec.manifest import chunk_lattice
from exgs.codec.pyramid import Level, Pyramid
from exgs.codec.symbol_writer import curve


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
    """[N] int64 splats of the level, run by run, along the curve within each; those with children first."""
    runs: tuple[int, ...]
    """Splats of each run, at most MAX_RUNS; here two: the splats with children, and the others."""
    with_children: int
    """How many splats, counted from the first, have children."""
    base: np.ndarray
    """[3] int64 corner of the chunk's lattice within that of its level."""
    bits: np.ndarray
    """[3] int64 bits of its coordinates."""


def cut(pyramid: Pyramid, lattices: list[np.ndarray], chunk_splats: int) -> list[Cut]:
    """Chunks of about ``chunk_splats`` splats, coarsest level first, in the order of tiles.

    ``lattices`` holds the means of each level as [N,3] int64 lattice coordinates.

    Raises:
        EncodeError: there would be too many chunks, or too many splats in one.
    """
    top = len(pyramid.levels) - 1
    families = [_families(pyramid, level) for level in range(top)]
    order = np.argsort(_keys(lattices[top])[0], kind="stable")
    cuts = [
        _make(top, tile, (-1, 0, 0), index, families, lattices)
        for tile, index in enumerate(np.array_split(order, _pieces(len(order), chunk_splats)))
    ]
    start = 0
    for level in range(top - 1, -1, -1):
        stop, tile = len(cuts), 0
        for parent in range(start, stop):
            for run in _runs(cuts[parent], families[level], chunk_splats):
                index = _members(families[level], cuts[parent].index[run])
                place = (parent, run.start, run.stop - run.start)
                cuts.append(_make(level, tile, place, index, families, lattices))
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


def _runs(parent: Cut, family: _Families, chunk_splats: int) -> list[slice]:
    """Ranges of the parent's splats whose children make a chunk each, of nearly equal sizes."""
    count = parent.with_children
    if count == 0:
        return []
    index = parent.index[:count]
    total = np.cumsum(family.starts[index + 1] - family.starts[index])
    pieces = _pieces(int(total[-1]), chunk_splats)
    goals = total[-1] * np.arange(1, pieces) / pieces
    edges = np.unique(np.concatenate([[0], np.searchsorted(total, goals) + 1, [count]]))
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def _make(
    level: int,
    tile: int,
    place: tuple[int, int, int],
    index: np.ndarray,
    families: list[_Families],
    lattices: list[np.ndarray],
) -> Cut:
    if len(index) > MAX_CHUNK_SPLATS:
        raise EncodeError(f"one splat has {len(index)} children or more, a chunk at most {MAX_CHUNK_SPLATS}")
    childless = np.ones(len(index), bool)
    if level > 0:
        starts = families[level - 1].starts
        childless = starts[index] == starts[index + 1]
    keys, base, bits = _keys(lattices[level][index])
    order = np.lexsort([keys, childless])
    with_children = int(len(index) - childless.sum())
    runs = (with_children, len(index) - with_children) if 0 < with_children < len(index) else (len(index),)
    return Cut(level, tile, *place, index[order], runs, with_children, base, bits)


def _keys(cells: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places along the curve through the lattice that just holds ``cells``, its corner and its bits."""
    base, bits = chunk_lattice(cells)
    return curve(cells - base, bits), base, bits


def _pieces(count: int, chunk_splats: int) -> int:
    return max(1, round(count / chunk_splats))


def check_pyramid(pyramid: Pyramid) -> None:
    """Raises ``EncodeError`` unless the levels make a tree of finite means."""
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
    if coarser is None:
        return
    parents = level.parents
    if parents is None or parents.shape != (count,) or not np.issubdtype(parents.dtype, np.integer):
        raise EncodeError(f"level {number}: expected {count} parents")
    if parents.min() < 0 or parents.max() >= len(coarser.gaussians):
        raise EncodeError(
            f"level {number}: a parent is not among the {len(coarser.gaussians)} coarser Gaussians"
        )
