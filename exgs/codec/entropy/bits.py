"""Bit fields within bytes, the lowest bit of a byte first."""

from __future__ import annotations

from exgs.codec.fields import FieldReader, FieldWriter


class BitReader:
    """Reads fields of bits from the bytes at the place of a ``FieldReader``."""

    def __init__(self, reader: FieldReader) -> None:
        """Starts at a byte boundary."""
        self.reader = reader
        self._held = 0
        self._count = 0

    def bits(self, count: int) -> int:
        """An unsigned integer of ``count`` bits, the lowest first."""
        while self._count < count:
            self._held |= self.reader.u8() << self._count
            self._count += 8
        value = self._held & ((1 << count) - 1)
        self._held >>= count
        self._count -= count
        return value

    def finish(self) -> None:
        """Goes on to the next byte; the bits left in this one are zero."""
        if self._held:
            raise self.reader.corrupt("M14", "padding bits are not zero")
        self._count = 0


class BitWriter:
    """Writes the fields that ``BitReader`` reads."""

    def __init__(self) -> None:
        self._value = 0
        self._count = 0

    def bits(self, value: int, count: int) -> None:
        """Appends ``count`` bits."""
        self._value |= value << self._count
        self._count += count

    def flush(self, writer: FieldWriter) -> None:
        """Appends all bits to ``writer``, filled up with zeros to a whole byte."""
        writer.put(self._value.to_bytes((self._count + 7) // 8, "little"))
        self._value = self._count = 0
