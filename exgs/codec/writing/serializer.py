"""Pyramids to files."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from exgs.codec.coding import Coding
from exgs.codec.entries import CHECKSUM_BYTES
from exgs.codec.entropy.rans import encode
from exgs.codec.entropy.tables import Coder, Family, build
from exgs.codec.errors import EncodeError
from exgs.codec.header import VERSION, Header, finish_preamble, serialize_header
from exgs.codec.lattice import chunk_box, extent_of, part_of
from exgs.codec.limits import MAX_CHUNK_BYTES, most_splats
from exgs.codec.manifest import ChunkInfo
from exgs.codec.model import FAMILIES, X
from exgs.codec.writing.chunking import Chunk, chunks_of
from exgs.codec.writing.cutting import check_pyramid
from exgs.codec.writing.fitting import fit_family, fit_splits
from exgs.codec.writing.measure import count_events, section_bytes
from exgs.codec.writing.precision import Precision
from exgs.codec.writing.pyramid import Pyramid
from exgs.codec.writing.spread import Spread, in_turn
from exgs.codec.writing.stages import file_order
from exgs.codec.writing.symbol_writer import USED, write_events

_EVENTS_PER_SPLAT = (30, 52, 82, 124)
"""Events of all further passes at most, by SH degree."""


@dataclass(frozen=True, eq=False)
class Serialized:
    """A file and where its bytes went."""

    data: bytes
    """The whole file."""
    section_bytes: dict[str, int]
    """Bytes per section; they add up to the file."""
    places: tuple[tuple[int, np.ndarray], ...]
    """For each chunk its level and the index [N] of its splats there, in the order of the file."""


def serialize(pyramid: Pyramid, precision: Precision) -> bytes:
    """The file of ``pyramid``; the same pyramid and precision give the same bytes.

    Raises:
        EncodeError: the pyramid is not one, or holds values that cannot be coded.
    """
    return serialize_measured(pyramid, precision).data


def serialize_measured(pyramid: Pyramid, precision: Precision, spread: Spread = in_turn) -> Serialized:
    """As ``serialize``, with the bytes that each section takes; ``spread`` may share out jobs to threads."""
    check_pyramid(pyramid)
    coding, origin, chunks = chunks_of(pyramid, precision, spread)
    degree = pyramid.levels[0].gaussians.sh_degree
    events = spread(_events, [(chunk, coding, degree) for chunk in chunks])
    counts, raw_bits = count_events(events)
    families = _fit(counts)
    coder = build(families)
    bodies = spread(_body, [(part, coder) for part in events])
    header = _header(pyramid, coding, origin, [_box(chunk, coding, origin) for chunk in chunks])
    head = serialize_header(header, families)
    order, entries = _manifest(pyramid, chunks, header, [len(body) for body in bodies])
    preamble = finish_preamble(header, head, entries)
    data = preamble + b"".join(bodies[index] for index in order)
    splats = sum(len(level.gaussians) for level in pyramid.levels)
    if splats > most_splats(len(data) - len(preamble)):
        raise EncodeError(f"{splats} splats, nearly all of them alike: a decoder would not believe it")
    sections = {"header": len(head), "manifest": len(preamble) - len(head)}
    sections |= section_bytes(families, counts, raw_bits, len(data) - len(preamble))
    places = tuple((chunks[index].cut.level, chunks[index].cut.index) for index in order)
    return Serialized(data, sections, places)


def _header(pyramid: Pyramid, coding: Coding, origin: np.ndarray, boxes: list[np.ndarray]) -> Header:
    """The header; its box holds ``boxes`` [2,3] and begins at the origin of the lattices."""
    finest = pyramid.levels[0].gaussians
    splats = tuple(len(level.gaussians) for level in pyramid.levels)
    low, high = origin.astype(np.float32), np.max(boxes, axis=(0, 1)).astype(np.float32)
    return Header(VERSION, finest.frame, finest.sh_degree, splats, low, high, coding, pyramid.start)


def _events(chunk: Chunk, coding: Coding, degree: int) -> np.ndarray:
    events = np.empty(len(chunk.cells) * _EVENTS_PER_SPLAT[degree], np.int64)
    book = coding.book(chunk.cut.level, degree)
    write_events(chunk.cells, chunk.codes, events, book)
    return np.concatenate([chunk.splits, events[: book[USED]]])


def _fit(counts: np.ndarray) -> tuple[Family, ...]:
    """Tables for every family from the ``counts`` [contexts, symbols] of the whole file."""
    families, start = [], 0
    for name, size in FAMILIES:
        rows = counts[start : start + size]
        families.append(fit_splits(rows) if name == "split" else fit_family(rows))
        start += size
    return tuple(families)


def _body(events: np.ndarray, coder: Coder) -> bytes:
    """The bytes of a chunk."""
    words = np.empty(2 * len(events) + 8, np.uint16)
    start = encode(events, coder.tables, coder.table_of, words)
    body = words[start:].astype("<u2").tobytes()
    body += zlib.crc32(body).to_bytes(CHECKSUM_BYTES, "little")
    if len(body) > MAX_CHUNK_BYTES:
        raise EncodeError(f"a chunk of {len(body)} bytes, at most {MAX_CHUNK_BYTES}: use coarser steps")
    return body


def _box(chunk: Chunk, coding: Coding, origin: np.ndarray) -> np.ndarray:
    """[2,3] float32 box of the means as they will be decoded."""
    steps = coding.steps(chunk.cut.level, origin, chunk.cut.base)
    means = (steps[1:4] + chunk.codes[X : X + 3].T * (0.5 * steps[0])).astype(np.float32)
    return np.stack([means.min(axis=0), means.max(axis=0)])


def _manifest(
    pyramid: Pyramid, chunks: list[Chunk], header: Header, sizes: list[int]
) -> tuple[list[int], list[ChunkInfo]]:
    """The chunks in file order, and their entries: parents first, by importance per byte."""
    cuts = [chunk.cut for chunk in chunks]
    gains = [float(pyramid.levels[c.level].importance[c.index].sum(dtype=np.float64)) for c in cuts]
    order = file_order(
        [c.parent for c in cuts], [gain / size for gain, size in zip(gains, sizes, strict=True)]
    )
    place = {index: id for id, index in enumerate(order)}
    entries = []
    for id, index in enumerate(order):
        piece = cuts[index]
        parent = place[piece.parent] if piece.parent >= 0 else -1
        entries.append(_info(chunks[index], header, (id, parent), gains[index], sizes[index]))
    return order, entries


def _info(chunk: Chunk, header: Header, place: tuple[int, int], gain: float, size_bytes: int) -> ChunkInfo:
    """The entry of a chunk; ``place`` is its id and that of its parent."""
    piece = chunk.cut
    bits = tuple(int(axis) for axis in piece.bits)
    far = (chunk.codes[X : X + 3].max(axis=1) + 1) >> 1
    extent = tuple(extent_of(part_of(int(a), b), b) for a, b in zip(far, bits, strict=True))
    base = tuple(int(axis) for axis in piece.base)
    step = header.coding.position_steps[piece.level]
    low, high = chunk_box(base, extent, header.bounds_min, step)
    return ChunkInfo(
        id=place[0],
        level=piece.level,
        tile=piece.tile,
        parent=place[1],
        first=piece.first,
        replaced=piece.replaced,
        count=len(piece.index),
        runs=piece.runs,
        offset=0,
        size_bytes=size_bytes,
        base=(base[0], base[1], base[2]),
        bits=(bits[0], bits[1], bits[2]),
        extent=(extent[0], extent[1], extent[2]),
        bounds_min=low,
        bounds_max=high,
        importance=gain,
    )
