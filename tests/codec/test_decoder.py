"""Bytes in, chunks out: any split, any prefix, any damage."""

import tracemalloc
import zlib
from itertools import pairwise

import numpy as np
import pytest
from breakage import Broken
from random_pyramids import random_pyramid

from exgs.codec import (
    Corrupt,
    DecodedChunk,
    DecodeError,
    Decoder,
    LimitExceeded,
    Precision,
    Truncated,
    decode,
    decode_chunk,
    limits,
    open_container,
    parse_preamble,
    serialize,
)

DATA = serialize(random_pyramid(2500, 300, 30, seed=20, degree=1), Precision())
TINY = serialize(random_pyramid(12, 3, seed=21), Precision())


def same(one: list[DecodedChunk], other: list[DecodedChunk]) -> bool:
    return [c.info.id for c in one] == [c.info.id for c in other] and all(
        a.tobytes() == b.tobytes()
        for c, d in zip(one, other, strict=True)
        for a, b in zip(c.gaussians._arrays(), d.gaussians._arrays(), strict=True)
    )


def test_any_split_of_the_bytes_gives_the_same_chunks() -> None:
    whole = Decoder().feed(DATA)
    assert [chunk.info.id for chunk in whole] == list(range(len(parse_preamble(DATA).chunks)))
    rng = np.random.default_rng(0)
    for pieces in (2, 7, 300):
        decoder = Decoder()
        edges = [0, *sorted(rng.integers(0, len(DATA), pieces)), len(DATA)]
        parts = [decoder.feed(DATA[a:b]) for a, b in pairwise(edges)]
        assert same([chunk for part in parts for chunk in part], whole)
        assert decoder.complete
        decoder.finish()


def test_byte_by_byte() -> None:
    decoder = Decoder()
    got = []
    for byte in TINY:
        assert not decoder.complete
        got += decoder.feed(bytes([byte]))
    assert decoder.complete and same(got, Decoder().feed(TINY))


def test_bytes_after_the_end_are_refused() -> None:
    for feed in ((DATA + b"\0",), (DATA, b"\0")):
        decoder = Decoder()
        with pytest.raises(Corrupt) as caught:
            for part in feed:
                decoder.feed(part)
        assert (caught.value.rule, caught.value.offset) == ("M13", len(DATA))
    with pytest.raises(Corrupt, match="M13"):
        open_container(DATA + b"\0")


def test_a_prefix_at_every_chunk_boundary_shows_that_many_chunks() -> None:
    preamble = parse_preamble(DATA)
    shown = []
    for chunk in preamble.chunks:
        for length in (chunk.offset, chunk.offset + chunk.size_bytes):
            shown.append(len(decode(DATA, length)))
    assert shown == sorted(shown) and shown[0] == 0
    assert shown[-1] == len(decode(DATA))


def test_every_prefix_of_a_tiny_file_decodes_or_is_truncated() -> None:
    start = parse_preamble(TINY).size_bytes
    for length in range(len(TINY)):
        with pytest.raises(Truncated):
            decode(TINY[:length])
        if length < start:
            with pytest.raises(Truncated):
                decode(TINY, length)
        else:
            assert len(decode(TINY, length)) <= 15
        with pytest.raises(Truncated):
            open_container(TINY[:length])


def test_a_file_cut_short_says_how_much_of_it_is_there() -> None:
    for read in (decode, open_container):
        with pytest.raises(Truncated, match=f"file has {len(DATA) - 5} of its {len(DATA)} bytes") as caught:
            read(DATA[:-5])
        assert caught.value.offset == len(DATA) - 5


def test_a_place_within_a_chunk_is_told_from_one_within_the_file() -> None:
    broken = bytearray(TINY)
    broken[-1] ^= 1
    last = parse_preamble(TINY).chunks[-1]
    with pytest.raises(Corrupt, match=f"chunk {last.id} at byte {last.size_bytes - 4} of it: the checksum"):
        decode(bytes(broken))


def test_every_flipped_bit_is_found() -> None:
    for bit in range(8 * len(TINY)):
        broken = bytearray(TINY)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode(bytes(broken))


def test_flipped_bits_behind_mended_checksums_do_no_harm() -> None:
    size = parse_preamble(TINY).size_bytes
    outcomes = set()
    for bit in range(8 * 12, 8 * (size - 4)):
        head = bytearray(TINY[: size - 4])
        head[bit // 8] ^= 1 << bit % 8
        outcomes.add(outcome(bytes(head) + zlib.crc32(head).to_bytes(4, "little") + TINY[size:]))
    chunk = parse_preamble(TINY).chunks[-1]
    for bit in range(8 * (chunk.size_bytes - 4)):
        body = bytearray(TINY[chunk.offset : -4])
        body[bit // 8] ^= 1 << bit % 8
        outcomes.add(outcome(TINY[: chunk.offset] + bytes(body) + zlib.crc32(body).to_bytes(4, "little")))
    assert (
        {"decoded", "Corrupt", "Truncated"}
        <= outcomes
        <= {"decoded", "Corrupt", "Truncated", "LimitExceeded"}
    )


def outcome(data: bytes) -> str:
    try:
        shown = decode(data)
    except DecodeError as error:
        assert error.section and error.offset >= 0
        return type(error).__name__
    for array in shown._arrays():
        assert np.isfinite(array).all()
    return "decoded"


def test_chunks_decode_alone_and_in_any_order() -> None:
    container = open_container(DATA)
    in_order = Decoder().feed(DATA)
    for id in reversed(range(len(container.manifest))):
        alone = decode_chunk(container.parsed, id, container.chunk(id))
        assert alone.means.tobytes() == in_order[id].gaussians.means.tobytes()
    with pytest.raises(Corrupt, match="M12"):
        decode_chunk(container.parsed, 0, container.chunk(0)[:-1])
    with pytest.raises(Corrupt, match=r"rule M1[12]"):
        decode_chunk(container.parsed, 1, container.chunk(0))
    for id in (-1, len(container.manifest)):
        with pytest.raises(IndexError, match=f"chunk {id}, there are"):
            decode_chunk(container.parsed, id, container.chunk(0))


def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    for count, size in ((70000, 100), (10, (1 << 20) + 2), (2000000, 2000000)):
        data = Broken(TINY).with_last(count=count, size_bytes=size)
        tracemalloc.start()
        with pytest.raises(LimitExceeded):
            Decoder().feed(data)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
        tracemalloc.stop()


def test_few_bytes_cannot_ask_for_many_splats(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.most_splats(0) == limits.FREE_SPLATS
    assert limits.most_splats(1000) == limits.FREE_SPLATS + 1000 * limits.MAX_SPLATS_PER_BYTE
    assert limits.most_splats(1 << 30) == limits.MAX_SPLATS
    monkeypatch.setattr(limits, "FREE_SPLATS", 0)
    monkeypatch.setattr(limits, "MAX_SPLATS_PER_BYTE", 0)
    with pytest.raises(LimitExceeded, match="splats"):
        parse_preamble(TINY)


def test_garbage_is_not_a_file() -> None:
    rng = np.random.default_rng(1)
    for length in (0, 1, 11, 12, 1000):
        with pytest.raises(DecodeError):
            decode(rng.bytes(length))
    with pytest.raises(Corrupt, match=r"not a \.ugc file"):
        decode(b"ply\nformat binary")
