"""What chunks are worth: nearer, in view, and with what they open."""

import math

import numpy as np
import pytest

from exgs.codec.manifest import ChunkInfo
from exgs.codec.worth import ANYWHERE, ChunkTable
from exgs.scene.outlook import View, foresee
from tests.server.manifests import chunk


def looking_ahead() -> object:
    return foresee(View(np.zeros(3), np.eye(3), 1.4, 1.2), 0.1)


def visible(chunks: list[ChunkInfo]) -> np.ndarray:
    return ChunkTable(chunks).visible(np.arange(len(chunks)), looking_ahead())


def test_children_are_found() -> None:
    table = ChunkTable([chunk(1), chunk(0, 0), chunk(1), chunk(0, 2), chunk(0, 0)])
    assert table.children(-1).tolist() == [0, 2]
    assert table.children(0).tolist() == [1, 4]
    assert table.children(2).tolist() == [3]
    assert table.children(4).tolist() == []


def test_nearer_counts_with_the_square_of_the_distance() -> None:
    ring = [chunk(0, centre=(10 * math.cos(a), 0, 10 * math.sin(a)), half=0.01) for a in (0.1, 2, 4)]
    ahead = [chunk(0, centre=(0, 0, d), half=0.01) for d in (4, 8, 16)]
    table = ChunkTable(ring + ahead)
    factors = table.visible(np.array([3, 4, 5]), looking_ahead()) / table._usual[3:]
    assert factors[0] / factors[1] == pytest.approx(4, rel=0.01)
    assert factors[1] / factors[2] == pytest.approx(4, rel=0.01)


def test_what_every_view_sees_from_afar_is_not_punished_for_it() -> None:
    """A background is as far from the encoder's views as from the viewer."""
    room = [
        chunk(0, centre=tuple(place), half=0.5) for place in np.random.default_rng(0).normal(size=(40, 3))
    ]
    factors = visible([*room, chunk(0, centre=(0, 0, 500), half=0.5, importance=0.1)])
    assert 0.8 < factors[-1] < 1.2


def test_behind_the_head_a_floor_is_left() -> None:
    ahead, behind = visible([chunk(0, centre=(0, 0, 9)), chunk(0, centre=(0, 0, -9))])
    assert behind / ahead == pytest.approx(ANYWHERE, rel=0.05)


def test_a_chunk_is_worth_the_best_path_that_it_opens() -> None:
    table = ChunkTable(
        [
            chunk(2, importance=1.0, size=10),
            chunk(1, 0, importance=2.0, size=10),
            chunk(1, 0, importance=0.1, size=10),
            chunk(0, 1, importance=30.0, size=10),
            chunk(0, 2, importance=0.05, size=10),
        ]
    )
    assert table.density == pytest.approx([33 / 30, 32 / 20, 0.1 / 10, 3.0, 0.005])


def test_no_chunks_at_all() -> None:
    table = ChunkTable([])
    assert table.count == 0 and len(table.children(-1)) == 0


def test_a_parent_must_be_coarser() -> None:
    with pytest.raises(ValueError, match="chunk 1 names 0"):
        ChunkTable([chunk(0), chunk(0, 0)])
    with pytest.raises(ValueError, match="chunk 0 names 5"):
        ChunkTable([chunk(0, 5)])


def test_chunks_that_improve_nothing_are_worth_nothing() -> None:
    table = ChunkTable([chunk(1, importance=0.0), chunk(0, 0, importance=0.0)])
    assert (table.density == 0).all()
    assert np.isfinite(table.visible(np.arange(2), looking_ahead())).all()
