"""SPZ versions 2, 3 (one gzip stream) and 4 (plain header, a zstandard stream per attribute). Axes are RUB.

Attributes follow one another, each for all Gaussians: means as 24-bit fixed point, opacities, colours,
scales, rotations, harmonics. Source: the format's public description, github.com/nianticlabs/spz.
"""

from __future__ import annotations

import gzip
import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import zstandard

from exgs.scene.errors import SceneError
from exgs.scene.formats.scene_file import (
    SceneFile,
    blocks,
    check_count,
    check_expansion,
    file_size,
    harmonics_array,
    logits,
    read_exactly,
)
from exgs.scene.formats.smallest_three import expand
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians

FRAME = Frame("RUB")
MAGIC = 0x5053474E
HEADER = struct.Struct("<IIIBBBB")
"""Magic, version, count, SH degree, fractional bits, flags, streams (version 4) or reserved."""
MAX_FRACTIONAL_BITS = 30
MAX_WINDOW_BYTES = 1 << 23
"""Window that a zstandard stream may ask for, unless its content is larger."""
MAX_TRAILER_BYTES = 1 << 20
"""Bytes after the attributes that are tolerated (extension records)."""
SECTIONS = ("means", "opacities", "colours", "scales", "rotations", "harmonics")
COLOR_STEP = 0.15
"""A colour byte is 255 * (0.15 * sh0 + 0.5)."""

_ALPHA_LOGITS = logits(np.arange(256) / 255.0)
_COLOR = ((np.arange(256) / 255.0 - 0.5) / COLOR_STEP).astype(np.float32)
_SCALE = (np.arange(256) / 16.0 - 10.0).astype(np.float32)
_HARMONICS = ((np.arange(256, dtype=np.float32) - 128) / 128).astype(np.float32)
_V2_ROTATION = np.arange(256) / 127.5 - 1.0


@dataclass(frozen=True)
class _Header:
    version: int
    count: int
    sh_degree: int
    fractional_bits: int
    streams: int

    @property
    def record_bytes(self) -> tuple[int, ...]:
        """Bytes of one Gaussian in each section."""
        rotation = 3 if self.version == 2 else 4
        return (9, 1, 3, 3, rotation, 3 * SH_COEFFICIENTS[self.sh_degree])


def open_spz(path: Path, *, max_gaussians: int) -> SceneFile:
    """Reads the header, from inside the gzip stream for versions 2 and 3, and checks it."""
    size = file_size(path)
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            file.seek(0)
            with _gzip_faults(path), gzip.GzipFile(fileobj=file) as stream:
                head = stream.read(HEADER.size)
            versions: tuple[int, ...] = (2, 3)
        else:
            file.seek(0)
            head, versions = file.read(HEADER.size), (4,)
    header = _parse_header(path, head, versions)
    check_count(f"{path}: SPZ header", header.count, most=max_gaussians)
    check_expansion(f"{path}: SPZ header", header.count, size_bytes=size)
    version = f"v{header.version}"
    read = partial(_read, path, header, size)
    return SceneFile("SPZ", version, header.count, header.sh_degree, FRAME, size, read)


def _parse_header(path: Path, head: bytes, versions: tuple[int, ...]) -> _Header:
    where = f"{path}: SPZ header"
    if len(head) < HEADER.size:
        raise SceneError(f"{where}: {len(head)} bytes, expected {HEADER.size}")
    magic, version, count, degree, bits, _, streams = HEADER.unpack(head)
    if magic != MAGIC:
        raise SceneError(f"{where}: magic number {magic:#010x}, expected {MAGIC:#010x}: not an SPZ file")
    if version not in versions:
        layout = "gzip" if versions != (4,) else "plain header"
        raise SceneError(
            f"{where}: version {version} with a {layout} layout is not supported (2, 3 gzip; 4 plain)"
        )
    if degree >= len(SH_COEFFICIENTS):
        raise SceneError(f"{where}: SH degree {degree}, expected 0 to 3")
    if bits > MAX_FRACTIONAL_BITS:
        raise SceneError(f"{where}: {bits} fractional bits, expected 0 to {MAX_FRACTIONAL_BITS}")
    return _Header(version, count, degree, bits, streams)


