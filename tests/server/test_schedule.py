"""The order of chunks: properties over random manifests and head poses."""

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exgs.codec import ChunkInfo
from exgs.server.errors import ServerError
from exgs.server.schedule import ChunkTable, Schedule, View, touches_frustum


def _chunk(
    level: int, parent: int, centre: tuple[float, float, float], importance: float = 1.0, replaced: int = 0
) -> ChunkInfo:
    at = np.array(centre, float)
    return ChunkInfo(
        id=0,
        level=level,
        tile=0,
        parent=parent,
        first=0,
        replaced=replaced,
        count=100,
        runs=(100,),
        offset=0,
        size_bytes=9,
        base=(0, 0, 0),
        bits=(0, 0, 0),
        extent=(0, 0, 0),
        bounds_min=at - 0.5,
        bounds_max=at + 0.5,
        importance=importance,
    )


def _schedule(chunks: list[ChunkInfo], held: Iterable[int] = ()) -> Schedule:
    return Schedule(ChunkTable(chunks), held=held)


def _manifest(seed: int, levels: int) -> list[ChunkInfo]:
    """A random tree: coarsest level first, as in a file."""
    rng = np.random.default_rng(seed)
    chunks: list[ChunkInfo] = []
    before = [-1]
    for level in range(levels - 1, -1, -1):
        start = len(chunks)
        for parent in before:
            for _ in range(rng.integers(1, 4)):
                centre = tuple(rng.normal(scale=5, size=3))
                chunks.append(_chunk(level, parent, centre, float(rng.gamma(1.0))))
        before = list(range(start, len(chunks)))
    return chunks


def _looking(direction: np.ndarray, position: np.ndarray | None = None, fov: float = 1.2) -> View:
    forward = direction / np.linalg.norm(direction)
    right = np.cross(forward, [0.3, 0.9, 0.1])
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(forward, right), forward])
    return View(np.zeros(3) if position is None else position, turn, fov, fov)


def _drain(schedule: Schedule, seed: int, chunks_per_view: int = 3) -> list[int]:
    """Takes every chunk while the head turns at random."""
    rng = np.random.default_rng(seed)
    order: list[int] = []
    while (chunk_id := schedule.next_chunk()) is not None:
        order.append(chunk_id)
        if len(order) % chunks_per_view == 0:
            schedule.see(_looking(rng.normal(size=3), rng.normal(size=3)))
    return order


SEEDS = st.integers(0, 2**32 - 1)


@settings(deadline=None, max_examples=40)
@given(SEEDS, SEEDS, st.integers(1, 5))
def test_every_chunk_once_parents_first_coarse_first(seed: int, head: int, levels: int) -> None:
    chunks = _manifest(seed, levels)
    order = _drain(_schedule(chunks), head)
    assert sorted(order) == list(range(len(chunks)))
    place = {chunk_id: index for index, chunk_id in enumerate(order)}
    assert all(chunk.parent < 0 or place[chunk.parent] < place[i] for i, chunk in enumerate(chunks))
    drained = [chunks[chunk_id].level for chunk_id in order]
    assert drained == sorted(drained, reverse=True)


@settings(deadline=None, max_examples=40)
@given(SEEDS, SEEDS, st.integers(1, 4))
def test_visible_before_invisible_within_a_level(seed: int, head: int, levels: int) -> None:
    chunks = _manifest(seed, levels)
    view = _looking(np.random.default_rng(head).normal(size=3))
    schedule = _schedule(chunks)
    schedule.see(view)
    order = [schedule.next_chunk() for _ in chunks]
    centres = np.array([(chunk.bounds_min + chunk.bounds_max) / 2 for chunk in chunks])
    visible = touches_frustum(view, centres, np.full_like(centres, 0.5))
    for level in range(levels):
        seen = [bool(visible[i]) for i in order if i is not None and chunks[i].level == level]
        assert seen == sorted(seen, reverse=True)


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS)
def test_the_same_calls_give_the_same_order(seed: int, head: int) -> None:
    chunks = _manifest(seed, 3)
    assert _drain(_schedule(chunks), head) == _drain(_schedule(chunks), head)


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS, st.sets(st.integers(-2, 60)))
def test_held_chunks_are_not_sent(seed: int, head: int, held: set[int]) -> None:
    chunks = _manifest(seed, 3)
    schedule = _schedule(chunks, held=held)
    left = [index for index in range(len(chunks)) if index not in held]
    assert schedule.remaining == len(left)
    assert sorted(_drain(schedule, head)) == left
    assert schedule.remaining == 0


