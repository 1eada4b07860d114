"""Chunks: bytes to Gaussians.

A chunk is the length of its first run of splats, the corner and the bits of its lattice, the words of the
entropy coder and a checksum. Spec: docs/bitstream.md, Chunks
"""

from __future__ import annotations

import zlib

import numpy as np

from exgs.codec.dequantise import dequantise, opacity_logits
from exgs.codec.fields import FieldReader
from exgs.codec.header import Preamble
from exgs.codec.model import MAX_AXIS_BITS, SH, TABLE_OF
from exgs.codec.symbol_reader import DONE, decode_symbols
from exgs.scene import SH_COEFFICIENTS, Gaussians

MIN_WORDS = 4
"""The two states of the coder."""
CHECKSUM_BYTES = 4


def decode_chunk(preamble: Preamble, id: int, data: bytes | memoryview) -> Gaussians:
    """The splats of chunk ``id``, whose bytes are ``data``.

    Raises:
        DecodeError: the bytes are damaged or of the wrong length.
    """
    info, header = preamble.chunks[id], preamble.header
    codes, base = decode_columns(preamble, id, data)
    steps = header.coding.steps(info.level, header.bounds_min, base)
    return dequantise(codes, steps, opacity_logits(header.coding.opacity_levels), header.frame)


def decode_columns(preamble: Preamble, id: int, data: bytes | memoryview) -> tuple[np.ndarray, np.ndarray]:
    """The integers of chunk ``id``: [rows, N] int32 and the corner [3] of its lattice."""
    info, header = preamble.chunks[id], preamble.header
    reader = FieldReader(_checked(bytes(data), id, info.size_bytes), section=f"chunk {id}")
    first_run = reader.varint()
    if first_run > info.count:
        raise reader.corrupt("M16", f"first run of {first_run} splats among {info.count}", at=0)
    base = np.array([reader.varint() for _ in range(3)], np.int64)
    packed = reader.u16()
    bits = [(packed >> (5 * axis)) & 31 for axis in range(3)]
    if packed >> 15 or max(bits) > MAX_AXIS_BITS or (base >= 1 << MAX_AXIS_BITS).any():
        raise reader.corrupt("M16", f"lattice of {bits} bits from {base.tolist()}", at=reader.offset - 2)
    body = reader.take(len(reader.data) - reader.offset)
    if len(body) % 2 or len(body) < 2 * MIN_WORDS:
        raise reader.corrupt("M15", f"{len(body)} bytes of coded words")
    codes = np.zeros((SH + 3 * SH_COEFFICIENTS[header.sh_degree], info.count), np.int32)
    book = header.coding.book(info.level, header.sh_degree)
    book[TABLE_OF:] = preamble.coder.table_of
    shape = np.array([first_run, *bits], np.int64)
    broken = decode_symbols(np.frombuffer(body, "<u2"), preamble.coder.tables, book, shape, codes)
    if broken != DONE:
        raise reader.corrupt(f"M{broken}", "the coded symbols are damaged")
    return codes, base


def _checked(data: bytes, id: int, size_bytes: int) -> bytes:
    """The bytes before the checksum."""
    reader = FieldReader(data, section=f"chunk {id}")
    if len(data) != size_bytes or size_bytes < CHECKSUM_BYTES:
        raise reader.corrupt("M12", f"{len(data)} bytes, the manifest says {size_bytes}")
    if zlib.crc32(data[:-CHECKSUM_BYTES]) != int.from_bytes(data[-CHECKSUM_BYTES:], "little"):
        raise reader.corrupt("M11", "the checksum differs", at=len(data) - CHECKSUM_BYTES)
    return data[:-CHECKSUM_BYTES]