@contextmanager
def _gzip_faults(path: Path) -> Iterator[None]:
    """Errors of the gzip reader as SceneError."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SceneError(f"{path}: gzip stream: {error}") from error


def _read(path: Path, header: _Header, size_bytes: int) -> Gaussians:
    with path.open("rb") as file:
        if header.version == 4:
            return _decode(path, header, _zstd_sections(path, file, header, size_bytes))
        with _gzip_faults(path), gzip.GzipFile(fileobj=file) as stream:
            stream.read(HEADER.size)
            gaussians = _decode(path, header, iter([cast(BinaryIO, stream)] * len(SECTIONS)))
            # To the end, so that the checksum is compared.
            if len(stream.read(MAX_TRAILER_BYTES + 1)) > MAX_TRAILER_BYTES:
                raise SceneError(f"{path}: more than {MAX_TRAILER_BYTES} bytes after the harmonics")
        return gaussians


def _zstd_sections(path: Path, file: BinaryIO, header: _Header, size_bytes: int) -> Iterator[BinaryIO]:
    """The decompressing stream of each section in turn, checked against the table of contents."""
    where = f"{path}: SPZ table of contents"
    file.seek(HEADER.size)
    (start,) = struct.unpack("<I", read_exactly(file, 4, where=f"{path}: SPZ header"))
    wanted = [record * header.count for record in header.record_bytes]
    if header.streams not in (len(SECTIONS) - 1, len(SECTIONS)) or start < 32:
        raise SceneError(f"{path}: SPZ header: {header.streams} streams with the contents at byte {start}")
    file.seek(start)
    table = list(struct.iter_unpack("<QQ", read_exactly(file, 16 * header.streams, where=where)))
    table += [(0, 0)] * (len(SECTIONS) - header.streams)
    offset = start + 16 * header.streams
    for name, (packed, plain), expected in zip(SECTIONS, table, wanted, strict=True):
        if plain != expected:
            raise SceneError(f"{where}: {name} of {plain} bytes, expected {expected}")
        if packed > size_bytes - offset:
            raise SceneError(f"{where}: {name} end at byte {offset + packed}, but the file has {size_bytes}")
        file.seek(offset)
        data = read_exactly(file, packed, where=f"{path}: SPZ {name}")
        offset += packed
        window = max(MAX_WINDOW_BYTES, 1 << plain.bit_length())
        reader = zstandard.ZstdDecompressor(max_window_size=window).stream_reader(io.BytesIO(data))
        yield cast(BinaryIO, reader)


def _decode(path: Path, header: _Header, sections: Iterator[BinaryIO]) -> Gaussians:
    """Gaussians from one stream per section; each array is made when the sections before it proved sound."""
    count = header.count
    means = np.empty((count, 3), np.float32)
    for block, data in _section(path, header, 0, next(sections)):
        means[block] = _fixed_point(data.reshape(-1, 3, 3)) / float(1 << header.fractional_bits)
    opacity_logits = np.empty(count, np.float32)
    for block, data in _section(path, header, 1, next(sections)):
        opacity_logits[block] = _ALPHA_LOGITS[data[:, 0]]
    sh0 = np.empty((count, 1, 3), np.float32)
    for block, data in _section(path, header, 2, next(sections)):
        sh0[block, 0] = _COLOR[data]
    log_scales = np.empty((count, 3), np.float32)
    for block, data in _section(path, header, 3, next(sections)):
        log_scales[block] = _SCALE[data]
    quats = np.empty((count, 4), np.float32)
    unpack = _rotation_v2 if header.version == 2 else _rotation_v3
    for block, data in _section(path, header, 4, next(sections)):
        quats[block] = unpack(data)
    shN = harmonics_array(count, header.sh_degree)
    for block, data in _section(path, header, 5, next(sections)):
        shN[block] = _HARMONICS[data].reshape(len(data), -1, 3)
    return Gaussians(means, quats, log_scales, opacity_logits, sh0, shN, FRAME)


def _section(path: Path, header: _Header, index: int, stream: BinaryIO) -> Iterator[tuple[slice, np.ndarray]]:
    """[n, bytes of a record] uint8 of each block of a section."""
    record = header.record_bytes[index]
    where = f"{path}: SPZ {SECTIONS[index]}"
    try:
        for block in blocks(header.count) if record else ():
            size = (block.stop - block.start) * record
            data = read_exactly(stream, size, where=f"{where}, record {block.start} onwards")
            yield block, np.frombuffer(data, np.uint8).reshape(-1, record)
        if header.version == 4 and record and stream.read(1):
            raise SceneError(f"{where}: the stream is longer than {record * header.count} bytes")
    except zstandard.ZstdError as error:
        raise SceneError(f"{where}: {error}") from error


def _fixed_point(data: np.ndarray) -> np.ndarray:
    """[n,3] int32 of little-endian signed 24-bit numbers [n,3,3]."""
    wide = np.zeros((*data.shape[:2], 4), np.uint8)
    wide[..., 1:] = data
    return wide.view("<i4")[..., 0] >> 8


def _rotation_v2(data: np.ndarray) -> np.ndarray:
    """wxyz from x, y, z as bytes; w is what is left of length one, and not negative."""
    xyz = _V2_ROTATION[data]
    w = np.sqrt(np.maximum(0.0, 1.0 - (xyz * xyz).sum(axis=1, keepdims=True)))
    return np.concatenate([w, xyz], axis=1)


def _rotation_v3(data: np.ndarray) -> np.ndarray:
    """wxyz from 32 bits: index of the largest of x, y, z, w; sign and nine bits for each of the others."""
    packed = np.ascontiguousarray(data).view("<u4")[:, 0]
    fields = [(packed >> shift) & 1023 for shift in (20, 10, 0)]
    sizes = [(field & 511) / 511.0 * np.sqrt(0.5) for field in fields]
    stored = [np.where(field >> 9, -size, size) for field, size in zip(fields, sizes, strict=True)]
    return expand(stored[0], stored[1], stored[2], packed >> 30)[:, [3, 0, 1, 2]]
