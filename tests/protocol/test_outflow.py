"""Scene bytes on their way out."""

import pytest

from exgs.protocol import Channel, ConnectionConfig, LocalProtocolError, RemoteProtocolError
from exgs.protocol.messages import ChunkFragment, Forgotten, ManifestFragment, OpenScene, Receipt
from exgs.protocol.outflow import Outflow
from exgs.protocol.vocabulary import FRAGMENT_BYTES, MAX_CHUNK_BYTES, MAX_CHUNKS, MAX_MANIFEST_BYTES
from exgs.protocol.wire import parse

WIDE = 100 << 20
CONFIG = ConnectionConfig(min_credit_bytes=200_000, min_window_bytes=WIDE)


def streaming(config: ConnectionConfig = CONFIG) -> Outflow:
    """Scene 3 is open and its manifest has left and was taken."""
    outflow = Outflow(config)
    outflow.open(OpenScene(3))
    assert outflow.queue_manifest(3, b"manifest")
    assert len(list(outflow.fragments(None, 0.0))) == 1
    outflow.receipt(Receipt(1, 8), 0.0)
    outflow.lanes.set_buffered(Channel.SCENE_0, 0)
    return outflow


def drain(outflow: Outflow, now_s: float = 0.0) -> int:
    """Bytes of payload that leave while the link takes everything at once."""
    before = outflow.credit.sent_bytes
    while list(outflow.fragments(None, now_s)):
        for channel in Channel:
            outflow.lanes.set_buffered(channel, 0)
    return outflow.credit.sent_bytes - before


def test_fragments_carry_the_opening_and_the_grid() -> None:
    outflow = streaming()
    data = bytes(range(250)) * 200
    outflow.queue_chunk(3, 9, data)
    parsed = [parse(message, channel) for channel, message in outflow.fragments(None, 0.0)]
    assert [(piece.opening, piece.chunk, piece.offset, piece.total) for piece in parsed] == [
        (1, 9, offset, 50_000) for offset in range(0, 50_000, FRAGMENT_BYTES)
    ]
    assert b"".join(piece.payload for piece in parsed) == data
    assert all(isinstance(piece, ChunkFragment) for piece in parsed)


def test_the_manifest_goes_first() -> None:
    outflow = Outflow(CONFIG)
    outflow.open(OpenScene(3))
    with pytest.raises(LocalProtocolError, match="before the manifest"):
        outflow.queue_chunk(3, 0, b"x")
    assert not outflow.room(None, 0.0)
    outflow.queue_manifest(3, b"m")
    outflow.queue_chunk(3, 0, b"x")
    kinds = [type(parse(message, channel)) for channel, message in outflow.fragments(None, 0.0)]
    assert kinds == [ManifestFragment, ChunkFragment]


def test_there_is_room_only_when_the_last_chunk_has_left() -> None:
    outflow = streaming()
    assert outflow.room(None, 0.0)
    outflow.queue_chunk(3, 0, bytes(40_000))
    assert not outflow.room(None, 0.0)
    list(outflow.fragments(None, 0.0))
    assert outflow.room(None, 0.0)


def test_a_full_link_takes_nothing_until_it_is_half_empty() -> None:
    outflow = streaming()
    outflow.queue_chunk(3, 0, bytes(150_000))
    assert sum(len(message) for _, message in outflow.fragments(None, 0.0)) < 64 * 1024 + FRAGMENT_BYTES + 100
    for level, leaves in ((64_000, False), (40_000, False), (32 << 10, False), ((32 << 10) - 1, True)):
        outflow.lanes.set_buffered(Channel.SCENE_0, level)
        assert bool(list(outflow.fragments(None, 0.0))) == leaves


def test_control_and_bulk_of_one_link_are_counted_together() -> None:
    outflow = streaming()
    outflow.lanes.set_buffered(Channel.CONTROL, 64 << 10)
    assert not outflow.room(None, 0.0)
    outflow.set_channels((Channel.SCENE_0, Channel.SCENE_1))
    assert outflow.room(None, 0.0)
    outflow.queue_chunk(3, 0, bytes(1000))
    assert [channel for channel, _ in outflow.fragments(None, 0.0)] == [Channel.SCENE_1]