def test_without_a_view_the_order_is_that_of_the_file() -> None:
    chunks = _manifest(7, 4)
    schedule = _schedule(chunks)
    assert [schedule.next_chunk() for _ in chunks] == list(range(len(chunks)))
    assert schedule.next_chunk() is None


def test_a_new_view_decides_at_once() -> None:
    chunks = [_chunk(0, -1, (0, 0, 10)), _chunk(0, -1, (0, 0, -10)), _chunk(0, -1, (0, 0, 12))]
    schedule = _schedule(chunks)
    schedule.see(_looking(np.array([0.0, 0, 1])))
    assert schedule.next_chunk() == 0
    schedule.see(_looking(np.array([0.0, 0, -1])))
    assert [schedule.next_chunk(), schedule.next_chunk()] == [1, 2]


def test_nearer_then_more_important_then_first_in_the_file() -> None:
    ahead = [(0.0, 0.0, 20.0), (0.0, 0.0, 5.0), (0.0, 0.0, 20.0), (0.0, 0.0, 20.0)]
    weights = [1.0, 1.0, 3.0, 1.0]
    chunks = [_chunk(0, -1, place, weight) for place, weight in zip(ahead, weights, strict=True)]
    schedule = _schedule(chunks)
    schedule.see(_looking(np.array([0.0, 0, 1])))
    assert [schedule.next_chunk() for _ in chunks] == [1, 2, 0, 3]


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.floats(0.2, 3.1), st.floats(0.2, 2.5))
def test_the_frustum_test_never_misses_a_box_that_is_seen(seed: int, fov_x: float, fov_y: float) -> None:
    rng = np.random.default_rng(seed)
    looking = _looking(rng.normal(size=3), rng.normal(size=3))
    view = View(looking.position, looking.camera_from_world, fov_x, fov_y)
    slope = np.tan(np.minimum([fov_x / 2, fov_y / 2], math.radians(84)))
    xy = rng.uniform(-1, 1, size=(50, 2)) * slope
    seen = np.concatenate([xy, np.ones((50, 1))], axis=1) * rng.uniform(0.01, 30, size=(50, 1))
    world = seen @ view.camera_from_world + view.position
    halves = rng.uniform(0, 2, size=(50, 3))
    shift = rng.uniform(-1, 1, size=(50, 3)) * halves
    assert touches_frustum(view, world + shift, halves).all()
    assert not touches_frustum(
        view, world * 0 + view.position - view.camera_from_world[2] * 9, halves * 0
    ).any()


def test_a_parent_must_be_coarser() -> None:
    with pytest.raises(ServerError, match="chunk 1 names 0"):
        _schedule([_chunk(0, -1, (0, 0, 0)), _chunk(0, 0, (0, 0, 0))])
    with pytest.raises(ServerError, match="chunk 0 names 5"):
        _schedule([_chunk(0, 5, (0, 0, 0))])


def test_an_empty_manifest_needs_nothing() -> None:
    assert _schedule([]).next_chunk() is None


def test_a_budget_of_splats_ends_before_it_is_exceeded() -> None:
    chunks = [
        _chunk(1, -1, (0, 0, 0)),
        _chunk(0, 0, (0, 0, 0), replaced=40),
        _chunk(0, 0, (0, 0, 0)),
    ]
    schedule = _schedule(chunks)
    assert schedule.next_chunk(max_splats=99) is None
    assert schedule.next_chunk(max_splats=159) == 0
    assert schedule.next_chunk(max_splats=159) is None and schedule.remaining == 2
    assert schedule.next_chunk(max_splats=160) == 1 and schedule.splats == 160
    assert schedule.next_chunk() == 2
    assert _schedule(chunks, held=[0, 1]).splats == 160
