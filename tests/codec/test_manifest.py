"""Entries of the manifest."""

import numpy as np
import pytest
from random_pyramids import random_pyramid

from exgs.codec import Precision, decode_chunk, open_container, serialize

CONTAINER = open_container(serialize(random_pyramid(30000, 2500, 120, seed=3), Precision()))


def test_coarser_levels_come_first_and_parents_before_children() -> None:
    levels = [chunk.level for chunk in CONTAINER.manifest]
    assert levels == sorted(levels, reverse=True)
    for chunk in CONTAINER.manifest:
        assert (chunk.parent == -1) == (chunk.level == 2)
        if chunk.parent >= 0:
            parent = CONTAINER.manifest[chunk.parent]
            assert parent.id < chunk.id and parent.level == chunk.level + 1
            assert chunk.first >= 0 and chunk.replaced > 0 and chunk.first + chunk.replaced <= parent.count


def test_chunks_follow_one_another_to_the_end_of_the_file() -> None:
    at = CONTAINER.parsed.size_bytes
    for chunk in CONTAINER.manifest:
        assert chunk.offset == at
        at += chunk.size_bytes
    assert at == len(CONTAINER.data) == CONTAINER.parsed.file_bytes


def test_within_a_level_the_most_important_bytes_come_first() -> None:
    for level in range(3):
        here = [chunk for chunk in CONTAINER.manifest if chunk.level == level]
        worth = [chunk.importance / chunk.size_bytes for chunk in here]
        assert worth == pytest.approx(sorted(worth, reverse=True), rel=0.01)
        assert sorted(chunk.tile for chunk in here) == list(range(len(here)))


def test_boxes_hold_the_means() -> None:
    for chunk in CONTAINER.manifest:
        means = decode_chunk(CONTAINER.parsed, chunk.id, CONTAINER.chunk(chunk.id)).means
        assert (means >= chunk.bounds_min).all() and (means <= chunk.bounds_max).all()
        slack = (CONTAINER.header.bounds_max - CONTAINER.header.bounds_min) * 4 / 65535
        assert (means.min(axis=0) - chunk.bounds_min <= slack).all()


def test_large_levels_are_cut_into_chunks_of_16_to_64_kibibytes() -> None:
    sizes = [chunk.size_bytes for chunk in CONTAINER.manifest if chunk.level == 0]
    assert len(sizes) > 3
    assert min(sizes) >= 16 << 10 and max(sizes) <= 64 << 10
    assert np.std(sizes) < 0.2 * np.mean(sizes)
