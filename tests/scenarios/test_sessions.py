"""Whole sessions on virtual time: good days and bad ones."""

import random

import pytest

from exgs.protocol import (
    Channel,
    ChunkReceived,
    ChunksDelivered,
    CloseCode,
    ConnectionConfig,
    ManifestReceived,
    Opened,
    PeerHeard,
    PeerSilent,
    Role,
    SceneList,
    State,
    ViewUpdate,
)
from exgs.protocol import messages as m
from exgs.protocol.drivers.pipe import LinkModel, Pipe
from exgs.protocol.drivers.virtual import VirtualSession
from exgs.protocol.wire import serialize

SLOW = LinkModel(delay_s=0.025, bytes_per_s=2.5e6)
FAR = LinkModel(delay_s=0.025)


def test_a_scene_arrives_at_the_rate_of_the_link(make_play) -> None:
    play = make_play(chunks=200)
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(5.0)
    assert play.complete()
    assert sorted(c for event in play.seen(Role.SERVER, ChunksDelivered) for c in event.chunks) == list(
        range(200)
    )
    last_s = max(at_s for at_s, _, event in play.log if isinstance(event, ChunkReceived))
    ideal_s = 200 * 40_000 / 2.5e6
    assert ideal_s < last_s < 1.1 * ideal_s + 0.2
    assert session.server.unacknowledged_bytes == 0
    assert session.client.state is session.server.state is State.OPEN


def test_the_first_picture_comes_after_two_round_trips(make_play) -> None:
    play = make_play()
    session = VirtualSession(up=FAR, down=LinkModel(0.025, 20e6), act=play)
    session.run_until(1.0)
    assert play.time_of(Role.CLIENT, SceneList) == pytest.approx(0.05, abs=0.001)
    assert play.time_of(Role.CLIENT, ChunkReceived) < 0.11


def test_a_late_joiner_of_its_own_server_gets_the_whole_scene(make_play) -> None:
    plays = [make_play(chunks=30), make_play(chunks=30)]
    early, late = (VirtualSession(up=FAR, down=SLOW, act=play) for play in plays)
    early.run_until(5.0)
    late.run_until(5.0)
    assert all(play.complete() for play in plays)
    assert plays[0].log == plays[1].log


def test_a_scene_opened_again_midway_comes_whole(make_play) -> None:
    play = make_play(chunks=60)
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(0.4)
    before = len(play.seen(Role.CLIENT, ChunkReceived))
    assert 0 < before < 60
    play.log.clear()
    play._sent, play._streaming = 0, False
    session.client.send(m.OpenScene(5), session.now_s)
    session.run_until(5.0)
    assert play.complete()
    assert session.client.state is session.server.state is State.OPEN
    assert session.server.unacknowledged_bytes == 0


def test_a_burst_of_loss_on_poses_leaves_only_newer_ones(make_play) -> None:
    play = make_play(chunks=0, view_hz=90)
    session = VirtualSession(up=FAR, down=FAR, act=play, tick_s=0.01)
    session.run_until(1.0)
    session.up.model = LinkModel(delay_s=0.025, loss=0.5, seed=1)
    session.run_until(3.0)
    views = [event.sequence for event in play.seen(Role.SERVER, ViewUpdate)]
    assert views == sorted(set(views))
    assert 100 < len(views) < 250
    assert session.server.state is State.OPEN
    assert not play.seen(Role.SERVER, PeerSilent)


def test_loss_on_reliable_channels_costs_time_only(make_play) -> None:
    play = make_play(chunks=60)
    lossy = LinkModel(0.025, 2.5e6, loss=0.05, seed=3)
    session = VirtualSession(up=LinkModel(0.025, loss=0.05, seed=4), down=lossy, act=play)
    session.run_until(10.0)
    assert play.complete()


def test_a_slow_reader_stops_the_flow_and_loses_nothing(make_play) -> None:
    play = make_play(chunks=200)
    session = VirtualSession(up=FAR, down=LinkModel(0.01, 50e6), act=play)
    session.run_until(0.2)
    play.take = False
    session.run_until(3.0)
    held = session.server.unacknowledged_bytes
    assert held <= session.server.credit_bytes + 40_000
    assert held > 1 << 20
    session.run_until(8.0)
    assert session.server.unacknowledged_bytes == held
    assert session.server.state is State.OPEN, "a slow reader is not a dead one"
    play.take = True
    session.run_until(12.0)
    assert play.complete()


