"""Pyramids to chunks of integers, and the parameters that these are to be read with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from exgs.codec.coding import Coding
from exgs.codec.model import CHROMA_G, CHROMA_O, CLASS, LUMA, MAX_AXIS_BITS, NEAR, NEXT_NEAR, SCALE
from exgs.codec.prediction import find_neighbours
from exgs.codec.writing.cutting import Cut, cut
from exgs.codec.writing.precision import Precision, choose_coding
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.quantise import quantise, with_classes
from exgs.codec.writing.sparing import spare
from exgs.codec.writing.spread import Spread
from exgs.codec.writing.symbol_writer import USED, split_cells

CHUNK_SPLATS = (1500, 1250, 1050, 900)
"""Most splats of a chunk, about, by SH degree: some 8 KB. Larger ones follow the head less closely."""
_SPLITS_PER_SPLAT = 2 * 3 * MAX_AXIS_BITS
"""Events of the splitting of cells at most: two for each bit of the lattice."""
_ROWS = 1 << 15
"""Splats that are quantised at a time."""
_PREDICTED = (SCALE, LUMA, CHROMA_O, CHROMA_G)
"""Rows of ``codes`` that are predicted from the neighbours, in the order of ``Coding.predictions``."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """A chunk on its way to bytes."""

    cut: Cut
    """Its splats."""
    cells: np.ndarray
    """[N,3] int64 lattice coordinates from the chunk's corner."""
    codes: np.ndarray
    """[rows, N] int32."""
    splits: np.ndarray
    """Events of the splits."""


def chunks_of(
    pyramid: Pyramid, precision: Precision, spread: Spread
) -> tuple[Coding, np.ndarray, list[Chunk]]:
    """The parameters of the file, the origin [3] float64 of its lattices, and its chunks as integers."""
    means = [level.gaussians.means for level in pyramid.levels]
    degree = pyramid.levels[0].gaussians.sh_degree
    origin = np.min([array.min(axis=0) for array in means], axis=0).astype(np.float64)
    coding = with_classes(choose_coding(pyramid, precision), pyramid, precision)
    lattices = [
        np.floor((array - origin) / step).astype(np.int64)
        for array, step in zip(means, coding.position_steps, strict=True)
    ]
    jobs: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (cut, (pyramid, lattices, CHUNK_SPLATS[degree]))
    ]
    for number, level in enumerate(pyramid.levels):
        parts = (level.gaussians.select(rows) for rows in _parts(level))
        jobs += [(quantise, (part, coding, precision, number)) for part in parts]
    cuts, *codes = spread(lambda work, args: work(*args), jobs)
    found = iter(codes)
    columns = [
        _whole(level, list(islice(found, len(_parts(level)))), coding, precision, spread)
        for level in pyramid.levels
    ]
    pieces = [(piece, lattices[piece.level], columns[piece.level], coding, degree) for piece in cuts]
    chunks = spread(_arrange, pieces)
    return replace(coding, predictions=_predictions(chunks)), origin, chunks


def _parts(level: Level) -> list[slice]:
    """Ranges of a level's splats that are quantised at a time."""
    return [slice(first, first + _ROWS) for first in range(0, len(level.gaussians), _ROWS)]


def _whole(
    level: Level, parts: list[np.ndarray], coding: Coding, precision: Precision, spread: Spread
) -> np.ndarray:
    """[rows, N] int32 columns of ``level``, quantised in ``parts``, without the harmonics that do not pay."""
    spare(level.gaussians.shN, parts, coding.sh_step, precision.thrift, level.weight, spread=spread)
    return np.concatenate(parts, axis=1)


def _arrange(piece: Cut, lattice: np.ndarray, columns: np.ndarray, coding: Coding, degree: int) -> Chunk:
    cells, codes = lattice[piece.index] - piece.base, np.ascontiguousarray(columns[:, piece.index])
    events = np.empty(_SPLITS_PER_SPLAT * len(cells), np.int64)
    book = coding.book(piece.level, degree)
    ends = np.cumsum(piece.runs)
    for first, end in zip(ends - piece.runs, ends, strict=True):
        split_cells(cells[first:end], piece.bits, codes[:, first:end], events, book)
    used = int(book[USED])
    find_neighbours(codes)
    return Chunk(piece, cells, codes, events[:used].copy())


def _predictions(chunks: list[Chunk]) -> tuple[tuple[int, int], ...]:
    """Mean and trust of the predicted rows: the regression of values on the average of their neighbours."""
    rows = (CLASS, NEAR, NEXT_NEAR, *_PREDICTED)
    levels, near, next_near, *predicted = np.concatenate(
        [chunk.codes[list(rows)] for chunk in chunks], axis=1
    )
    counts = [len(chunk.cells) for chunk in chunks]
    start = np.repeat(np.cumsum(counts) - counts, counts)
    first, second, both = near + start, next_near + start, next_near >= 0
    pairs = []
    for column, codes in zip(_PREDICTED, predicted, strict=True):
        unit = np.ldexp(1.0, levels * (column != SCALE))
        value, weight = codes * unit, np.where(both, 1.0 / (unit * unit), 0.0)
        guess = (value[first] + value[second]) / 2
        mean = round(float(np.median(value)))
        across = float((weight * (guess - mean) ** 2).sum())
        along = float((weight * (guess - mean) * (value - mean)).sum())
        trust = min(max(round(8 * along / across), 0), 8) if across > 0 else 0
        pairs.append((mean, trust))
    return tuple(pairs)
