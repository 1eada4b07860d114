"""The scene as chunks come and go."""

import numpy as np
import pytest
from random_pyramids import random_pyramid

from exgs.codec import Assembly, Precision, decode, decode_chunk, open_container, serialize

CONTAINER = open_container(serialize(random_pyramid(9000, 6500, 300, seed=30), Precision()))
CHUNKS = [decode_chunk(CONTAINER.parsed, chunk.id, CONTAINER.chunk(chunk.id)) for chunk in CONTAINER.manifest]


def ancestry(id: int) -> set[int]:
    """The chunk and all above it."""
    return {id} | ancestry(CONTAINER.manifest[id].parent) if id >= 0 else set()


def cut_through_the_tree(showing: set[int]) -> set[tuple[int, int]]:
    """(chunk, splat) pairs that must show, found the slow way."""
    infos = [CONTAINER.manifest[id] for id in showing]
    shown = {(info.id, index) for info in infos for index in range(info.count)}
    replaced = {(i.parent, index) for i in infos for index in range(i.first, i.first + i.replaced)}
    return shown - replaced


def test_ancestors_lead_from_the_parent_to_the_coarsest_level() -> None:
    assembly = Assembly(CONTAINER.parsed)
    for info in CONTAINER.manifest:
        above = list(assembly.ancestors(info.id))
        assert {info.id, *above} == ancestry(info.id)
        assert above[:1] == ([info.parent] if info.parent >= 0 else [])


def test_every_order_of_arrival_shows_a_cut_through_the_tree() -> None:
    assert len(CHUNKS) >= 4
    rng = np.random.default_rng(0)
    for _ in range(4):
        assembly, resident = Assembly(CONTAINER.parsed), set()
        for id in rng.permutation(len(CHUNKS)):
            assembly.add(int(id), CHUNKS[id])
            resident.add(int(id))
            showing = {id for id in resident if ancestry(id) <= resident}
            wanted = cut_through_the_tree(showing)
            assert assembly.visible_splats == len(assembly.gaussians()) == len(wanted)
            assert set(assembly.visible) == showing
            pieces = assembly.shown()
            assert {(p.chunk, index) for p in pieces for index in range(p.start, p.stop)} == wanted
            in_order = np.concatenate(
                [assembly.splats(piece).means for piece in pieces] or [np.empty((0, 3))]
            )
            assert (in_order == assembly.gaussians().means).all()
            means = {tuple(CHUNKS[i].means[j]) for i, j in wanted}
            assert {tuple(mean) for mean in assembly.gaussians().means} == means
        assert len(assembly.gaussians()) == len(decode(CONTAINER.data))


def test_removing_a_chunk_shows_the_coarser_splats_again() -> None:
    assembly = Assembly(CONTAINER.parsed)
    for id, chunk in enumerate(CHUNKS):
        assembly.add(id, chunk)
    full = assembly.visible_splats
    for id in reversed(range(1, len(CHUNKS))):
        assembly.remove(id)
        assert id not in assembly
    assert assembly.visible_splats == len(CHUNKS[0]) < full
    assembly.remove(0)
    assert len(assembly.gaussians()) == 0
    assert assembly.gaussians().frame == CONTAINER.header.frame


def test_a_chunk_waits_for_its_parent() -> None:
    assembly = Assembly(CONTAINER.parsed)
    last = len(CHUNKS) - 1
    assembly.add(last, CHUNKS[last])
    assert assembly.visible == () and len(assembly.gaussians()) == 0
    assert assembly.resident == {last}


def test_a_snapshot_stays_as_it_was() -> None:
    assembly = Assembly(CONTAINER.parsed)
    assembly.add(0, CHUNKS[0])
    before = assembly.gaussians()
    assert assembly.gaussians() is before
    copied = before.means.copy()
    assembly.add(1, CHUNKS[1])
    assert assembly.gaussians() is not before
    assert (before.means == copied).all()


def test_adding_twice_changes_nothing_and_strangers_are_refused() -> None:
    assembly = Assembly(CONTAINER.parsed)
    assembly.add(0, CHUNKS[0])
    before = assembly.gaussians()
    assembly.add(0, CHUNKS[0])
    assert assembly.gaussians() is before
    for id, chunk in ((len(CHUNKS), CHUNKS[0]), (-1, CHUNKS[0]), (1, CHUNKS[0])):
        with pytest.raises(ValueError, match="not in the manifest"):
            assembly.add(id, chunk)