def test_a_silent_client_pauses_bulk_and_then_ends_the_session(make_play) -> None:
    play = make_play(chunks=10_000)
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(1.0)
    session.deaf.add(Role.CLIENT)
    session.run_until(3.9)
    assert not play.seen(Role.SERVER, PeerSilent)
    session.run_until(4.1)
    (silent,) = play.seen(Role.SERVER, PeerSilent)
    assert silent.silent_s == pytest.approx(3.0, abs=0.1)
    sent = session.server.unacknowledged_bytes
    assert not session.server.wants_chunk(session.now_s)
    session.run_until(10.9)
    assert session.server.unacknowledged_bytes == sent
    assert session.server.state is State.OPEN
    session.run_until(11.2)
    closed = play.closed(Role.SERVER)
    assert closed is not None
    assert (closed.code, closed.by_peer) == (CloseCode.TIMEOUT, False)


def test_a_client_that_wakes_in_time_goes_on(make_play) -> None:
    play = make_play(chunks=100)
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(0.5)
    session.deaf.add(Role.CLIENT)
    session.run_until(6.0)
    session.deaf.clear()
    session.run_until(12.0)
    assert len(play.seen(Role.SERVER, PeerHeard)) == 1
    assert play.complete()
    assert not play.seen(Role.CLIENT, PeerSilent), "its own sleep is not the silence of the server"


def test_a_dead_server_is_noticed_by_the_client(make_play) -> None:
    play = make_play()
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(0.5)
    session.deaf.add(Role.SERVER)
    session.run_until(11.5)
    closed = play.closed(Role.CLIENT)
    assert closed is not None
    assert closed.code is CloseCode.TIMEOUT


def test_a_server_that_never_greets_is_given_up(make_play) -> None:
    play = make_play()
    session = VirtualSession(up=FAR, down=FAR, act=play)
    session.deaf.add(Role.SERVER)
    session.run_until(10.1)
    closed = play.closed(Role.CLIENT)
    assert closed is not None
    assert (closed.code, closed.reason) == (CloseCode.TIMEOUT, "no greeting within 10 s")


def test_the_server_leaves_and_the_client_knows_why(make_play) -> None:
    play = make_play()
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(0.5)
    session.server.close(CloseCode.GOING_AWAY, "restart", session.now_s)
    session.run_until(1.0)
    closed = play.closed(Role.CLIENT)
    assert closed is not None
    assert (closed.code, closed.reason, closed.by_peer) == (CloseCode.GOING_AWAY, "restart", True)


def test_strangers_of_two_versions_part_politely(make_play) -> None:
    play = make_play()
    session = VirtualSession(up=FAR, down=FAR, act=play, client=ConnectionConfig(versions=(7,)))
    session.run_until(1.0)
    for role in Role:
        closed = play.closed(role)
        assert closed is not None
        assert closed.code is CloseCode.UNSUPPORTED_VERSION
    assert not play.seen(Role.CLIENT, Opened)


def test_idle_ends_speak_twice_a_second(make_play) -> None:
    play = make_play(chunks=0)
    session = VirtualSession(up=FAR, down=FAR, act=play)
    session.run_until(2.0)
    before = session.up._pushed
    session.run_until(12.0)
    assert 15 <= session.up._pushed - before <= 25


def test_the_same_session_twice_is_the_same(make_play) -> None:
    logs = []
    for _ in range(2):
        play = make_play(chunks=40, view_hz=72)
        lossy = LinkModel(0.03, 1e6, loss=0.1, seed=11)
        VirtualSession(up=LinkModel(0.03, loss=0.1, seed=12), down=lossy, act=play).run_until(4.0)
        logs.append(play.log)
    assert logs[0] == logs[1]
    assert logs[0]


