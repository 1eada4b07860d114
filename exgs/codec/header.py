"""The preamble: everything a decoder must know before the first chunk."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from exgs.codec.coding import Coding, parse_coding, parse_tables, serialize_coding, serialize_tables
from exgs.codec.entropy.tables import Coder, Family, build
from exgs.codec.errors import Corrupt, LimitExceeded, Truncated, UnsupportedFeature, UnsupportedVersion
from exgs.codec.fields import FieldReader, FieldWriter
from exgs.codec.limits import MAX_LEVELS, MAX_PREAMBLE_BYTES, most_splats
from exgs.codec.manifest import ChunkInfo, parse_manifest, serialize_manifest
from exgs.scene import Frame, SceneError, StartView

MAGIC = b"\x89UGC"
"""First bytes of every file."""
VERSION = (1, 0)
"""Major and minor version of the files that are written."""
PREFIX_BYTES = 12
"""Magic, version, flags and size of the preamble: enough to know how much to wait for."""
FLAG_METRES = 1
"""Bit of the flags: the length of the unit is known and follows."""
FLAG_START = 2
"""Bit of the flags: a start view follows."""
KNOWN_FLAGS = FLAG_METRES | FLAG_START
_LETTERS = ("RL", "UD", "BF")
"""Directions that share an axis: the second of each pair points against the first."""


@dataclass(frozen=True, eq=False)
class Header:
    """What holds for the whole file."""

    version: tuple[int, int]
    """Major and minor."""
    frame: Frame
    """Axes and unit of the scene."""
    sh_degree: int
    """Degree of the spherical harmonics, 0 to 3."""
    level_splats: tuple[int, ...]
    """Splats per level, finest first."""
    bounds_min: np.ndarray
    """[3] float32 lower corner of the box of all means."""
    bounds_max: np.ndarray
    """[3] float32 upper corner."""
    coding: Coding
    """Steps and predictions."""
    start: StartView | None = None
    """Where a viewer begins; None where the file does not say."""

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return len(self.level_splats)


@dataclass(frozen=True, eq=False)
class Preamble:
    """Header and manifest."""

    header: Header
    """What holds for the whole file."""
    chunks: tuple[ChunkInfo, ...]
    """One entry per chunk, in file order."""
    size_bytes: int
    """Bytes of the preamble, checksum included; the first chunk starts here."""
    coder: Coder
    """Look-up tables of the entropy coder."""

    @property
    def file_bytes(self) -> int:
        """Bytes of the whole file."""
        last = self.chunks[-1]
        return last.offset + last.size_bytes

    def check_length(self, found_bytes: int) -> None:
        """Refuses a file of another size than the manifest says.

        Raises:
            Truncated: chunks are missing.
            Corrupt: something follows the last one.
        """
        if found_bytes < self.file_bytes:
            message = f"the file has {found_bytes} of its {self.file_bytes} bytes"
            raise Truncated(message, section="chunks", offset=found_bytes)
        if found_bytes > self.file_bytes:
            message = f"{found_bytes - self.file_bytes} bytes after the last chunk"
            raise Corrupt(message, rule="M13", section="chunks", offset=self.file_bytes)


def preamble_size(data: bytes | memoryview) -> int:
    """The size in bytes of the preamble whose first ``PREFIX_BYTES`` bytes are given.

    Raises:
        DecodeError: these are not the first bytes of a file this decoder can read.
    """
    reader = FieldReader(data, section="prefix")
    magic = reader.take(min(4, len(data)))
    if not MAGIC.startswith(magic):
        raise reader.corrupt("M1", f"expected {MAGIC!r}, found {magic!r}: not a .ugc file", at=0)
    if len(data) < PREFIX_BYTES:
        message = f"at least {PREFIX_BYTES} bytes expected, {len(data)} found"
        raise Truncated(message, section="prefix", offset=len(data))
    reader = FieldReader(data, section="prefix", offset=4)
    major, minor, flags, size = reader.u8(), reader.u8(), reader.u16(), reader.u32()
    if major != VERSION[0]:
        raise UnsupportedVersion(
            f"file of version {major}.{minor}, this decoder reads {VERSION[0]}.x", section="prefix", offset=4
        )
    if flags & ~KNOWN_FLAGS:
        raise UnsupportedFeature(f"unknown flags {flags & ~KNOWN_FLAGS:#06x}", section="prefix", offset=6)
    if size > MAX_PREAMBLE_BYTES:
        raise LimitExceeded(
            f"preamble of {size} bytes, at most {MAX_PREAMBLE_BYTES}", section="prefix", offset=8
        )
    if size < PREFIX_BYTES + 4:
        raise reader.corrupt("M10", f"preamble of {size} bytes", at=8)
    return size


def parse_preamble(data: bytes | memoryview) -> Preamble:
    """Header and manifest from the first bytes of a file; what follows them is not looked at.

    Raises:
        DecodeError: the bytes are too few, damaged, or of another version.
    Spec: docs/bitstream.md, Layout
    """
    size = preamble_size(data)
    if len(data) < size:
        raise Truncated(f"{size} bytes expected, {len(data)} found", section="preamble", offset=len(data))
    data = bytes(data[:size])
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        reader = FieldReader(data, section="preamble")
        raise reader.corrupt("M2", "the checksum of the preamble differs", at=size - 4)
    reader = FieldReader(data[:-4], section="header", offset=4, end_rule="M10")
    version = (reader.u8(), reader.u8())
    flags = reader.u16()
    reader.offset = PREFIX_BYTES
    frame = _parse_frame(reader, flags)
    start = _parse_start(reader) if flags & FLAG_START else None
    sh_degree = _parse_degree(reader)
    levels = _parse_levels(reader)
    box = _parse_bounds(reader)
    reader.section = "coding"
    coding = parse_coding(reader, levels)
    reader.section = "tables"
    families = parse_tables(reader)
    reader.section = "manifest"
    chunks = parse_manifest(reader, box[0], coding.position_steps, size)
    if reader.offset != size - 4:
        raise reader.corrupt("M10", f"{size - 4 - reader.offset} bytes after the manifest")
    splats = _splats(reader, chunks, levels)
    header = Header(version, frame, sh_degree, splats, box[0], box[1], coding, start)
    return Preamble(header, chunks, size, build(families))


def serialize_header(header: Header, families: tuple[Family, ...]) -> bytes:
    """The bytes from the magic up to the manifest, with the size of the preamble left at zero."""
    writer = FieldWriter()
    writer.put(MAGIC)
    writer.u8(VERSION[0])
    writer.u8(VERSION[1])
    metres, start = header.frame.metres_per_unit, header.start
    writer.u16((FLAG_METRES if metres is not None else 0) | (FLAG_START if start is not None else 0))
    writer.u32(0)
    writer.u8(_frame_code(header.frame.axes))
    if metres is not None:
        writer.f64(metres)
    if start is not None:
        for number in (*start.position, *start.target, start.units_per_metre):
            writer.f32(float(number))
    writer.u8(header.sh_degree)
    writer.u8(header.levels)
    for number in (*header.bounds_min, *header.bounds_max):
        writer.f32(float(number))
    serialize_coding(writer, header.coding)
    serialize_tables(writer, families)
    return bytes(writer.data)


def finish_preamble(header: Header, head: bytes, chunks: list[ChunkInfo]) -> bytes:
    """The whole preamble: ``head`` from ``serialize_header``, the manifest, the size and the checksum."""
    writer = FieldWriter()
    writer.put(head)
    serialize_manifest(writer, chunks, header.levels)
    writer.data[8:12] = (len(writer.data) + 4).to_bytes(4, "little")
    return bytes(writer.data) + zlib.crc32(writer.data).to_bytes(4, "little")


def _splats(reader: FieldReader, chunks: tuple[ChunkInfo, ...], levels: int) -> tuple[int, ...]:
    """Splats of each level, finest first."""
    splats = [0] * levels
    for chunk in chunks:
        splats[chunk.level] += chunk.count
    most = most_splats(sum(chunk.size_bytes for chunk in chunks))
    if sum(splats) > most:
        message = f"{sum(splats)} splats, at most {most} in chunks of this size"
        raise LimitExceeded(message, section=reader.section, offset=reader.offset)
    return tuple(splats)


def _parse_frame(reader: FieldReader, flags: int) -> Frame:
    at = reader.offset
    code = reader.u8()
    axes = _FRAMES.get(code)
    if axes is None:
        raise reader.corrupt("M5", f"unknown axes {code}", at=at)
    if not flags & FLAG_METRES:
        return Frame(axes)
    at = reader.offset
    metres = reader.f64()
    if metres <= 0:
        raise reader.corrupt("M4", f"{metres} metres per unit", at=at)
    return Frame(axes, metres)


def _parse_start(reader: FieldReader) -> StartView:
    at = reader.offset
    numbers = [reader.f32() for _ in range(7)]
    try:
        return StartView(np.array(numbers[:3]), np.array(numbers[3:6]), numbers[6])
    except SceneError as error:
        raise reader.corrupt("M4", str(error), at=at) from error


def _parse_degree(reader: FieldReader) -> int:
    degree = reader.u8()
    if degree > 3:
        raise reader.corrupt("M5", f"SH degree {degree}", at=reader.offset - 1)
    return degree


def _parse_levels(reader: FieldReader) -> int:
    levels = reader.u8()
    if levels > MAX_LEVELS:
        raise LimitExceeded(
            f"{levels} levels, at most {MAX_LEVELS}", section=reader.section, offset=reader.offset - 1
        )
    if levels == 0:
        raise reader.corrupt("M6", "no levels", at=reader.offset - 1)
    return levels


def _parse_bounds(reader: FieldReader) -> np.ndarray:
    at = reader.offset
    box = np.array([reader.f32() for _ in range(6)], np.float32).reshape(2, 3)
    if (box[0] > box[1]).any():
        raise reader.corrupt("M4", "the box of the scene is inside out", at=at)
    return box


def _frame_code(axes: str) -> int:
    """Bits 0-2: x, y, z point left, down or forward; bits 3-4 and 5-6: x, y lie along R/L 0, U/D 1, B/F 2."""
    pairs = [next(index for index, letters in enumerate(_LETTERS) if letter in letters) for letter in axes]
    signs = [_LETTERS[pair].index(letter) for pair, letter in zip(pairs, axes, strict=True)]
    return signs[0] | signs[1] << 1 | signs[2] << 2 | pairs[0] << 3 | pairs[1] << 5


def _all_frames() -> dict[int, str]:
    letters = [pair[sign] for pair in _LETTERS for sign in (0, 1)]
    triples = (a + b + c for a in letters for b in letters for c in letters)
    sound = (t for t in triples if {next(p for p in _LETTERS if x in p) for x in t} == set(_LETTERS))
    return {_frame_code(axes): axes for axes in sound}


_FRAMES = _all_frames()
