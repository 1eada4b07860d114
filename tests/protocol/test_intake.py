"""Scene bytes that arrive."""

import pytest

from exgs.protocol import (
    Channel,
    ChunkReceived,
    CloseCode,
    ConnectionConfig,
    ManifestReceived,
    RemoteProtocolError,
)
from exgs.protocol.intake import Intake
from exgs.protocol.messages import ChunkFragment, Forgotten, ManifestFragment, OpenScene, Receipt
from exgs.protocol.vocabulary import FRAGMENT_BYTES, MAX_CHUNK_BYTES, MAX_HELD_BYTES

BIG = FRAGMENT_BYTES + 100


def receipt(opening: int, taken: int, chunks: tuple[int, ...] = ()) -> Receipt:
    """As of an intake that was not told of channels."""
    return Receipt(opening, taken, chunks, (0, 0, 0, 0, 0))


def opened(scene: int = 7) -> Intake:
    intake = Intake(ConnectionConfig())
    intake.open(OpenScene(scene))
    return intake


def streaming() -> Intake:
    intake = opened()
    assert intake.manifest_fragment(ManifestFragment(1, 0, 1, b"m"), 0.0) == [ManifestReceived(7, b"m")]
    return intake


def test_a_chunk_waits_for_its_manifest() -> None:
    intake = opened()
    assert intake.chunk_fragment(ChunkFragment(1, 0, 0, 1, b"c"), 0.0) == []
    assert intake.manifest_fragment(ManifestFragment(1, FRAGMENT_BYTES, BIG, bytes(100)), 0.0) == []
    assert intake.manifest_fragment(ManifestFragment(1, 0, BIG, bytes(FRAGMENT_BYTES)), 0.0) == [
        ManifestReceived(7, bytes(BIG)),
        ChunkReceived(7, 0, b"c"),
    ]


def test_bytes_of_a_chunk_are_confirmed_once_it_is_taken() -> None:
    intake = streaming()
    assert intake.receipt(0.0) == receipt(1, 1)
    intake.chunk_fragment(ChunkFragment(1, 4, 0, BIG, bytes(FRAGMENT_BYTES)), 0.1)
    (chunk,) = intake.chunk_fragment(ChunkFragment(1, 4, FRAGMENT_BYTES, BIG, bytes(100)), 0.1)
    assert intake.receipt_due_s() == pytest.approx(0.05), "what arrived is told too"
    assert isinstance(chunk, ChunkReceived)
    intake.take(chunk)
    assert intake.receipt_due_s() == pytest.approx(0.05)
    assert intake.receipt(0.1) == receipt(1, 1 + BIG, (4,))
    assert intake.receipt_due_s() is None


def test_a_receipt_names_a_bounded_number_of_chunks() -> None:
    intake = streaming()
    for number in range(1500):
        (chunk,) = intake.chunk_fragment(ChunkFragment(1, number, 0, 1, b"c"), 0.0)
        assert isinstance(chunk, ChunkReceived)
        intake.take(chunk)
    assert len(intake.receipt(0.0).chunks) == 1024
    assert intake.receipt_due_s() is not None
    assert intake.receipt(0.1).chunks == tuple(range(1024, 1500))


def test_another_scene_lets_go_and_confirms_what_was_held() -> None:
    intake = streaming()
    intake.chunk_fragment(ChunkFragment(1, 4, 0, BIG, bytes(FRAGMENT_BYTES)), 0.1)
    intake.open(OpenScene(8))
    assert intake.receipt(0.1) == receipt(2, 1 + FRAGMENT_BYTES)
    assert intake.chunk_fragment(ChunkFragment(1, 4, FRAGMENT_BYTES, BIG, bytes(100)), 0.2) == []
    assert intake.receipt(0.2) == receipt(2, 1 + BIG)
    assert intake.manifest_fragment(ManifestFragment(2, 0, 1, b"n"), 0.3) == [ManifestReceived(8, b"n")]


@pytest.mark.parametrize(
    ("fragment", "complaint"),
    [
        (ChunkFragment(2, 0, 0, 1, b"c"), "not opened"),
        (ChunkFragment(1, 8, FRAGMENT_BYTES, BIG + 1, bytes(101)), "total changed"),
        (ChunkFragment(1, 3, 5, 10, bytes(5)), "piece at 5"),
    ],
)
def test_a_fragment_that_breaks_the_rules_is_a_violation(fragment: ChunkFragment, complaint: str) -> None:
    intake = streaming()
    intake.chunk_fragment(ChunkFragment(1, 9, 0, 1, b"c"), 0.0)
    intake.chunk_fragment(ChunkFragment(1, 8, 0, BIG, bytes(FRAGMENT_BYTES)), 0.0)
    with pytest.raises(RemoteProtocolError, match=complaint) as caught:
        intake.chunk_fragment(fragment, 0.0)
    assert caught.value.close_code is CloseCode.VIOLATION


