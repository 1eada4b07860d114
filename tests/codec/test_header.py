"""The preamble."""

import itertools
import struct
import zlib

import numpy as np
import pytest
from random_pyramids import random_pyramid

from exgs.codec import (
    LimitExceeded,
    Precision,
    UnsupportedFeature,
    UnsupportedVersion,
    parse_preamble,
    serialize,
)
from exgs.codec.header import PREFIX_BYTES
from exgs.codec.limits import MAX_PREAMBLE_BYTES
from exgs.scene import Frame, StartView

DATA = serialize(random_pyramid(60, 12, seed=1), Precision())


def test_the_header_says_what_the_pyramid_is() -> None:
    pyramid = random_pyramid(60, 12, seed=1)
    header = parse_preamble(DATA).header
    assert header.version == (1, 0)
    assert header.frame == Frame("RDF")
    assert (header.sh_degree, header.levels, header.level_splats) == (0, 2, (60, 12))
    means = np.concatenate([level.gaussians.means for level in pyramid.levels])
    assert (header.bounds_min == means.min(axis=0)).all()


def test_every_frame_comes_back() -> None:
    pyramids = itertools.product("RL", "UD", "BF")
    for letters in pyramids:
        for axes in itertools.permutations(letters):
            frame = Frame("".join(axes), 0.1)
            data = serialize(random_pyramid(1, seed=1, frame=frame), Precision())
            assert parse_preamble(data).header.frame == frame


def test_a_start_view_comes_back() -> None:
    start = StartView(np.array([1.0, -2.0, 0.5]), np.array([0.0, 0.25, 4.0]), 2.5)
    header = parse_preamble(serialize(random_pyramid(9, seed=1, start=start), Precision())).header
    assert header.start is not None
    assert header.start.position.tolist() == [1.0, -2.0, 0.5]
    assert header.start.target.tolist() == [0.0, 0.25, 4.0]
    assert header.start.units_per_metre == 2.5
    assert parse_preamble(DATA).header.start is None


def patched(at: int, form: str, value: int) -> bytes:
    size = parse_preamble(DATA).size_bytes
    head = bytearray(DATA[: size - 4])
    struct.pack_into(form, head, at, value)
    return bytes(head) + zlib.crc32(head).to_bytes(4, "little") + DATA[size:]


def test_other_versions_and_features_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedVersion, match=r"version 2\.0"):
        parse_preamble(patched(4, "B", 2))
    with pytest.raises(UnsupportedFeature, match="0x0004"):
        parse_preamble(patched(6, "<H", 4))
    assert parse_preamble(patched(5, "B", 7)).header.version == (1, 7)


def test_a_huge_preamble_is_refused_before_it_is_awaited() -> None:
    prefix = DATA[:8] + struct.pack("<I", MAX_PREAMBLE_BYTES + 1)
    assert len(prefix) == PREFIX_BYTES
    with pytest.raises(LimitExceeded):
        parse_preamble(prefix)


def test_a_small_file_has_a_small_preamble() -> None:
    data = serialize(random_pyramid(900, 200, 50, seed=2), Precision())
    assert parse_preamble(data).size_bytes < 450
    assert parse_preamble(serialize(random_pyramid(1, seed=2), Precision())).size_bytes < 130
