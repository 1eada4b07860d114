"""Fields of the preamble."""

import pytest

from exgs.codec.errors import Corrupt, Truncated
from exgs.codec.fields import FieldReader, FieldWriter

VARINTS = [0, 1, 127, 128, 300, 16383, 16384, 2**28, 2**32 - 1]


def test_fields_come_back() -> None:
    writer = FieldWriter()
    writer.u8(200)
    writer.u16(40000)
    writer.u32(4_000_000_000)
    writer.f32(-1.5)
    writer.f64(0.1)
    for value in VARINTS:
        writer.varint(value)
    reader = FieldReader(bytes(writer.data), section="test")
    assert (reader.u8(), reader.u16(), reader.u32()) == (200, 40000, 4_000_000_000)
    assert (reader.f32(), reader.f64()) == (-1.5, 0.1)
    assert [reader.varint() for _ in VARINTS] == VARINTS
    assert reader.offset == len(writer.data)


@pytest.mark.parametrize("data", [b"\x80\x00", b"\xff\xff\xff\xff\x1f", b"\x80\x80\x80\x80\x80\x01"])
def test_a_varint_is_short_and_below_2_to_the_32(data: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        FieldReader(data, section="test").varint()
    assert caught.value.rule == "M3"


def test_reading_stops_at_the_end() -> None:
    reader = FieldReader(b"\x01\x02\x03", section="test", offset=1)
    with pytest.raises(Truncated, match="test at byte 1: 4 bytes expected, 2 left"):
        reader.u32()
    assert reader.u16() == 0x0302


@pytest.mark.parametrize(
    "data", [b"\x00\x00\x80\x7f", b"\x00\x00\xc0\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f"]
)
def test_numbers_are_finite_and_not_huge(data: bytes) -> None:
    with pytest.raises(Corrupt) as caught:
        FieldReader(data, section="test").f32()
    assert (caught.value.rule, caught.value.offset) == ("M4", 0)