def test_what_comes_twice_is_counted_and_dropped() -> None:
    intake = streaming()
    first, rest = (
        ChunkFragment(1, 8, 0, BIG, bytes(FRAGMENT_BYTES)),
        ChunkFragment(1, 8, FRAGMENT_BYTES, BIG, bytes(100)),
    )
    assert intake.chunk_fragment(first, 0.0) == intake.chunk_fragment(first, 0.0) == []
    assert intake.chunk_fragment(rest, 0.0) == [ChunkReceived(7, 8, bytes(BIG))]
    assert intake.chunk_fragment(rest, 0.0) == []
    assert intake.manifest_fragment(ManifestFragment(1, 0, 1, b"m"), 0.0) == []
    assert intake.redundant_bytes == FRAGMENT_BYTES + 100 + 1
    assert intake.held_bytes == BIG
    assert intake.receipt(0.0).taken_bytes == 1 + intake.redundant_bytes


def test_a_piece_of_a_manifest_may_come_twice() -> None:
    intake = opened()
    piece = ManifestFragment(1, FRAGMENT_BYTES, BIG, bytes(100))
    assert intake.manifest_fragment(piece, 0.0) == intake.manifest_fragment(piece, 0.0) == []
    (event,) = intake.manifest_fragment(ManifestFragment(1, 0, BIG, bytes(FRAGMENT_BYTES)), 0.0)
    assert event == ManifestReceived(7, bytes(BIG))


def test_a_server_that_only_repeats_itself_is_a_flood() -> None:
    intake = streaming()
    piece = ChunkFragment(1, 8, 0, BIG, bytes(FRAGMENT_BYTES))
    with pytest.raises(RemoteProtocolError, match="sent twice") as caught:
        for _ in range(2 + MAX_HELD_BYTES // FRAGMENT_BYTES):
            intake.chunk_fragment(piece, 0.0)
    assert caught.value.close_code is CloseCode.FLOOD


def test_a_manifest_that_holds_lets_chunks_through() -> None:
    intake = Intake(ConnectionConfig())
    intake.open(OpenScene(7, b"\x01", b"digest"))
    assert intake.chunk_fragment(ChunkFragment(1, 4, 0, 1, b"c"), 0.0) == []
    assert intake.keep_manifest(8) == []
    assert intake.keep_manifest(7) == [ChunkReceived(7, 4, b"c")]
    assert intake.chunk_fragment(ChunkFragment(1, 5, 0, 1, b"d"), 0.0) == [ChunkReceived(7, 5, b"d")]


def test_a_manifest_that_was_not_named_cannot_hold() -> None:
    intake = opened()
    assert intake.chunk_fragment(ChunkFragment(1, 4, 0, 1, b"c"), 0.0) == []
    assert intake.keep_manifest(7) == []


def test_a_receipt_tells_what_each_channel_brought() -> None:
    intake = streaming()
    intake.arrived_on(Channel.SCENE_2, 70)
    intake.arrived_on(Channel.SCENE_0, 5)
    assert intake.receipt(0.0).arrived_bytes == (5, 0, 70, 0, 0)


def test_nothing_may_come_before_a_scene_is_opened() -> None:
    intake = Intake(ConnectionConfig())
    with pytest.raises(RemoteProtocolError, match="before any scene"):
        intake.chunk_fragment(ChunkFragment(0, 0, 0, 1, b"c"), 0.0)


def test_what_a_server_may_leave_here_is_bounded() -> None:
    intake = streaming()
    sent = 0
    with pytest.raises(RemoteProtocolError) as caught:
        while sent < 2 * MAX_HELD_BYTES:
            number, offset = divmod(sent // FRAGMENT_BYTES, 64)
            piece = ChunkFragment(1, number, offset * FRAGMENT_BYTES, MAX_CHUNK_BYTES, bytes(FRAGMENT_BYTES))
            intake.chunk_fragment(piece, 0.0)
            sent += FRAGMENT_BYTES
    assert caught.value.close_code is CloseCode.FLOOD
    assert intake.held_bytes <= MAX_HELD_BYTES


def test_how_many_chunks_may_be_under_way_is_bounded() -> None:
    intake = streaming()
    with pytest.raises(RemoteProtocolError, match="chunks under way"):
        for number in range(2049):
            intake.chunk_fragment(ChunkFragment(1, number, 0, 1, b"c"), 0.0)


def test_what_was_let_go_may_come_again() -> None:
    intake = streaming()
    fragment = ChunkFragment(1, 4, 0, 1, b"c")
    (first,) = intake.chunk_fragment(fragment, 0.0)
    intake.take(first)
    intake.forget(Forgotten(6, (4,)))
    assert intake.chunk_fragment(fragment, 0.0) == []
    intake.forget(Forgotten(7, (4, 9)))
    assert intake.chunk_fragment(fragment, 0.0) == [first]
