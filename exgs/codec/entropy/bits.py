"""Bit fields within bytes, the lowest bit of a byte first."""

from __future__ import annotations

from exgs.codec.fields import FieldReader, FieldWriter

MAX_ZEROS = 32
"""Zero bits at the start of a ``golomb`` integer at most."""


def unfold(value: int) -> int:
    """Signed integers from unsigned ones: 0, -1, 1, -2, 2 and so on."""
    return -((value + 1) >> 1) if value & 1 else value >> 1


def fold(value: int) -> int:
    """The inverse of ``unfold``."""
    return -2 * value - 1 if value < 0 else 2 * value


def golomb_bits(value: int, order: int) -> int:
    """Bits that ``BitWriter.golomb`` takes."""
    return 2 * (value + (1 << order)).bit_length() - 1 - order


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

    def golomb(self, order: int) -> int:
        """An unsigned integer in the exponential Golomb code of ``order``: small ones are short."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > MAX_ZEROS - order:
                raise self.reader.corrupt("M3", "overlong integer")
        return ((1 << zeros) - 1 << order) + self.bits(zeros + order)

    def signed(self, order: int) -> int:
        """A folded integer in the code of ``golomb``."""
        return unfold(self.golomb(order))

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
        self._data = bytearray()

    def bits(self, value: int, count: int) -> None:
        """Appends ``count`` bits."""
        self._value |= value << self._count
        self._count += count
        whole = self._count >> 3
        self._data += (self._value & ((1 << 8 * whole) - 1)).to_bytes(whole, "little")
        self._value >>= 8 * whole
        self._count &= 7

    def golomb(self, value: int, order: int) -> None:
        """Appends an unsigned integer in the exponential Golomb code of ``order``."""
        zeros = (value + (1 << order)).bit_length() - 1 - order
        self.bits(1 << zeros, zeros + 1)
        self.bits(value - ((1 << zeros) - 1 << order), zeros + order)

    def signed(self, value: int, order: int) -> None:
        """Appends a folded integer in the code of ``golomb``."""
        self.golomb(fold(value), order)

    def flush(self, writer: FieldWriter) -> None:
        """Appends all bits to ``writer``, filled up with zeros to a whole byte."""
        writer.put(bytes(self._data) + self._value.to_bytes((self._count + 7) // 8, "little"))
        self._value = self._count = 0
        self._data = bytearray()
