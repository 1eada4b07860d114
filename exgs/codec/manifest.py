"""The manifest: what every chunk of a file holds, where it lies and which splats it replaces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.entries import CHECKSUM_BYTES, ORDERS, Entry, best_orders, parse_entry, write_entry
from exgs.codec.entropy.bits import BitReader, BitWriter
from exgs.codec.errors import LimitExceeded
from exgs.codec.fields import FieldReader, FieldWriter
from exgs.codec.lattice import chunk_box, corner_shift, extent_of, part_of
from exgs.codec.limits import MAX_CHUNK_BYTES, MAX_CHUNK_SPLATS, MAX_CHUNKS
from exgs.codec.model import MAX_AXIS_BITS

_LEVEL_ORDER = 4
"""Order of the Golomb code of the number of chunks of a level."""
_ONE = 512
"""Code of an importance of 1."""
_LARGEST_IMPORTANCE = 1023
"""Largest code of an importance."""


@dataclass(frozen=True, eq=False)
class ChunkInfo:
    """One entry of the manifest."""

    id: int
    """Index in file order."""
    level: int
    """Level of detail, 0 finest."""
    tile: int
    """Number of the chunk within its level, along a space-filling curve."""
    parent: int
    """Id of the chunk of the next coarser level whose splats it refines; -1 at the coarsest level."""
    first: int
    """First splat of the parent that it replaces; 0 without a parent."""
    replaced: int
    """How many splats of the parent it replaces; 0 without a parent."""
    count: int
    """Splats in the chunk."""
    runs: tuple[int, ...]
    """Splats of each run, 1 to MAX_RUNS of them: they add up to ``count``."""
    offset: int
    """First byte in the file."""
    size_bytes: int
    """Bytes in the file."""
    base: tuple[int, int, int]
    """Corner of the chunk's lattice within that of its level, in lattice steps."""
    bits: tuple[int, int, int]
    """Bits of the lattice coordinates."""
    extent: tuple[int, int, int]
    """Size of the box in lattice steps, from ``base``."""
    bounds_min: np.ndarray
    """[3] float32 lower corner of a box that holds all means."""
    bounds_max: np.ndarray
    """[3] float32 upper corner."""
    importance: float
    """Non-negative picture error that the whole chunk removes, to the quarter of an octave."""


def parse_manifest(
    reader: FieldReader, origin: np.ndarray, position_steps: Sequence[float], first_offset: int
) -> tuple[ChunkInfo, ...]:
    """The entries in file order; ``origin`` [3] float32 is that of the lattices, one step per level.

    Spec: docs/bitstream.md, Manifest
    """
    bits = BitReader(reader)
    orders = {name: bits.bits(5) for name in ORDERS}
    counts = [bits.golomb(_LEVEL_ORDER) + 1 for _ in position_steps]
    if sum(counts) > MAX_CHUNKS:
        raise LimitExceeded(
            f"{sum(counts)} chunks, at most {MAX_CHUNKS}", section=reader.section, offset=reader.offset
        )
    chunks: list[ChunkInfo] = []
    coarser: list[ChunkInfo] = []
    for level, count in zip(range(len(counts) - 1, -1, -1), counts, strict=True):
        here: list[ChunkInfo] = []
        for _ in range(count):
            entry = parse_entry(bits, orders, (sum(counts) - 1).bit_length(), coarsest=not coarser)
            here.append(_chunk(reader, entry, level, here[-1] if here else None, coarser))
        chunks += here
        coarser = here
    bits.finish()
    return _placed(reader, chunks, origin, position_steps, first_offset)


def _chunk(
    reader: FieldReader, entry: Entry, level: int, before: ChunkInfo | None, coarser: list[ChunkInfo]
) -> ChunkInfo:
    """The chunk of an entry; its parent is given as a tile, and places in the file are still to come."""
    size_bytes = 2 * entry.words + CHECKSUM_BYTES
    if entry.count > MAX_CHUNK_SPLATS or size_bytes > MAX_CHUNK_BYTES:
        raise LimitExceeded(
            f"{entry.count} splats in {size_bytes} bytes, at most {MAX_CHUNK_SPLATS} in {MAX_CHUNK_BYTES}",
            section=reader.section,
            offset=reader.offset,
        )
    rest = entry.count - sum(entry.runs)
    if rest < 0:
        raise reader.corrupt("M6", f"runs of {sum(entry.runs)} splats among {entry.count}")
    parent, first = _range(reader, entry, before, coarser)
    importance = entry.importance + (_importance_code(before.importance) if before else 0)
    if not 0 <= importance <= _LARGEST_IMPORTANCE:
        raise reader.corrupt("M4", f"importance {importance}")
    base, bits = _lattice(reader, entry, before)
    extent = tuple(extent_of(part, axis) for part, axis in zip(entry.parts, bits, strict=True))
    corner = np.zeros(3, np.float32)
    return ChunkInfo(
        id=entry.place,
        level=level,
        tile=before.tile + 1 if before else 0,
        parent=parent,
        first=first,
        replaced=entry.replaced,
        count=entry.count,
        runs=(*entry.runs, rest),
        offset=0,
        size_bytes=size_bytes,
        base=base,
        bits=bits,
        extent=(extent[0], extent[1], extent[2]),
        bounds_min=corner,
        bounds_max=corner,
        importance=_importance(importance),
    )


