"""Pieces on a grid."""

import random

import pytest

from exgs.protocol import Channel, RemoteProtocolError
from exgs.protocol.fragments import Load, Pieces, fragment_size
from exgs.protocol.vocabulary import FRAGMENT_BYTES


def cut(data: bytes) -> list[tuple[int, bytes]]:
    return [
        (offset, data[offset : offset + fragment_size(offset, len(data))])
        for offset in range(0, len(data), FRAGMENT_BYTES)
    ]


@pytest.mark.parametrize(
    "size", [1, FRAGMENT_BYTES - 1, FRAGMENT_BYTES, FRAGMENT_BYTES + 1, 3 * FRAGMENT_BYTES + 5]
)
def test_pieces_in_any_order_make_the_whole(size: int) -> None:
    data = random.Random(size).randbytes(size)
    order = cut(data)
    random.Random(1).shuffle(order)
    pieces = Pieces(size)
    for offset, payload in order[:-1]:
        assert pieces.add(offset, size, payload) is None
    assert pieces.add(order[-1][0], size, order[-1][1]) == data


@pytest.mark.parametrize(
    ("offset", "total", "size", "complaint"),
    [
        (1, 50000, FRAGMENT_BYTES, "piece at 1"),
        (FRAGMENT_BYTES * 4, 50000, 100, "piece at 64800"),
        (0, 50000, FRAGMENT_BYTES - 1, "expected 16200"),
        (0, 50000, FRAGMENT_BYTES + 1, "expected 16200"),
        (FRAGMENT_BYTES * 3, 50000, FRAGMENT_BYTES, "expected 1400"),
        (0, 49999, FRAGMENT_BYTES, "total changed"),
    ],
)
def test_a_piece_that_does_not_fit_is_refused(offset: int, total: int, size: int, complaint: str) -> None:
    pieces = Pieces(50000)
    pieces.add(FRAGMENT_BYTES, 50000, bytes(FRAGMENT_BYTES))
    with pytest.raises(RemoteProtocolError, match=complaint):
        pieces.add(offset, total, bytes(size))
    assert pieces.held_bytes == FRAGMENT_BYTES


def test_a_piece_that_comes_twice_changes_nothing() -> None:
    pieces = Pieces(FRAGMENT_BYTES + 1)
    assert pieces.add(FRAGMENT_BYTES, FRAGMENT_BYTES + 1, b"a") is None
    assert pieces.add(FRAGMENT_BYTES, FRAGMENT_BYTES + 1, b"b") is None
    assert pieces.has(FRAGMENT_BYTES) and not pieces.has(0)
    whole = pieces.add(0, FRAGMENT_BYTES + 1, bytes(FRAGMENT_BYTES))
    assert whole == bytes(FRAGMENT_BYTES) + b"a"


def test_a_load_leaves_piece_by_piece_and_takes_back_what_a_channel_lost() -> None:
    data = random.Random(2).randbytes(2 * FRAGMENT_BYTES + 7)
    load = Load(4, data)
    assert load.pending_bytes == len(data)
    ways = [Channel.SCENE_1, Channel.SCENE_2, Channel.SCENE_1]
    cuts = [load.cut(channel) for channel in ways]
    assert b"".join(payload for _, payload in cuts) == data
    assert load.pending_bytes == 0
    assert load.take_back(Channel.SCENE_1) == FRAGMENT_BYTES + 7
    assert load.take_back(Channel.SCENE_1) == 0
    assert [load.cut(Channel.SCENE_2) for _ in range(2)] == [cuts[0], cuts[2]]
