"""Files that break one rule each, made from a sound one; checksums are mended unless they are the point."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from exgs.codec import ChunkInfo, Corrupt, decode_chunk, parse_preamble
from exgs.codec.fields import FieldWriter
from exgs.codec.manifest import serialize_manifest


class Broken:
    """A sound file, taken apart so that a test can bend it."""

    def __init__(self, data: bytes) -> None:
        parsed = parse_preamble(data)
        self.levels, self.entries = parsed.header.levels, list(parsed.chunks)
        manifest = spelt(self.entries, self.levels)
        self.preamble = bytearray(data[: parsed.size_bytes - 4])
        assert self.preamble.endswith(manifest)
        self.manifest = len(self.preamble) - len(manifest)
        self.chunks = data[parsed.size_bytes :]

    def data(self) -> bytes:
        """The file, with size and checksum of the preamble as they should be."""
        struct.pack_into("<I", self.preamble, 8, len(self.preamble) + 4)
        return sealed(self.preamble) + self.chunks

    def with_last(self, **changes: Any) -> bytes:
        """The file with fields of its last chunk's entry changed."""
        self.entries[-1] = replace(self.entries[-1], **changes)
        self.preamble[self.manifest :] = spelt(self.entries, self.levels)
        return self.data()

    def put(self, at: int, form: str, *values: float) -> None:
        """Overwrites a field of the preamble."""
        struct.pack_into("<" + form, self.preamble, at, *values)


def sealed(part: bytes | bytearray) -> bytes:
    """``part`` and its checksum."""
    return bytes(part) + struct.pack("<I", zlib.crc32(part))


HEADER = 12
STEPS = HEADER + 3 + 24


def spelt(entries: list[ChunkInfo], levels: int) -> bytes:
    """The bytes of a manifest."""
    writer = FieldWriter()
    serialize_manifest(writer, entries, levels)
    return bytes(writer.data)


def breakages(data: bytes, tree: bytes) -> Iterator[tuple[str, bytes]]:
    """Names, of which the first part is the broken rule, and files; ``tree`` has several levels."""
    flipped = bytearray(data)
    flipped[0] ^= 1
    yield "M1-magic", bytes(flipped)
    flipped = bytearray(data)
    flipped[20] ^= 1
    yield "M2-preamble-checksum", bytes(flipped)
    for name, at, form, values in (
        ("M4-bounds-not-a-number", HEADER + 3, "f", (float("nan"),)),
        ("M4-bounds-infinite", HEADER + 3, "f", (float("inf"),)),
        ("M4-bounds-huge", HEADER + 3, "f", (1e30,)),
        ("M4-bounds-inside-out", HEADER + 3, "6f", (1, 1, 1, 0, 0, 0)),
        ("M4-scale-step-zero", STEPS, "f", (0.0,)),
        ("M4-scale-step-negative", STEPS, "f", (-1.0,)),
        ("M4-colour-step-infinite", STEPS + 4, "f", (float("inf"),)),
        ("M4-one-opacity", STEPS + 12, "B", (0,)),
        ("M5-axes", HEADER, "B", (127,)),
        ("M5-degree", HEADER + 1, "B", (4,)),
        ("M5-thresholds", STEPS + 18, "B", (17,)),
        ("M6-no-levels", HEADER + 2, "B", (0,)),
    ):
        broken = Broken(data)
        broken.put(at, form, *values)
        yield name, broken.data()
    yield from manifest_breakages(data, tree)
    yield from chunk_breakages(data)


def manifest_breakages(data: bytes, tree: bytes) -> Iterator[tuple[str, bytes]]:
    """Breaches of the rules of manifest and tables."""
    broken = Broken(data)
    broken.preamble[broken.manifest + 4 :] = bytes(12)
    yield "M3-endless-integer", broken.data()
    broken = Broken(data)
    broken.preamble += b"\0"
    yield "M10-preamble-too-long", broken.data()
    broken = Broken(data)
    del broken.preamble[-1]
    yield "M10-preamble-too-short", broken.data()
    yield "M14-tables", wild_tables(data)
    last = Broken(tree).entries[-1]
    yield "M4-lattice-bits", Broken(tree).with_last(bits=(22, 0, 0))
    yield "M4-lattice-corner", Broken(tree).with_last(base=(1 << 21, 0, 0))
    yield "M5-runs", Broken(tree).with_last(runs=(0,) * 17)
    yield "M6-runs", Broken(tree).with_last(runs=(last.count + 1, 0))
    yield "M7-parent", early_child(tree)
    yield "M8-range-outside", Broken(tree).with_last(replaced=last.replaced + 60000)
    yield "M9-place", missing_place(tree)
    longer = Broken(tree).with_last(size_bytes=last.size_bytes + 2)
    start = len(longer) - last.size_bytes
    yield "M15-word-left", longer[:start] + sealed(longer[start:-4] + b"\0\0")


def wild_tables(data: bytes) -> bytes:
    """``data`` with the last byte of its tables whose change makes them unsound."""
    for back in range(1, 40):
        broken = Broken(data)
        broken.preamble[broken.manifest - back] ^= 0xFF
        try:
            parse_preamble(broken.data())
        except Corrupt as error:
            if error.rule == "M14":
                return broken.data()
    raise AssertionError("every change passes")


def early_child(tree: bytes) -> bytes:
    """``tree`` with its last chunk in the place of the first one."""
    broken = Broken(tree)
    broken.entries[0] = replace(broken.entries[0], id=len(broken.entries) - 1)
    return broken.with_last(id=0)


def missing_place(tree: bytes) -> bytes:
    """``tree`` with its last chunk in the place of another one, or in one that there is not."""
    broken = Broken(tree)
    taken = len(broken.entries) - 2
    return broken.with_last(id=taken if broken.entries[-1].parent < taken else len(broken.entries))


def chunk_breakages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Breaches of the rules of chunks."""
    flipped = bytearray(data)
    flipped[-6] ^= 16
    yield "M11-chunk-checksum", bytes(flipped)
    yield "M13-trailing-byte", data + b"\0"
    yield "M16-split", wild_split(data)


def wild_split(data: bytes) -> bytes:
    """``data``, of one chunk, with the first of its states that splits off more splats than there are."""
    broken = Broken(data)
    words = broken.chunks[:-4]
    for state in range(1 << 16, 1 << 22, 97):
        broken.chunks = sealed(struct.pack("<I", state) + words[4:])
        try:
            decode_chunk(parse_preamble(data), 0, broken.chunks)
        except Corrupt as error:
            if error.rule == "M16":
                return broken.data()
    raise AssertionError("every state passes")
