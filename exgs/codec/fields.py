"""Little-endian fields: the reader that never reads past the end, and its writer."""

from __future__ import annotations

import math
import struct

from exgs.codec.errors import Corrupt, Truncated
from exgs.codec.limits import MAX_NUMBER


class FieldReader:
    """Reads fields one after the other from ``data``; faults carry the section and the offset in ``data``."""

    def __init__(
        self, data: bytes | memoryview, *, section: str, offset: int = 0, end_rule: str | None = None
    ) -> None:
        """``offset`` is where reading starts.

        To read past the end breaks ``end_rule``; without one the data count as truncated.
        """
        self.data = data
        self.section = section
        self.offset = offset
        self.end_rule = end_rule

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        left = len(self.data) - self.offset
        if count > left:
            message = f"{count} bytes expected, {left} left"
            if self.end_rule is not None:
                raise self.corrupt(self.end_rule, message)
            raise Truncated(message, section=self.section, offset=self.offset)
        self.offset += count
        return bytes(self.data[self.offset - count : self.offset])

    def u8(self) -> int:
        """An unsigned byte."""
        return self.take(1)[0]

    def u16(self) -> int:
        """An unsigned 16-bit integer."""
        return int.from_bytes(self.take(2), "little")

    def u32(self) -> int:
        """An unsigned 32-bit integer."""
        return int.from_bytes(self.take(4), "little")

    def varint(self) -> int:
        """An unsigned integer below 2^32 in groups of seven bits, the lowest first."""
        start, value = self.offset, 0
        for index in range(5):
            byte = self.u8()
            value |= (byte & 0x7F) << (7 * index)
            if byte < 0x80:
                if value >= 1 << 32 or (byte == 0 and index):
                    break
                return value
        raise self.corrupt("M3", "overlong integer", at=start)

    def f32(self) -> float:
        """A 32-bit number of at most ``MAX_NUMBER``."""
        value = self._finite(struct.unpack("<f", self.take(4))[0], 4)
        if abs(value) > MAX_NUMBER:
            raise self.corrupt("M4", f"{value} is beyond {MAX_NUMBER}", at=self.offset - 4)
        return value

    def f64(self) -> float:
        """A finite 64-bit number."""
        return self._finite(struct.unpack("<d", self.take(8))[0], 8)

    def corrupt(self, rule: str, message: str, *, at: int | None = None) -> Corrupt:
        """The error for a breach of ``rule``, at the offset ``at`` or here."""
        return Corrupt(message, rule=rule, section=self.section, offset=self.offset if at is None else at)

    def _finite(self, value: float, size: int) -> float:
        if not math.isfinite(value):
            raise self.corrupt("M4", f"{value} is not a finite number", at=self.offset - size)
        return value


class FieldWriter:
    """Collects the fields that ``FieldReader`` reads."""

    def __init__(self) -> None:
        self.data = bytearray()

    def put(self, data: bytes) -> None:
        """Bytes as they are."""
        self.data += data

    def u8(self, value: int) -> None:
        """An unsigned byte."""
        self.data.append(value)

    def u16(self, value: int) -> None:
        """An unsigned 16-bit integer."""
        self.data += value.to_bytes(2, "little")

    def u32(self, value: int) -> None:
        """An unsigned 32-bit integer."""
        self.data += value.to_bytes(4, "little")

    def varint(self, value: int) -> None:
        """An unsigned integer below 2^32."""
        while value >= 0x80:
            self.data.append(value & 0x7F | 0x80)
            value >>= 7
        self.data.append(value)

    def f32(self, value: float) -> None:
        """A 32-bit number."""
        self.data += struct.pack("<f", value)

    def f64(self, value: float) -> None:
        """A 64-bit number."""
        self.data += struct.pack("<d", value)
