"""The order of chunks: properties over random manifests, orders and heads."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exgs.codec import ChunkInfo
from exgs.codec.worth import LINGER_S, ChunkTable
from exgs.scene.outlook import View, foresee
from exgs.server.orders import ORDERS
from exgs.server.schedule import Schedule
from tests.server.manifests import chunk, looking, manifest

AHEAD = np.array([0.0, 0, 1])
SEEDS = st.integers(0, 2**32 - 1)
NAMES = st.sampled_from(sorted(ORDERS))


def schedule_of(chunks: list[ChunkInfo], held: Iterable[int] = (), order: str = "error") -> Schedule:
    return Schedule(ChunkTable(chunks), held=held, order=ORDERS[order])


def drain(schedule: Schedule, seed: int, chunks_per_view: int = 3) -> list[int]:
    """Takes every chunk while the head turns at random."""
    rng = np.random.default_rng(seed)
    order: list[int] = []
    while (chunk_id := schedule.next_chunk(delay_s=float(rng.uniform(0, 2)))) is not None:
        order.append(chunk_id)
        if len(order) % chunks_per_view == 0:
            schedule.see(looking(rng.normal(size=3), rng.normal(size=3)))
    return order


@settings(deadline=None, max_examples=40)
@given(SEEDS, SEEDS, st.integers(1, 6), NAMES)
def test_every_chunk_once_and_parents_first(seed: int, head: int, levels: int, name: str) -> None:
    chunks = manifest(seed, levels)
    order = drain(schedule_of(chunks, order=name), head)
    assert sorted(order) == list(range(len(chunks)))
    place = {chunk_id: index for index, chunk_id in enumerate(order)}
    assert all(info.parent < 0 or place[info.parent] < place[i] for i, info in enumerate(chunks))
    roots = sum(info.parent < 0 for info in chunks)
    assert all(chunks[index].parent < 0 for index in order[:roots])


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS, NAMES)
def test_the_same_calls_give_the_same_order(seed: int, head: int, name: str) -> None:
    chunks = manifest(seed, 4)
    assert drain(schedule_of(chunks, order=name), head) == drain(schedule_of(chunks, order=name), head)


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS, st.sets(st.integers(-2, 60)))
def test_held_chunks_are_not_sent(seed: int, head: int, held: set[int]) -> None:
    chunks = manifest(seed, 3)
    schedule = schedule_of(chunks, held=held)
    left = [index for index in range(len(chunks)) if index not in held]
    assert schedule.remaining == len(left)
    assert sorted(drain(schedule, head)) == left
    assert schedule.remaining == 0


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, 5))
def test_orders_without_a_head_are_exact(seed: int, levels: int) -> None:
    chunks = manifest(seed, levels)
    assert drain(schedule_of(chunks, order="file"), 1) == list(range(len(chunks)))
    drained = [chunks[index].level for index in drain(schedule_of(chunks, order="level"), 1)]
    assert drained == sorted(drained, reverse=True)


def test_until_it_says_so_a_viewer_looks_where_it_is_supposed_to() -> None:
    sides = [(0.0, 0, 9), (0.0, 0, -9), (9.0, 0, 0)]
    table = ChunkTable([chunk(1), *(chunk(0, 0, centre=side) for side in sides)])
    schedule = Schedule(table, view=looking(np.array([0, 0, -1.0])))
    assert [schedule.next_chunk() for _ in range(2)] == [0, 2]
    schedule.see(looking(np.array([1.0, 0, 0])))
    assert schedule.next_chunk() == 3


def test_without_a_view_the_order_is_that_of_the_file() -> None:
    chunks = manifest(7, 4)
    schedule = schedule_of(chunks)
    assert [schedule.next_chunk() for _ in chunks] == list(range(len(chunks)))
    assert schedule.next_chunk() is None


@settings(deadline=None, max_examples=20)
@given(SEEDS, SEEDS)
def test_a_head_at_rest_is_sent_the_most_error_per_byte_each_time(seed: int, head: int) -> None:
    """The short list is an economy: with one view it gives what going through all would."""
    chunks, view = manifest(seed, 5), looking(np.random.default_rng(head).normal(size=3))
    table, schedule = ChunkTable(chunks), schedule_of(chunks)
    schedule.see(view)
    worth = table.density * table.visible(np.arange(len(chunks)), foresee(view, 0.2, linger_s=LINGER_S))
    worth[table.parents < 0] += 1e9
    ready = set(table.children(-1).tolist())
    while (chunk_id := schedule.next_chunk(delay_s=0.2)) is not None:
        assert worth[chunk_id] == pytest.approx(max(worth[index] for index in ready), rel=1e-4)
        ready.remove(chunk_id)
        ready.update(table.children(chunk_id).tolist())
    assert not ready


def test_a_new_view_decides_at_once() -> None:
    chunks = [chunk(0, centre=(0, 0, z)) for z in (10, -10, 12)]
    schedule = schedule_of(chunks)
    schedule.see(looking(AHEAD))
    assert schedule.next_chunk() == 0
    schedule.see(looking(-AHEAD))
    assert [schedule.next_chunk(), schedule.next_chunk()] == [1, 2]


def test_a_turning_head_is_met_where_it_will_look_when_the_chunk_arrives() -> None:
    right, left = (8.0, 0.0, 6.0), (-8.0, 0.0, 6.0)
    chunks = [chunk(0, centre=left), chunk(0, centre=right), chunk(0, centre=left), chunk(0, centre=right)]
    schedule = schedule_of(chunks)
    schedule.see(View(np.zeros(3), np.eye(3), 1.0, 1.0, turn_rate=np.array([0, 2.0, 0])))
    assert [schedule.next_chunk(delay_s=0.4) for _ in chunks] == [1, 3, 0, 2]


def test_what_is_rough_behind_the_head_goes_before_what_is_fine_ahead() -> None:
    rough = [chunk(1, importance=1.0), chunk(0, 0, centre=(0, 0, -9), importance=100.0)]
    fine = [chunk(0, 0, centre=(0, 0, 9), importance=200.0 / 2**k) for k in range(10)]
    schedule = schedule_of(rough + fine)
    schedule.see(looking(AHEAD))
    order = [schedule.next_chunk() for _ in range(12)]
    assert order[:2] == [0, 2]
    assert 5 < order.index(1) < 11


def test_a_path_that_opens_much_goes_first() -> None:
    chunks = [
        chunk(2, importance=9.0),
        chunk(1, 0, importance=1.0),
        chunk(1, 0, importance=2.0),
        chunk(0, 1, importance=8.0),
    ]
    schedule = schedule_of(chunks)
    schedule.see(looking(AHEAD, np.array([0, 0, -20.0])))
    assert [schedule.next_chunk() for _ in chunks] == [0, 1, 3, 2]


@settings(deadline=None, max_examples=30)
@given(SEEDS, SEEDS, st.integers(0, 4000), NAMES)
def test_a_budget_of_splats_is_never_exceeded(seed: int, head: int, budget: int, name: str) -> None:
    chunks, rng = manifest(seed, 4), np.random.default_rng(head)
    schedule, held = schedule_of(chunks, order=name), set[int]()
    for _ in range(60):
        chunk_id = schedule.next_chunk(max_splats=budget)
        if chunk_id is None:
            leaves = sorted(held - {chunks[index].parent for index in held})
            gone = leaves[: rng.integers(0, 3)]
            held.difference_update(gone)
            schedule.forgotten(gone)
        else:
            held.add(chunk_id)
        schedule.see(looking(rng.normal(size=3)))
        assert schedule.splats == sum(chunks[index].count for index in held) <= budget
        assert schedule.remaining == len(chunks) - len(held)
        assert all(chunks[index].parent in held | {-1} for index in held)


def test_what_was_forgotten_is_sent_again_after_its_parent() -> None:
    chunks = [chunk(2), chunk(1, 0), chunk(0, 1)]
    schedule = schedule_of(chunks)
    assert [schedule.next_chunk() for _ in range(4)] == [0, 1, 2, None]
    schedule.forgotten([1, 2, 2, 77, -1])
    assert schedule.remaining == 2 and schedule.splats == 100
    assert [schedule.next_chunk() for _ in range(3)] == [1, 2, None]


def test_an_empty_manifest_needs_nothing() -> None:
    assert schedule_of([]).next_chunk() is None


def test_much_is_looked_at_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Per chunk asked for, few candidates are judged, however many there are."""
    looks: list[int] = []
    judge = ChunkTable.visible

    def counted(table: ChunkTable, ids: np.ndarray, outlook: object) -> np.ndarray:
        looks.append(len(ids))
        return judge(table, ids, outlook)  # type: ignore[arg-type]

    monkeypatch.setattr(ChunkTable, "visible", counted)
    rng = np.random.default_rng(0)
    places = rng.normal(scale=5, size=(20_000, 3))
    chunks = [chunk(1), *(chunk(0, 0, centre=tuple(place), importance=0.5) for place in places)]
    schedule = schedule_of(chunks)
    for step in range(200):
        turn = 0.01 * step
        schedule.see(looking(np.array([np.sin(turn), 0, np.cos(turn)])))
        assert schedule.next_chunk() is not None
    assert sum(looks) < 200 * 2500
