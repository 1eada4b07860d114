"""Files that break one rule each, made from a sound one; checksums are mended unless they are the point."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from exgs.codec import parse_preamble


class Broken:
    """A sound file, taken apart so that a test can bend it."""

    def __init__(self, data: bytes) -> None:
        """``data`` has one level, one chunk, degree 0 and no unit of length."""
        parsed = parse_preamble(data)
        self.preamble = bytearray(data[: parsed.size_bytes - 4])
        self.chunk = bytearray(data[parsed.size_bytes : -4])
        entry = bytes([1, 0])
        tail = struct.pack("<H", 0)
        self.manifest = self.preamble.rindex(entry, 0, len(self.preamble) - len(tail) - 12)

    def data(self, *, mend_size: bool = True) -> bytes:
        """The file, with sizes and checksums as they should be."""
        if mend_size:
            struct.pack_into("<I", self.preamble, 8, len(self.preamble) + 4)
        return sealed(self.preamble) + sealed(self.chunk)

    def put(self, at: int, form: str, *values: float) -> None:
        """Overwrites a field of the preamble."""
        struct.pack_into("<" + form, self.preamble, at, *values)


def sealed(part: bytes | bytearray) -> bytes:
    """``part`` and its checksum."""
    return bytes(part) + struct.pack("<I", zlib.crc32(part))


HEADER = 12
STEPS = HEADER + 3 + 24
BOX_BYTES = 12


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
        ("M5-thresholds", STEPS + 14, "B", (17,)),
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
    broken.preamble[broken.manifest : broken.manifest + 1] = b"\x81\x00"
    yield "M3-long-integer", broken.data()
    broken = Broken(data)
    broken.preamble[broken.manifest : broken.manifest + 1] = b"\xff\xff\xff\xff\xff\x01"
    yield "M3-endless-integer", broken.data()
    broken = Broken(data)
    broken.put(broken.manifest, "B", 0)
    yield "M6-empty-level", broken.data()
    broken = Broken(data)
    broken.put(broken.manifest + 1, "B", 1)
    yield "M9-tile", broken.data()
    broken = Broken(data)
    broken.put(len(broken.preamble) - BOX_BYTES - 2, "H", 0x7F80)
    yield "M4-importance-infinite", broken.data()
    broken = Broken(data)
    broken.put(len(broken.preamble) - BOX_BYTES, "6H", 9, 9, 9, 0, 0, 0)
    yield "M4-box-inside-out", broken.data()
    broken = Broken(data)
    broken.preamble += b"\0"
    yield "M10-preamble-too-long", broken.data()
    broken = Broken(data)
    broken.preamble[broken.manifest - 1] |= 0x80
    broken.preamble[broken.manifest - 2] = 0xFF
    yield "M14-tables", broken.data()
    yield "M7-parent", patched_entry(tree, lambda entry: {**entry, "parent": 1 << 20})
    yield "M8-range-empty", patched_entry(tree, lambda entry: {**entry, "replaced": 0})
    yield "M8-range-outside", patched_entry(tree, lambda entry: {**entry, "first": 60000})
    yield "M12-chunk-too-small", patched_entry(tree, lambda entry: {**entry, "size_bytes": 3})
    longer = patched_entry(tree, lambda entry: {**entry, "size_bytes": entry["size_bytes"] + 2})
    start = len(longer) - parse_preamble(tree).chunks[-1].size_bytes
    yield "M15-word-left", longer[:start] + sealed(longer[start:-4] + b"\0\0")


def patched_entry(tree: bytes, change: Callable[[dict[str, int]], dict[str, int]]) -> bytes:
    """``tree`` with the entry of its last chunk changed."""
    parsed = parse_preamble(tree)
    last = parsed.chunks[-1]
    names = ("tile", "parent", "first", "replaced", "count", "size_bytes")
    entry = {name: getattr(last, name) for name in names}
    tail = 2 + BOX_BYTES
    old = b"".join(varint(value) for value in entry.values())
    end = parsed.size_bytes - 4 - tail
    assert tree[end - len(old) : end] == old
    new = b"".join(varint(value) for value in change(entry).values())
    preamble = bytearray(tree[: end - len(old)] + new + tree[end : parsed.size_bytes - 4])
    struct.pack_into("<I", preamble, 8, len(preamble) + 4)
    return sealed(preamble) + tree[parsed.size_bytes :]


def chunk_breakages(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Breaches of the rules of chunks."""
    flipped = bytearray(data)
    flipped[-6] ^= 16
    yield "M11-chunk-checksum", bytes(flipped)
    yield "M13-trailing-byte", data + b"\0"
    broken = Broken(data)
    broken.chunk[0] = 0x7F
    yield "M16-first-run", broken.data()
    broken = Broken(data)
    at = 1 + len(b"".join(varint(int(value)) for value in base_of(broken.chunk)))
    struct.pack_into("<H", broken.chunk, at, 0xFFFF)
    yield "M16-lattice-bits", broken.data()


def base_of(chunk: bytes | bytearray) -> list[int]:
    """The corner of a chunk's lattice."""
    values, value, shift = [], 0, 0
    for byte in chunk:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            values.append(value)
            value = shift = 0
        if len(values) == 4:
            return list(np.array(values[1:]))
    raise AssertionError("a chunk begins with four integers")


def varint(value: int) -> bytes:
    """The shortest spelling of an integer."""
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
