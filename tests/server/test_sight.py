"""What chunks are worth from where: by the nearest places, in parts, and against level order."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exgs.codec import ChunkInfo
from exgs.codec.worth import ChunkTable
from exgs.scene.outlook import View, foresee
from exgs.server.orders import ORDERS
from exgs.server.schedule import Schedule
from exgs.server.sight import Scouted, Sight, sight_of
from tests.server.manifests import chunk, looking, manifest

PLACES = np.array([[0, 0, 0], [4.0, 0, 0]])


def two(errors: list[list[float]]) -> tuple[ChunkTable, Sight]:
    """Two chunks side by side, far ahead of both places."""
    table = ChunkTable([chunk(0, centre=(x, 0, 50.0), half=0.5) for x in (1.0, 3.0)])
    return table, sight_of(table, PLACES, boxes(table), np.array(errors)[:, :, None])


def boxes(table: ChunkTable) -> tuple[np.ndarray, np.ndarray]:
    return table.centres[:, None], table.variances[:, None]


def benefit(sight: Sight, position: tuple[float, float, float]) -> np.ndarray:
    outlook = foresee(looking(np.array([0, 0, 1.0]), np.array(position)), 0.1)
    return sight.benefit(np.arange(len(sight.centres)), outlook)


def test_where_pictures_were_drawn_they_decide() -> None:
    _, sight = two([[9.0, 1.0], [1.0, 9.0]])
    first, second = benefit(sight, (0, 0, 0))
    assert first / second == pytest.approx(9, rel=0.1)
    first, second = benefit(sight, (4, 0, 0))
    assert second / first == pytest.approx(9, rel=0.1)
    first, second = benefit(sight, (2, 0, 0))
    assert first / second == pytest.approx(1, rel=0.01)


def test_what_no_near_place_sees_comes_last_but_comes() -> None:
    _, sight = two([[5.0, 0.0], [0.0, 5.0]])
    seen, hidden = benefit(sight, (0, 0, 0))
    assert 0 < hidden < 0.02 * seen


def test_error_that_grows_counts_for_nothing() -> None:
    _, sight = two([[5.0, -3.0], [5.0, -3.0]])
    assert benefit(sight, (0, 0, 0))[1] == 0


def test_a_part_in_view_counts_and_one_behind_does_not() -> None:
    table = ChunkTable([chunk(0, half=9.0), chunk(0, half=9.0)])
    ends = np.array([[[0, 0, 8.0], [0, 0, -8.0]]] * 2)
    errors = np.array([[[3.0, 1.0], [1.0, 3.0]]])
    sight = sight_of(table, np.zeros((1, 3)), (ends, np.full_like(ends, 1e-4)), errors)
    ahead, behind = benefit(sight, (0, 0, 0))
    assert ahead / behind == pytest.approx(3, rel=0.1)


def test_a_chunk_is_worth_the_path_that_it_opens() -> None:
    table = ChunkTable(
        [chunk(1, centre=(0, 0, 9)), chunk(1, centre=(0, 0, 9)), chunk(0, 0, centre=(0, 0, 9))]
    )
    sight = sight_of(table, np.zeros((1, 3)), boxes(table), np.array([[[1.0], [2.0], [9.0]]]))
    opening, alone, _ = benefit(sight, (0, 0, 0))
    assert opening / alone == pytest.approx(2.5)


def test_it_travels_as_bytes() -> None:
    table, sight = two([[5.0, 1.0], [2.0, 5.0]])
    back = Sight.from_bytes(sight.to_bytes(), table.count)
    assert (benefit(back, (1, 2, 3)) == benefit(sight, (1, 2, 3))).all()
    for data, chunks in ((sight.to_bytes(), 3), (sight.to_bytes()[:200], 2), (b"", 2), (b"x" * 400, 2)):
        with pytest.raises((ValueError, EOFError)):
            Sight.from_bytes(data, chunks)


def looked_at(chunks: list[ChunkInfo], errors: np.ndarray, places: np.ndarray) -> Scouted:
    table = ChunkTable(chunks)
    return Scouted(sight_of(table, places, boxes(table), errors[:, :, None]))


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_a_head_at_rest_is_served_no_worse_than_level_by_level(seed: int, levels: int) -> None:
    """Error still seen, summed over the bytes sent, where all is in view and pictures tell the truth."""
    ahead = np.array([0, 0, 9.0], np.float32)
    chunks = [replace(one, bounds_min=ahead, bounds_max=ahead) for one in manifest(seed, levels)]
    errors = np.random.default_rng(seed).gamma(0.5, size=(1, len(chunks)))
    scouted = looked_at(chunks, errors, np.zeros((1, 3)))
    ours, blind = (still_wrong(chunks, errors[0], name, scouted) for name in ("error", "level"))
    assert ours <= 1.02 * blind


def still_wrong(chunks: list[ChunkInfo], saved: np.ndarray, name: str, scouted: Scouted) -> float:
    schedule = Schedule(ChunkTable(chunks), order=ORDERS[name], scouted=scouted)
    schedule.see(looking(np.array([0, 0, 1.0])))
    left, total = float(saved.sum()), 0.0
    while (id := schedule.next_chunk(delay_s=0.0)) is not None:
        total += left * chunks[id].size_bytes
        left -= float(saved[id])
    return total


def test_round_an_object_it_beats_the_order_of_levels() -> None:
    """Each of 64 faces of a ball saves what it shows; a head goes half way round while half of them come."""
    angles = np.random.default_rng(1).permutation(64) * 2 * math.pi / 64
    faces = np.stack([np.sin(angles), np.zeros(64), np.cos(angles)], axis=1)
    chunks = [chunk(1, importance=9.0)] + [chunk(0, 0, centre=tuple(face), half=0.05) for face in faces]
    places = 5 * faces[:16]
    facing = np.maximum(places @ faces.T / 5 - 0.2, 0.0)
    scouted = looked_at(chunks, np.concatenate([np.zeros((16, 1)), facing], axis=1), places)
    left = {name: 0.0 for name in ("error", "level")}
    for name in left:
        schedule, sent = Schedule(ChunkTable(chunks), order=ORDERS[name], scouted=scouted), np.zeros(64)
        for step in range(32):
            turn = math.pi * step / 32
            eye = 5 * np.array([math.sin(turn), 0, math.cos(turn)])
            schedule.see(looking(-eye, eye))
            id = schedule.next_chunk(delay_s=0.1)
            sent[max(id or 0, 1) - 1] = 1
            left[name] += float((np.maximum(eye @ faces.T / 5 - 0.2, 0.0) * (1 - sent)).sum())
    assert left["error"] < 0.8 * left["level"]


def test_it_is_used_as_soon_as_it_is_known() -> None:
    chunks = [chunk(1)] + [chunk(0, 0, centre=(0, 0, 9.0), importance=1.0 + n) for n in range(8)]
    scouted = Scouted()
    schedule = Schedule(ChunkTable(chunks), scouted=scouted)
    schedule.see(looking(np.array([0, 0, 1.0])))
    assert [schedule.next_chunk() for _ in range(3)] == [0, 8, 7]
    errors = np.array([[0.0, 9, 8, 7, 6, 5, 4, 3, 2]])
    scouted.sight = looked_at(chunks, errors, np.zeros((1, 3))).sight
    assert [schedule.next_chunk() for _ in range(7)] == [1, 2, 3, 4, 5, 6, None]


def test_who_cannot_hold_all_is_served_by_what_the_file_says() -> None:
    """Its viewer lets go by that measure."""
    chunks = [chunk(1)] + [chunk(0, 0, centre=(0, 0, 9.0), importance=1.0 + n) for n in range(8)]
    scouted = looked_at(chunks, np.arange(9.0)[None, ::-1], np.zeros((1, 3)))
    schedule = Schedule(ChunkTable(chunks), scouted=scouted)
    schedule.see(looking(np.array([0, 0, 1.0])))
    assert [schedule.next_chunk(max_splats=899) for _ in range(3)] == [0, 8, 7]
    assert schedule.next_chunk(max_splats=900) == 1


def test_many_chunks_are_looked_at_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Per chunk asked for, few candidates are judged, however many there are."""
    looks: list[int] = []
    judge = Sight.benefit

    def counted(sight: Sight, ids: np.ndarray, outlook: object) -> np.ndarray:
        looks.append(len(ids))
        return judge(sight, ids, outlook)  # type: ignore[arg-type]

    monkeypatch.setattr(Sight, "benefit", counted)
    rng = np.random.default_rng(0)
    places = rng.normal(scale=5, size=(5_000, 3))
    chunks = [chunk(1), *(chunk(0, 0, centre=tuple(place)) for place in places)]
    schedule = Schedule(
        ChunkTable(chunks), scouted=looked_at(chunks, rng.random((3, len(chunks))), np.eye(3))
    )
    for step in range(200):
        turn = 0.01 * step
        schedule.see(
            View(np.zeros(3), looking(np.array([np.sin(turn), 0, np.cos(turn)])).camera_from_world, 1, 1)
        )
        assert schedule.next_chunk() is not None
    assert sum(looks) < 200 * 1000
