"""Entries of the manifest."""

import numpy as np
from random_pyramids import random_pyramid

from exgs.codec import ChunkInfo, Precision, decode_chunk, open_container, serialize
from exgs.codec.entries import CHECKSUM_BYTES, MIN_WORDS
from exgs.codec.fields import FieldReader, FieldWriter
from exgs.codec.lattice import chunk_lattice
from exgs.codec.manifest import parse_manifest, serialize_manifest

CONTAINER = open_container(serialize(random_pyramid(30000, 2500, 120, seed=3), Precision()))


def test_the_whole_scene_comes_first_and_parents_before_children() -> None:
    whole = [chunk.level == 2 for chunk in CONTAINER.manifest]
    assert whole == sorted(whole, reverse=True)
    for chunk in CONTAINER.manifest:
        assert (chunk.parent == -1) == (chunk.level == 2)
        if chunk.parent >= 0:
            parent = CONTAINER.manifest[chunk.parent]
            assert parent.id < chunk.id and parent.level == chunk.level + 1
            assert chunk.first >= 0 and chunk.replaced > 0 and chunk.first + chunk.replaced <= parent.count


def test_every_field_comes_back() -> None:
    writer = FieldWriter()
    serialize_manifest(writer, CONTAINER.manifest, 3)
    header = CONTAINER.header
    reader = FieldReader(bytes(writer.data), section="manifest")
    again = parse_manifest(
        reader, header.bounds_min, header.coding.position_steps, CONTAINER.parsed.size_bytes
    )
    assert reader.offset == len(writer.data)
    for one, other in zip(CONTAINER.manifest, again, strict=True):
        for name in ChunkInfo.__dataclass_fields__:
            assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_framing_takes_few_bytes_a_chunk() -> None:
    writer = FieldWriter()
    serialize_manifest(writer, CONTAINER.manifest, 3)
    framing = len(writer.data) / len(CONTAINER.manifest) + 2 * MIN_WORDS + CHECKSUM_BYTES
    assert framing < 32


def test_lattices_hold_their_cells_and_are_tight() -> None:
    rng = np.random.default_rng(5)
    for _ in range(300):
        low = rng.integers(0, 1 << int(rng.integers(1, 20)), 3)
        cells = low + rng.integers(0, 1 << int(rng.integers(0, 14)), (4, 3))
        base, bits = chunk_lattice(cells)
        assert (base <= cells.min(axis=0)).all() and (cells.max(axis=0) < base + (1 << bits)).all()
        sides = cells.max(axis=0) - cells.min(axis=0)
        assert ((1 << bits) <= np.maximum(2 * sides, 1) * 1.13).all()


def test_chunks_follow_one_another_to_the_end_of_the_file() -> None:
    at = CONTAINER.parsed.size_bytes
    for chunk in CONTAINER.manifest:
        assert chunk.offset == at
        at += chunk.size_bytes
    assert at == len(CONTAINER.data) == CONTAINER.parsed.file_bytes


def test_of_what_may_come_the_most_important_bytes_come_first() -> None:
    def worth(chunk: ChunkInfo) -> float:
        return chunk.importance / chunk.size_bytes

    for chunk in CONTAINER.manifest:
        could_come = [other for other in CONTAINER.manifest[chunk.id :] if other.parent < chunk.id]
        if chunk.parent >= 0:
            assert worth(chunk) >= 0.8 * max(worth(other) for other in could_come)
    for level in range(3):
        here = [chunk.tile for chunk in CONTAINER.manifest if chunk.level == level]
        assert sorted(here) == list(range(len(here)))


def test_boxes_hold_the_means() -> None:
    for chunk in CONTAINER.manifest:
        means = decode_chunk(CONTAINER.parsed, chunk.id, CONTAINER.chunk(chunk.id)).means
        assert (means >= chunk.bounds_min).all() and (means <= chunk.bounds_max).all()
        size = CONTAINER.header.coding.position_steps[chunk.level] * 2.0 ** np.array(chunk.bits)
        assert (means.min(axis=0) - chunk.bounds_min <= size / 8).all()
        assert (chunk.bounds_max - means.max(axis=0) <= size / 4).all()


def test_chunks_have_some_kibibytes() -> None:
    sizes = [chunk.size_bytes for chunk in CONTAINER.manifest if chunk.level == 0]
    assert len(sizes) > 32
    assert np.mean(sizes) >= 2 << 10 and max(sizes) <= 16 << 10