def _range(
    reader: FieldReader, entry: Entry, before: ChunkInfo | None, coarser: list[ChunkInfo]
) -> tuple[int, int]:
    """The tile of the parent and the first splat that is replaced there."""
    if not coarser:
        return -1, 0
    parent = entry.parent_step + (before.parent if before else 0)
    if parent >= len(coarser):
        raise reader.corrupt("M7", f"parent {parent} among {len(coarser)} chunks")
    if entry.place <= coarser[parent].id:
        raise reader.corrupt("M7", "a chunk comes before its parent")
    first = entry.gap
    if before is not None and not entry.parent_step:
        first += before.first + before.replaced
    if first + entry.replaced > coarser[parent].count:
        message = f"range {first} + {entry.replaced} in a parent of {coarser[parent].count} splats"
        raise reader.corrupt("M8", message)
    return parent, first


def _lattice(
    reader: FieldReader, entry: Entry, before: ChunkInfo | None
) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Corner and bits of a chunk's lattice, which the file has as differences from the chunk before."""
    last_base, last_bits = (before.base, before.bits) if before else ((0, 0, 0), (0, 0, 0))
    bits = [a + b for a, b in zip(last_bits, entry.bits, strict=True)]
    if not all(0 <= axis <= MAX_AXIS_BITS for axis in bits):
        raise reader.corrupt("M4", f"lattice of {bits} bits")
    shifts = [corner_shift(axis) for axis in bits]
    base = [(a >> s) + b << s for a, b, s in zip(last_base, entry.base, shifts, strict=True)]
    if not all(0 <= axis < 1 << MAX_AXIS_BITS for axis in base):
        raise reader.corrupt("M4", f"lattice from {base}")
    return (base[0], base[1], base[2]), (bits[0], bits[1], bits[2])


def _placed(
    reader: FieldReader,
    chunks: list[ChunkInfo],
    origin: np.ndarray,
    position_steps: Sequence[float],
    offset: int,
) -> tuple[ChunkInfo, ...]:
    """The chunks in file order, with offsets, ids of parents and boxes."""
    if sorted(chunk.id for chunk in chunks) != list(range(len(chunks))):
        raise reader.corrupt("M9", "places in the file repeat or are missing")
    ids = {(chunk.level, chunk.tile): chunk.id for chunk in chunks}
    placed = []
    for chunk in sorted(chunks, key=lambda chunk: chunk.id):
        parent = ids.get((chunk.level + 1, chunk.parent), -1)
        low, high = chunk_box(chunk.base, chunk.extent, origin, position_steps[chunk.level])
        placed.append(replace(chunk, parent=parent, offset=offset, bounds_min=low, bounds_max=high))
        offset += chunk.size_bytes
    return tuple(placed)


def serialize_manifest(writer: FieldWriter, chunks: Sequence[ChunkInfo], levels: int) -> None:
    """Writes the entries; ``chunks`` are in file order."""
    by_level: list[list[ChunkInfo]] = [[] for _ in range(levels)]
    for chunk in sorted(chunks, key=lambda chunk: chunk.tile):
        by_level[levels - 1 - chunk.level].append(chunk)
    entries = [[_entry(chunk, last, chunks) for last, chunk in _pairs(here)] for here in by_level]
    orders = best_orders([entry for here in entries for entry in here])
    bits = BitWriter()
    for name in ORDERS:
        bits.bits(orders[name], 5)
    for here in entries:
        bits.golomb(len(here) - 1, _LEVEL_ORDER)
    for index, here in enumerate(entries):
        for entry in here:
            write_entry(bits, orders, (len(chunks) - 1).bit_length(), entry, coarsest=not index)
    bits.flush(writer)


def _pairs(here: list[ChunkInfo]) -> list[tuple[ChunkInfo | None, ChunkInfo]]:
    return list(zip([None, *here[:-1]], here, strict=True))


def _entry(chunk: ChunkInfo, last: ChunkInfo | None, chunks: Sequence[ChunkInfo]) -> Entry:
    parent_step = gap = 0
    if chunk.parent >= 0:
        parent_step = chunks[chunk.parent].tile - (chunks[last.parent].tile if last else 0)
        gap = chunk.first - (last.first + last.replaced if last and not parent_step else 0)
    shifts = [corner_shift(axis) for axis in chunk.bits]
    last_base, last_bits = (last.base, last.bits) if last else ((0, 0, 0), (0, 0, 0))
    return Entry(
        place=chunk.id,
        parent_step=parent_step,
        gap=gap,
        replaced=chunk.replaced,
        count=chunk.count,
        words=(chunk.size_bytes - CHECKSUM_BYTES) // 2,
        importance=_importance_code(chunk.importance) - (_importance_code(last.importance) if last else 0),
        runs=chunk.runs[:-1],
        bits=tuple(a - b for a, b in zip(chunk.bits, last_bits, strict=True)),
        parts=tuple(part_of(size, axis) for size, axis in zip(chunk.extent, chunk.bits, strict=True)),
        base=tuple((a >> s) - (b >> s) for a, b, s in zip(chunk.base, last_base, shifts, strict=True)),
    )


def _importance_code(importance: float) -> int:
    if importance <= 0:
        return 0
    return min(max(round(4 * math.log2(importance)) + _ONE, 1), _LARGEST_IMPORTANCE)


def _importance(code: int) -> float:
    return 2.0 ** ((code - _ONE) / 4) if code else 0.0