def test_fragments_spread_over_the_links() -> None:
    outflow = streaming()
    outflow.set_channels((Channel.SCENE_0, Channel.SCENE_1, Channel.SCENE_2))
    outflow.queue_chunk(3, 0, bytes(FRAGMENT_BYTES * 6))
    used = [channel for channel, _ in outflow.fragments(None, 0.0)]
    assert {channel: used.count(channel) for channel in used} == {
        Channel.SCENE_0: 2,
        Channel.SCENE_1: 2,
        Channel.SCENE_2: 2,
    }


def test_credit_stops_the_flow_and_a_receipt_starts_it_again() -> None:
    outflow = streaming()
    for chunk in range(5):
        outflow.queue_chunk(3, chunk, bytes(60_000))
    sent = drain(outflow)
    assert 200_000 - FRAGMENT_BYTES < sent <= 200_000
    outflow.receipt(Receipt(1, 8 + 120_000, (0, 1)), 0.1)
    assert drain(outflow, 0.1) == 300_000 - sent


def test_many_tiny_chunks_are_bounded_too() -> None:
    outflow = streaming()
    chunk = 0
    while outflow.room(None, 0.0):
        outflow.queue_chunk(3, chunk, b"x")
        drain(outflow)
        chunk += 1
    assert chunk == 2048
    outflow.receipt(Receipt(1, 9, (0,)), 0.1)
    assert outflow.room(None, 0.1)


def test_a_chunk_leaves_once() -> None:
    outflow = streaming()
    assert outflow.queue_chunk(3, 5, b"x")
    assert not outflow.queue_chunk(3, 5, b"x")
    assert not outflow.queue_manifest(3, b"again")
    assert not outflow.queue_chunk(4, 6, b"x")


def test_chunks_that_the_client_has_do_not_leave_where_its_manifest_holds() -> None:
    outflow = Outflow(CONFIG)
    outflow.open(OpenScene(3, b"\x02\x80", b"digest"))
    assert not outflow.keep_manifest(4)
    assert outflow.keep_manifest(3)
    assert [chunk for chunk in range(20) if not outflow.queue_chunk(3, chunk, b"x")] == [1, 15]
    assert not outflow.queue_manifest(3, b"m")


@pytest.mark.parametrize("digest", [b"digest", b""])
def test_with_another_manifest_what_the_client_has_is_worth_nothing(digest: bytes) -> None:
    outflow = Outflow(CONFIG)
    outflow.open(OpenScene(3, b"\x02\x80", digest))
    outflow.queue_manifest(3, b"m")
    assert all(outflow.queue_chunk(3, chunk, b"x") for chunk in range(20))


LINKS = (Channel.SCENE_1, Channel.SCENE_2)


def striped() -> Outflow:
    """Two links, and six fragments of chunk 0 and one of chunk 1 on them."""
    outflow = streaming(ConnectionConfig(min_window_bytes=WIDE))
    outflow.set_channels(LINKS)
    outflow.queue_chunk(3, 0, bytes(FRAGMENT_BYTES * 6))
    outflow.queue_chunk(3, 1, bytes(50))
    assert len(list(outflow.fragments(None, 0.0))) == 7
    return outflow


