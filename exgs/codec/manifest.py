"""The manifest: what every chunk of a file holds, where it lies and which splats it replaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exgs.codec.errors import LimitExceeded
from exgs.codec.fields import FieldReader, FieldWriter
from exgs.codec.limits import MAX_CHUNK_BYTES, MAX_CHUNK_SPLATS, MAX_CHUNKS

_BOX_CELLS = 65535


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
    offset: int
    """First byte in the file."""
    size_bytes: int
    """Bytes in the file."""
    bounds_min: np.ndarray
    """[3] float32 lower corner of a box that holds all means."""
    bounds_max: np.ndarray
    """[3] float32 upper corner."""
    importance: float
    """Non-negative picture error that the whole chunk removes."""


def parse_manifest(
    reader: FieldReader, levels: int, bounds: np.ndarray, first_offset: int
) -> tuple[ChunkInfo, ...]:
    """The entries in file order; ``bounds`` [2,3] float32 is the box of the scene.

    Spec: docs/bitstream.md, Manifest
    """
    chunks: list[ChunkInfo] = []
    offset = first_offset
    for level in range(levels - 1, -1, -1):
        start, at = len(chunks), reader.offset
        count = reader.varint()
        if count > MAX_CHUNKS - start:
            raise LimitExceeded(f"more than {MAX_CHUNKS} chunks", section=reader.section, offset=at)
        if count == 0:
            raise reader.corrupt("M6", f"level {level} is empty", at=at)
        for _ in range(count):
            chunks.append(_parse_entry(reader, chunks, level, bounds, offset, coarsest=level == levels - 1))
            offset += chunks[-1].size_bytes
        if sorted(chunk.tile for chunk in chunks[start:]) != list(range(count)):
            raise reader.corrupt("M9", f"tiles of level {level} are not 0 to {count - 1}")
    _check_ranges(reader, chunks)
    return tuple(chunks)


def serialize_manifest(
    writer: FieldWriter, chunks: Sequence[ChunkInfo], levels: int, box: np.ndarray
) -> None:
    """Writes the entries; ``chunks`` are in file order, ``box`` [2,3] float32 is that of the scene."""
    for level in range(levels - 1, -1, -1):
        here = [chunk for chunk in chunks if chunk.level == level]
        writer.varint(len(here))
        for chunk in here:
            writer.varint(chunk.tile)
            if level < levels - 1:
                writer.varint(chunk.parent)
                writer.varint(chunk.first)
                writer.varint(chunk.replaced)
            writer.varint(chunk.count)
            writer.varint(chunk.size_bytes)
            writer.put(_pack_importance(chunk.importance))
            writer.put(_pack_box(chunk.bounds_min, chunk.bounds_max, box))


def _parse_entry(
    reader: FieldReader,
    before: list[ChunkInfo],
    level: int,
    bounds: np.ndarray,
    offset: int,
    *,
    coarsest: bool,
) -> ChunkInfo:
    tile = reader.varint()
    parent, first, replaced = (-1, 0, 0) if coarsest else _parse_parent(reader, before, level)
    at = reader.offset
    count, size_bytes = reader.varint(), reader.varint()
    if count > MAX_CHUNK_SPLATS or size_bytes > MAX_CHUNK_BYTES:
        raise LimitExceeded(
            f"{count} splats in {size_bytes} bytes, at most {MAX_CHUNK_SPLATS} in {MAX_CHUNK_BYTES}",
            section=reader.section,
            offset=at,
        )
    if count == 0:
        raise reader.corrupt("M6", "a chunk without splats", at=at)
    importance = _unpack_importance(reader)
    box = _unpack_box(reader, bounds)
    return ChunkInfo(
        len(before),
        level,
        tile,
        parent,
        first,
        replaced,
        count,
        offset,
        size_bytes,
        box[0],
        box[1],
        importance,
    )


def _parse_parent(reader: FieldReader, before: list[ChunkInfo], level: int) -> tuple[int, int, int]:
    at = reader.offset
    parent, first, replaced = reader.varint(), reader.varint(), reader.varint()
    if parent >= len(before) or before[parent].level != level + 1:
        raise reader.corrupt("M7", f"parent {parent} is no chunk of level {level + 1}", at=at)
    if replaced == 0 or first + replaced > before[parent].count:
        message = f"range {first} + {replaced} in a parent of {before[parent].count} splats"
        raise reader.corrupt("M8", message, at=at)
    return parent, first, replaced


def _check_ranges(reader: FieldReader, chunks: Sequence[ChunkInfo]) -> None:
    ordered = sorted((c.parent, c.first, c.replaced, c.id) for c in chunks if c.parent >= 0)
    for (parent, first, replaced, _), (other, later, _, chunk) in pairwise(ordered):
        if parent == other and first + replaced > later:
            raise reader.corrupt("M8", f"chunk {chunk} replaces splats that another one replaces")


def _pack_importance(importance: float) -> bytes:
    bits = int(np.float32(importance).view(np.uint32))
    return min((bits + 0x8000) >> 16, 0x7F7F).to_bytes(2, "little")


def _unpack_importance(reader: FieldReader) -> float:
    at = reader.offset
    bits = reader.u16()
    if bits >= 0x7F80:
        raise reader.corrupt("M4", "importance is negative or not finite", at=at)
    return float(np.uint32(bits << 16).view(np.float32))


def _pack_box(low: np.ndarray, high: np.ndarray, bounds: np.ndarray) -> bytes:
    """Six 16-bit cells of the scene's box, rounded outwards."""
    origin = bounds[0].astype(np.float64)
    extent = np.maximum(bounds[1] - origin, np.finfo(np.float64).tiny)
    cells = np.stack([(low - origin) / extent, (high - origin) / extent]) * _BOX_CELLS
    cells = np.clip([np.floor(cells[0] - 1e-3), np.ceil(cells[1] + 1e-3)], 0, _BOX_CELLS)
    return cells.astype("<u2").tobytes()


def _unpack_box(reader: FieldReader, bounds: np.ndarray) -> np.ndarray:
    at = reader.offset
    cells = np.frombuffer(reader.take(12), "<u2").reshape(2, 3).astype(np.float64)
    if (cells[0] > cells[1]).any():
        raise reader.corrupt("M4", "the box of a chunk is inside out", at=at)
    origin = bounds[0].astype(np.float64)
    corners = origin + cells / _BOX_CELLS * (bounds[1] - origin)
    return corners.astype(np.float32)
