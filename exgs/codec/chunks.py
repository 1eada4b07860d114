"""Chunks: bytes to Gaussians.

A chunk is the words of the entropy coder and a checksum. Spec: docs/bitstream.md, Chunks
"""

from __future__ import annotations

import zlib

import numpy as np

from exgs.codec.dequantise import dequantise, opacity_logits
from exgs.codec.entries import CHECKSUM_BYTES
from exgs.codec.errors import Corrupt
from exgs.codec.fields import FieldReader
from exgs.codec.header import Preamble
from exgs.codec.model import SH, TABLE_OF
from exgs.codec.symbol_reader import DONE, decode_symbols
from exgs.scene import SH_COEFFICIENTS, Gaussians


def decode_chunk(preamble: Preamble, id: int, data: bytes | memoryview) -> Gaussians:
    """The splats of chunk ``id``, whose bytes are ``data``.

    Raises:
        DecodeError: the bytes are damaged or of the wrong length.
        IndexError: there is no such chunk.
    """
    codes = decode_columns(preamble, id, data)
    info, header = preamble.chunks[id], preamble.header
    steps = header.coding.steps(info.level, header.bounds_min, np.array(info.base))
    return dequantise(codes, steps, opacity_logits(header.coding.opacity_levels), header.frame)


def decode_columns(preamble: Preamble, id: int, data: bytes | memoryview) -> np.ndarray:
    """The integers of chunk ``id``: [rows, N] int32."""
    if not 0 <= id < len(preamble.chunks):
        raise IndexError(f"chunk {id}, there are {len(preamble.chunks)}")
    info, header = preamble.chunks[id], preamble.header
    words = _words(bytes(data), id, info.size_bytes)
    codes = np.zeros((SH + 3 * SH_COEFFICIENTS[header.sh_degree], info.count), np.int32)
    book = header.coding.book(info.level, header.sh_degree)
    book[TABLE_OF:] = preamble.coder.table_of
    runs, bits = np.array(info.runs, np.int64), np.array(info.bits, np.int64)
    broken = decode_symbols(words, preamble.coder.tables, book, (runs, bits), codes)
    if broken != DONE:
        message = "the coded symbols are damaged"
        raise Corrupt(message, rule=f"M{broken}", section=f"chunk {id}", offset=len(data) - CHECKSUM_BYTES)
    return codes


def _words(data: bytes, id: int, size_bytes: int) -> np.ndarray:
    """[M] uint16: what is before the checksum."""
    reader = FieldReader(data, section=f"chunk {id}")
    if len(data) != size_bytes:
        raise reader.corrupt("M12", f"{len(data)} bytes, the manifest says {size_bytes}")
    if zlib.crc32(data[:-CHECKSUM_BYTES]) != int.from_bytes(data[-CHECKSUM_BYTES:], "little"):
        raise reader.corrupt("M11", "the checksum differs", at=len(data) - CHECKSUM_BYTES)
    return np.frombuffer(data[:-CHECKSUM_BYTES], "<u2")