HOSTILE = {
    "oversize": (Channel.CONTROL, [b"\x04" + bytes(70_000)], CloseCode.TOO_LARGE),
    "wrong order": (Channel.CONTROL, [serialize(m.Hello((1,)))], CloseCode.VIOLATION),
    "wrong side": (Channel.CONTROL, [serialize(m.SceneList(()))], CloseCode.VIOLATION),
    "scene data from a client": (
        Channel.SCENE_0,
        [serialize(m.ChunkFragment(1, 0, 0, 1, b"x"))],
        CloseCode.VIOLATION,
    ),
    "receipt for nothing": (Channel.CONTROL, [serialize(m.Receipt(1, 1 << 60))], CloseCode.VIOLATION),
    "flood of poses": (
        Channel.POSE,
        [serialize(m.ViewUpdate(n, 0, (0, 0, 0), (1, 0, 0, 0), (1, 1))) for n in range(3000)],
        CloseCode.FLOOD,
    ),
    "flood of openings": (Channel.CONTROL, [serialize(m.OpenScene(1))] * 2000, CloseCode.FLOOD),
    "flood of the unknown": (Channel.CONTROL, [b"\xfe"] * 2000, CloseCode.FLOOD),
    "noise": (Channel.CONTROL, [random.Random(5).randbytes(100)], CloseCode.MALFORMED),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_client_is_shown_the_door(case: str, make_play) -> None:
    channel, messages, code = HOSTILE[case]
    play = make_play()
    session = VirtualSession(up=FAR, down=SLOW, act=play)
    session.run_until(0.3)
    for data in messages:
        session.up.push(channel, data, session.now_s)
    session.run_until(1.0)
    closed = play.closed(Role.SERVER)
    assert closed is not None
    assert (closed.code, closed.by_peer) == (code, False)
    told = play.closed(Role.CLIENT)
    assert told is not None
    assert (told.code, told.by_peer) == (code, True)


def test_a_hostile_server_cannot_fill_the_client(make_play) -> None:
    play = make_play(chunks=0)
    session = VirtualSession(up=FAR, down=FAR, act=play)
    session.run_until(0.3)
    assert play.seen(Role.CLIENT, ManifestReceived)
    for number in range(3000):
        piece = m.ChunkFragment(1, number, 0, 1 << 20, bytes(16200))
        session.down.push(Channel.SCENE_0, serialize(piece), session.now_s)
    session.run_until(1.0)
    closed = play.closed(Role.CLIENT)
    assert closed is not None
    assert closed.code is CloseCode.FLOOD


def test_noise_on_every_channel_never_breaks_an_end(make_play) -> None:
    noise = random.Random(9)
    for _ in range(150):
        play = make_play(chunks=5)
        session = VirtualSession(up=FAR, down=FAR, act=play)
        session.run_until(noise.uniform(0, 0.2))
        for pipe in (session.up, session.down):
            number = noise.choice((1, 2, 3, 4, 5, 6, 7, 16, 17, 24, 25, 128, 129, 130, 131, 200))
            data = bytes((number,)) + noise.randbytes(noise.randrange(100))
            pipe.push(noise.choice(list(Channel)), data, session.now_s)
        session.run_until(1.0)
        for end in (session.client, session.server):
            assert end.state in (State.OPEN, State.CLOSED)


def on_links(play, count: int, model: LinkModel = SLOW) -> VirtualSession:
    """A session with further links that are up from the start."""
    session = VirtualSession(up=FAR, down=FAR, act=play)
    for number in range(count):
        session.links[Channel(Channel.SCENE_1 + number)] = Pipe(model)
    return session


def test_several_links_carry_a_scene_side_by_side(make_play) -> None:
    play = make_play(chunks=200)
    session = on_links(play, 4, LinkModel(delay_s=0.025, bytes_per_s=0.625e6))
    session.run_until(5.0)
    assert play.complete()
    last_s = max(at_s for at_s, _, event in play.log if isinstance(event, ChunkReceived))
    assert last_s < 1.1 * 200 * 40_000 / 2.5e6 + 0.3
    assert session.server.path.repeated_bytes == session.client.path.repeated_bytes == 0


@pytest.mark.parametrize("left", [1, 0])
def test_a_link_that_dies_costs_what_was_under_way_on_it(make_play, left: int) -> None:
    play = make_play(chunks=200)
    session = on_links(play, left + 1)
    session.run_until(0.8)
    del session.links[Channel.SCENE_1]
    session.run_until(8.0)
    assert play.complete()
    assert 0 < session.server.path.repeated_bytes < 512 << 10
    assert session.server.unacknowledged_bytes == 0
    assert session.client.state is session.server.state is State.OPEN


def test_a_link_that_falls_dumb_is_passed_over_and_comes_back(make_play) -> None:
    play = make_play(chunks=600)
    session = on_links(play, 2, LinkModel(delay_s=0.025, bytes_per_s=1e6))
    session.run_until(0.8)
    dumb = session.links[Channel.SCENE_1]
    dumb.model = LinkModel(delay_s=7.0, bytes_per_s=1e6)
    session.run_until(6.0)
    assert session.server.scene_channels_in_use == (Channel.SCENE_2,)
    before = len(play.seen(Role.CLIENT, ChunkReceived))
    session.run_until(7.0)
    assert len(play.seen(Role.CLIENT, ChunkReceived)) > before + 15, "the other link goes on at its rate"
    dumb.model = LinkModel(delay_s=0.025, bytes_per_s=1e6)
    session.run_until(40.0)
    assert play.complete()
    assert session.server.unacknowledged_bytes == 0
    assert session.client.path.repeated_bytes <= session.server.path.repeated_bytes
    assert session.server.scene_channels_in_use == (Channel.SCENE_1, Channel.SCENE_2)