def places(outflow: Outflow, now_s: float = 0.0) -> list[tuple[int, int, Channel]]:
    """Chunk, piece and channel of what leaves."""
    sent = []
    for channel, message in outflow.fragments(None, now_s):
        fragment = parse(message, channel)
        assert isinstance(fragment, ChunkFragment)
        sent.append((fragment.chunk, fragment.offset // FRAGMENT_BYTES, channel))
    return sent


def test_what_was_under_way_on_a_lost_link_goes_by_the_others() -> None:
    outflow = striped()
    before = outflow.credit.open_bytes
    outflow.set_channels((Channel.SCENE_2,))
    assert outflow.credit.open_bytes < before
    outflow.lanes.set_buffered(Channel.SCENE_2, 0)
    again = places(outflow)
    assert {channel for *_, channel in again} == {Channel.SCENE_2}
    assert [piece for chunk, piece, _ in again if chunk == 0] == [0, 2, 4]
    assert outflow.repeated_bytes == sum(50 if chunk else FRAGMENT_BYTES for chunk, *_ in again)
    assert outflow.credit.open_bytes == before


def test_without_further_links_everything_falls_back_to_connection_0() -> None:
    outflow = striped()
    outflow.set_channels((Channel.SCENE_0,))
    outflow.lanes.set_buffered(Channel.SCENE_0, 0)
    again = places(outflow)
    assert again == [(0, piece, Channel.SCENE_0) for piece in (0, 2, 4, 1, 3)]
    assert outflow.credit.open_bytes + outflow.queued_bytes == FRAGMENT_BYTES * 6 + 50


def test_what_is_confirmed_is_not_sent_again() -> None:
    outflow = striped()
    outflow.receipt(Receipt(1, 8 + 50, (1,), (8, 3 * FRAGMENT_BYTES + 50)), 0.1)
    outflow.set_channels((Channel.SCENE_2,))
    assert {chunk for chunk, *_ in places(outflow)} == {0}
    outflow.receipt(Receipt(1, 8 + 50 + 6 * FRAGMENT_BYTES, (0,)), 0.2)
    assert outflow.queued_bytes == 0
    outflow.set_channels((Channel.SCENE_0,))
    assert places(outflow) == []


def test_a_manifest_that_may_be_lost_is_sent_again_until_a_chunk_is_taken() -> None:
    outflow = Outflow(CONFIG)
    outflow.set_channels(LINKS)
    outflow.open(OpenScene(3))
    outflow.queue_manifest(3, b"manifest")
    (first,) = outflow.fragments(None, 0.0)
    outflow.set_channels(tuple(channel for channel in LINKS if channel is not first[0]))
    ((channel, again),) = outflow.fragments(None, 0.0)
    assert channel is not first[0] and again == first[1]
    outflow.queue_chunk(3, 0, b"x")
    list(outflow.fragments(None, 0.0))
    outflow.receipt(Receipt(1, 17, (0,)), 0.1)
    outflow.set_channels((Channel.SCENE_0,))
    assert list(outflow.fragments(None, 0.1)) == []


def test_a_link_that_carries_nothing_is_passed_over_until_it_does() -> None:
    outflow = striped()
    on_two = 3 * FRAGMENT_BYTES
    for step in range(1, 9):
        outflow.receipt(Receipt(1, 8, (), (8, 0, on_two * step // 8)), step / 2)
        outflow.watch(step / 2)
    assert outflow.lanes.in_use == (Channel.SCENE_2,)
    outflow.lanes.set_buffered(Channel.SCENE_2, 0)
    assert [piece for chunk, piece, _ in places(outflow, 4.0) if chunk == 0] == [0, 2, 4]
    outflow.receipt(Receipt(1, 8, (), (8, FRAGMENT_BYTES)), 4.5)
    assert outflow.lanes.in_use == LINKS


def test_nobody_is_late_from_before_a_silence() -> None:
    outflow = striped()
    outflow.lanes.awake(30.0)
    outflow.watch(30.1)
    assert outflow.lanes.in_use == LINKS
    outflow.watch(34.1)
    assert outflow.lanes.in_use == (Channel.SCENE_0,)


@pytest.mark.parametrize("arrived", [(9,), (8, 10**6), (7,)])
def test_arrivals_that_cannot_be_are_refused(arrived: tuple[int, ...]) -> None:
    outflow = striped()
    outflow.receipt(Receipt(1, 8, (), (8,)), 0.1)
    with pytest.raises(RemoteProtocolError, match="bytes arrived on"):
        outflow.receipt(Receipt(1, 8, (), arrived), 0.2)


def test_another_scene_drops_what_is_queued() -> None:
    outflow = streaming()
    outflow.queue_chunk(3, 0, bytes(100_000))
    list(outflow.fragments(None, 0.0))
    outflow.open(OpenScene(4))
    assert outflow.queued_bytes == 0
    assert not outflow.queue_chunk(3, 1, b"late")
    outflow.queue_manifest(4, b"m")
    outflow.lanes.set_buffered(Channel.SCENE_0, 0)
    ((_, message),) = outflow.fragments(None, 0.0)
    assert parse(message, Channel.SCENE_0) == ManifestFragment(2, 0, 1, b"m")


def test_receipts_of_an_earlier_opening_return_credit_alone() -> None:
    outflow = streaming()
    outflow.queue_chunk(3, 0, bytes(10))
    list(outflow.fragments(None, 0.0))
    outflow.open(OpenScene(4))
    assert outflow.receipt(Receipt(1, 18, (0,)), 0.1) == ()
    assert outflow.credit.open_bytes == 0


def test_a_receipt_for_what_was_not_sent_is_refused() -> None:
    outflow = streaming()
    with pytest.raises(RemoteProtocolError, match="chunk 7"):
        outflow.receipt(Receipt(1, 8, (7,)), 0.1)


def test_the_clients_rate_is_kept() -> None:
    outflow = streaming(ConnectionConfig(min_credit_bytes=10 << 20, min_window_bytes=WIDE))
    outflow.allow(200_000)
    assert outflow.ready_s(0.0) is None
    outflow.queue_chunk(3, 0, bytes(1_000_000))
    now_s, times = 0.0, 0
    while outflow.queued_bytes:
        drain(outflow, now_s)
        now_s = outflow.ready_s(now_s) or now_s
        times += 1
    assert now_s == pytest.approx(5.0, rel=0.03)
    assert times > 50


def test_a_higher_rate_does_not_wait_for_what_was_sent_at_a_lower_one() -> None:
    outflow = streaming(ConnectionConfig(min_credit_bytes=10 << 20, min_window_bytes=WIDE))
    outflow.allow(1)
    outflow.queue_chunk(3, 0, bytes(50_000))
    drain(outflow, 0.0)
    assert (outflow.ready_s(0.0) or 0.0) > 3600.0
    outflow.allow(1)
    assert (outflow.ready_s(0.0) or 0.0) > 3600.0, "the same rate once more"
    outflow.allow(1_000_000)
    assert outflow.ready_s(0.0) is None
    drain(outflow, 0.1)
    assert outflow.queued_bytes < 33_800


@pytest.mark.parametrize(("chunk", "size"), [(-1, 1), (MAX_CHUNKS, 1), (0, 0), (0, MAX_CHUNK_BYTES + 1)])
def test_chunks_beyond_the_limits_are_the_callers_mistake(chunk: int, size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"chunk {chunk} of {size} bytes"):
        streaming().queue_chunk(3, chunk, bytes(size))


@pytest.mark.parametrize("size", [0, MAX_MANIFEST_BYTES + 1])
def test_manifests_beyond_the_limits_are_the_callers_mistake(size: int) -> None:
    with pytest.raises(LocalProtocolError, match=f"manifest of {size} bytes"):
        Outflow(CONFIG).queue_manifest(0, bytes(size))


def test_what_the_client_has_let_go_is_sent_once_more() -> None:
    outflow = streaming()
    assert outflow.queue_chunk(3, 5, b"x") and not outflow.queue_chunk(3, 5, b"x")
    outflow.forget(Forgotten(2, (5,)))
    outflow.forget(Forgotten(3, (6,)))
    assert not outflow.queue_chunk(3, 5, b"x")
    assert outflow.queue_chunk(3, 6, b"x")
    outflow.forget(Forgotten(3, (5,)))
    assert outflow.receipt(Receipt(1, 8, (5,)), 0.0) == (5,)
    assert outflow.queue_chunk(3, 5, b"x") and not outflow.queue_chunk(3, 5, b"x")
    outflow.forget(Forgotten(3, (5,)))
    outflow.open(OpenScene(3))
    outflow.queue_manifest(3, b"manifest")
    assert outflow.queue_chunk(3, 5, b"x") and not outflow.queue_chunk(3, 5, b"x")


def test_one_link_holds_what_it_carries_and_several_hold_more() -> None:
    outflow = streaming(ConnectionConfig(min_window_bytes=64_000))
    for chunk in range(20):
        outflow.queue_chunk(3, chunk, bytes(20_000))
    sent = drain(outflow)
    assert 64_000 <= sent < 64_000 + FRAGMENT_BYTES
    for step in range(1, 6):  # 100 kB in 0.1 s, with a quiet round trip of 0.08 s
        outflow.receipt(Receipt(1, 8, (), (8 + sent * step // 5,)), 0.02 * step, quiet_s=0.08)
    assert drain(outflow, 0.1) == pytest.approx(1.75 * 0.8 * sent / 0.08 * 0.1, abs=FRAGMENT_BYTES)
    outflow.set_channels((Channel.SCENE_1, Channel.SCENE_2))
    for channel in Channel:
        outflow.lanes.set_buffered(channel, 0)
    drain(outflow, 0.1)
    assert outflow.queued_bytes == 0
