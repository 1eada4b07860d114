"""Letting go: properties over random manifests, and with the server's schedule in the loop."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exgs.client.errors import ClientError
from exgs.client.eviction import AT_ONCE_SHARE, Keeper, check_budget, least_splats
from exgs.codec import ChunkInfo
from exgs.codec.worth import ChunkTable
from exgs.server.schedule import Schedule
from tests.server.manifests import chunk, looking, manifest

SEEDS = st.integers(0, 2**32 - 1)
AHEAD = np.array([0.0, 0, 1])


class Preamble:
    """As much of a preamble as a keeper asks for."""

    def __init__(self, chunks: list[ChunkInfo]) -> None:
        self.chunks = tuple(chunks)


def keeper_of(chunks: list[ChunkInfo], budget: int) -> Keeper:
    return Keeper(Preamble(chunks), budget)  # type: ignore[arg-type]


def holding(chunks: list[ChunkInfo], ids: list[int]) -> np.ndarray:
    held = np.zeros(len(chunks), bool)
    held[ids] = True
    return held


@settings(deadline=None, max_examples=40)
@given(SEEDS, SEEDS, st.floats(0.2, 1.0))
def test_only_leaves_go_and_never_what_has_no_parent(seed: int, head: int, share: float) -> None:
    chunks, rng = manifest(seed, 4), np.random.default_rng(head)
    held = np.zeros(len(chunks), bool)
    for index, info in enumerate(chunks):
        held[index] = info.parent < 0 or (held[info.parent] and rng.random() < share)
    splats = sum(info.count for info, there in zip(chunks, held, strict=True) if there)
    gone = keeper_of(chunks, splats).choose(held, looking(rng.normal(size=3)))
    assert len(set(gone)) == len(gone) and held[gone].all()
    parents = {info.parent for info, there in zip(chunks, held, strict=True) if there}
    assert all(chunks[index].parent >= 0 and index not in parents for index in gone)
    most = max(info.count for info in chunks)
    assert sum(chunks[index].count for index in gone) <= splats * AT_ONCE_SHARE + 2 * most


def test_what_is_behind_goes_for_what_is_ahead() -> None:
    chunks = [chunk(1, splats=10)]
    chunks += [chunk(0, 0, centre=(0, 0, z), splats=10) for z in (9, 10, -9, -10)]
    keeper = keeper_of(chunks, 30)
    held = holding(chunks, [0, 3, 4])
    assert keeper.choose(held, looking(AHEAD)) == [4]
    assert keeper.choose(held, looking(-AHEAD)) == []
    assert keeper.choose(held, None) == []


def test_nothing_goes_while_there_is_room() -> None:
    chunks = [chunk(1, splats=10), *(chunk(0, 0, centre=(0, 0, z), splats=10) for z in (9, -9))]
    held = holding(chunks, [0, 2])
    assert keeper_of(chunks, 40).choose(held, looking(AHEAD)) == []
    assert keeper_of(chunks, 20).choose(held, looking(AHEAD)) == [2]


def test_a_little_better_is_not_enough() -> None:
    def gone(importance: float) -> list[int]:
        chunks = [chunk(1, splats=10), chunk(0, 0, centre=(0, 0, 9), splats=10)]
        chunks.append(chunk(0, 0, centre=(0, 0, 9), splats=10, importance=importance))
        return keeper_of(chunks, 20).choose(holding(chunks, [0, 1]), looking(AHEAD))

    assert gone(1.4) == [] and gone(1.6) == [1]


def test_what_does_not_fit_is_not_taken() -> None:
    chunks = [chunk(1, splats=10), chunk(0, 0, splats=11)]
    assert not keeper_of(chunks, 20).room_for(1, holding(chunks, [0]))
    assert keeper_of(chunks, 21).room_for(1, holding(chunks, [0]))


def test_a_budget_must_hold_the_coarsest_level() -> None:
    preamble: Any = Preamble([chunk(1, splats=10), chunk(1, splats=12), chunk(0, 0, splats=100)])
    assert least_splats(preamble) == 22
    check_budget(preamble, 22)
    check_budget(preamble, 0)
    with pytest.raises(ClientError, match=r"21 splats may be held, .* alone has 22"):
        check_budget(preamble, 21)


@pytest.mark.parametrize("delay_s", [0.05, 0.5, 1.5])
@pytest.mark.parametrize("seed", range(6))
def test_with_the_schedule_it_comes_to_rest_within_the_budget_and_follows_a_turn(
    seed: int, delay_s: float
) -> None:
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(40, 3))
    places *= 6 / np.linalg.norm(places, axis=1, keepdims=True)
    chunks = [chunk(2, splats=50)]
    chunks += [chunk(1, 0, centre=tuple(place), importance=50.0, splats=100) for place in places]
    for parent in range(1, 41):
        around = tuple(places[parent - 1] + rng.normal(scale=0.3, size=3))
        chunks += [chunk(0, parent, centre=around, importance=20.0, splats=150) for _ in range(3)]
    budget = sum(info.count for info in chunks) // 4
    table, keeper = ChunkTable(chunks), keeper_of(chunks, budget)
    schedule, held = Schedule(table), np.zeros(len(chunks), bool)

    def settle(direction: np.ndarray) -> int:
        view, exchanged = looking(direction), 0
        for _ in range(300):
            schedule.see(view)
            while (found := schedule.next_chunk(max_splats=budget, delay_s=delay_s)) is not None:
                held[found] = True
            assert schedule.splats == table.splats[held].sum() <= budget
            gone = keeper.choose(held, view)
            if not gone:
                return exchanged
            held[gone] = False
            schedule.forgotten(gone)
            exchanged += len(gone)
        raise AssertionError("chunks come and go without end")

    def fine_ahead(direction: np.ndarray) -> int:
        ahead = table.centres @ direction > 4
        return int((held & ahead & (table.levels == 0)).sum())

    settle(AHEAD)
    before = fine_ahead(-AHEAD)
    assert settle(-AHEAD) > 0
    assert fine_ahead(-AHEAD) > before
    assert settle(-AHEAD) == 0, "nothing goes for nothing"
