"""The table of the session, row by row, and what a connection does by itself."""

from collections.abc import Callable

import pytest

from exgs.protocol import (
    Channel,
    ChunkReceived,
    CloseCode,
    Closed,
    Connection,
    ConnectionConfig,
    Event,
    LocalProtocolError,
    ManifestReceived,
    Opened,
    OpenScene,
    Preferences,
    Role,
    SceneList,
    State,
    ViewUpdate,
)
from exgs.protocol import messages as m
from exgs.protocol.rules import RULES, rule_of
from exgs.protocol.vocabulary import VERSION
from exgs.protocol.wire import parse, serialize

Events = Callable[..., list[Event]]
MakeOpen = Callable[..., Connection]


def said(connection: Connection, now_s: float = 0.0) -> list[m.Message | None]:
    return [parse(data, channel) for channel, data in connection.messages_to_send(now_s)]


def view(sequence: int) -> ViewUpdate:
    return ViewUpdate(sequence, 0, (0, 0, 0), (1, 0, 0, 0), (1, 1))


def hear(connection: Connection, message: m.Message, now_s: float = 0.0) -> None:
    connection.receive(min(rule_of(message).channels), serialize(message), now_s)


def test_a_view_wakes_nobody_unless_the_peer_was_silent(make_open: MakeOpen) -> None:
    server = make_open(Role.SERVER)
    data = serialize(view(1))
    assert not server.receive(Channel.POSE, data, 0.1) and server.view == view(1)
    assert not server.receive(Channel.POSE, data, 0.2), "one of old"
    server.handle_deadline(0.9)
    server.handle_deadline(1.8)
    server.handle_deadline(2.7)
    server.handle_deadline(3.6)
    assert server.receive(Channel.POSE, serialize(view(2)), 3.7), "bulk goes on"
    assert server.view == view(2)
    assert server.receive(Channel.POSE, data[:-1], 3.8) and server.state is State.CLOSING


def test_a_peer_that_does_not_read_is_left(make_open: MakeOpen, events: Events) -> None:
    server = make_open(Role.SERVER)
    server.set_buffered(Channel.CONTROL, 1 << 20)
    assert server.state is State.OPEN
    server.set_buffered(Channel.CONTROL, (1 << 20) + 1)
    assert [event.code for event in events(server) if isinstance(event, Closed)] == [CloseCode.FLOOD]
    assert server.state is State.CLOSING


def test_the_greeting_opens_both_ends(events: Events) -> None:
    client = Connection(Role.CLIENT, ConnectionConfig(agent="c"))
    server = Connection(Role.SERVER, ConnectionConfig(agent="s", session="s-1"))
    client.start(0.0)
    server.start(0.0)
    assert (client.state, server.state) == (State.GREETING, State.GREETING)
    for sender, receiver in ((client, server), (server, client)):
        for channel, data in sender.messages_to_send(0.0):
            receiver.receive(channel, data, 0.0)
    assert (client.state, server.state) == (State.OPEN, State.OPEN)
    assert events(client) == [Opened(VERSION, "s", (), "s-1", b"", False)]
    assert events(server) == [Opened(VERSION, "c", (), "s-1", b"", False)]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", [State.GREETING, State.OPEN])
def test_each_message_is_heard_only_from_its_side_and_in_its_states(
    role: Role, state: State, message: m.Message, make_open: MakeOpen, events: Events
) -> None:
    connection = make_open(role) if state is State.OPEN else Connection(role)
    connection.start(0.0)
    if isinstance(message, m.Receipt):
        message = m.Receipt(0, 0)
    if (role, state) == (Role.CLIENT, State.OPEN):
        connection.send(OpenScene(1), 0.0)
    hear(connection, message)
    rule = rule_of(message)
    closed = [event for event in events(connection) if isinstance(event, Closed)]
    if role.peer in rule.senders and state in rule.states:
        assert bool(closed) == isinstance(message, m.Goodbye)
    else:
        assert [event.code for event in closed] == [CloseCode.VIOLATION]
        assert connection.state is State.CLOSING


@pytest.mark.parametrize("role", Role)
def test_the_owner_may_say_only_what_the_table_gives_it(
    role: Role, message: m.Message, make_open: MakeOpen
) -> None:
    rule = rule_of(message)
    connection = make_open(role)
    if rule.by_owner and role in rule.senders:
        connection.send(message, 0.0)
        assert message in said(connection)
    else:
        with pytest.raises(LocalProtocolError, match="may not be sent"):
            connection.send(message, 0.0)
        assert connection.state is State.OPEN


def test_nothing_may_be_said_before_the_greeting(message: m.Message) -> None:
    for role in Role:
        connection = Connection(role)
        for _ in range(2):
            with pytest.raises(LocalProtocolError):
                connection.send(message, 0.0)
            connection.start(0.0)
        with pytest.raises(LocalProtocolError, match="scene data"):
            connection.send_manifest(1, b"m", 0.0)


def test_a_client_sends_no_scene_data(make_open: MakeOpen) -> None:
    client = make_open(Role.CLIENT)
    with pytest.raises(LocalProtocolError, match="scene data from the client"):
        client.send_chunk(1, 0, b"c", 0.0)
    assert not client.wants_chunk(0.0)


@pytest.mark.parametrize(
    ("data", "channel", "code"),
    [
        (b"", Channel.CONTROL, CloseCode.MALFORMED),
        (b"\xff" * 300, Channel.POSE, CloseCode.TOO_LARGE),
        (b"\x63", Channel.CONTROL, CloseCode.MALFORMED),
        (b"\x18" + bytes(60), Channel.CONTROL, CloseCode.VIOLATION),
        (b"\x10" + bytes(40), Channel.SCENE_0, CloseCode.MALFORMED),
    ],
)
def test_garbage_ends_the_session_with_a_code(
    data: bytes, channel: Channel, code: CloseCode, make_open: MakeOpen, events: Events
) -> None:
    for role in Role:
        connection = make_open(role)
        connection.receive(channel, data, 1.0)
        (closed,) = events(connection)
        assert isinstance(closed, Closed)
        assert (closed.code, closed.by_peer) == (code, False)
        assert said(connection, 1.0) == [m.Goodbye(int(code), closed.reason)]
        assert connection.state is State.CLOSED


def test_a_message_nobody_knows_yet_changes_nothing(make_open: MakeOpen, events: Events) -> None:
    for role in Role:
        connection = make_open(role)
        connection.receive(Channel.CONTROL, b"\xf0later", 1.0)
        assert (connection.state, events(connection)) == (State.OPEN, [])


def test_after_the_end_nothing_is_heard_or_said(make_open: MakeOpen, events: Events) -> None:
    connection = make_open(Role.SERVER)
    connection.close(CloseCode.GOING_AWAY, "stop", 1.0)
    connection.close(CloseCode.NORMAL, "again", 1.0)
    hear(connection, OpenScene(1), 1.0)
    assert events(connection) == [Closed(CloseCode.GOING_AWAY, "stop", by_peer=False)]
    assert said(connection, 1.0) == [m.Goodbye(2, "stop")]
    assert said(connection, 1.0) == []
    assert connection.next_deadline() is None
    connection.transport_lost("gone", 2.0)
    assert events(connection) == []


def test_a_goodbye_that_cannot_leave_is_given_up(make_open: MakeOpen) -> None:
    connection = make_open(Role.SERVER)
    connection.close(CloseCode.NORMAL, "", 1.0)
    assert connection.next_deadline() == 2.0
    connection.handle_deadline(2.0)
    assert connection.state is State.CLOSED


@pytest.mark.parametrize(("code", "heard"), [(2, CloseCode.GOING_AWAY), (999, CloseCode.INTERNAL)])
def test_the_peers_goodbye_is_believed_but_cleaned(
    code: int, heard: CloseCode, make_open: MakeOpen, events: Events
) -> None:
    connection = make_open(Role.CLIENT)
    hear(connection, m.Goodbye(code, "bye\x1b[2J\n"))
    assert events(connection) == [Closed(heard, "bye?[2J?", by_peer=True)]
    assert said(connection) == []


def test_a_lost_transport_is_told_once(make_open: MakeOpen, events: Events) -> None:
    for connection in (Connection(Role.CLIENT), make_open(Role.SERVER)):
        connection.transport_lost("cut", 1.0)
        connection.transport_lost("cut again", 1.0)
        assert events(connection) == [Closed(CloseCode.TRANSPORT_LOST, "cut", by_peer=False)]
        assert connection.state is State.CLOSED


def test_a_greeting_that_does_not_come_is_given_up(events: Events) -> None:
    server = Connection(Role.SERVER)
    assert server.next_deadline() is None
    server.start(5.0)
    assert server.next_deadline() == 15.0
    server.handle_deadline(14.9)
    assert server.state is State.GREETING
    server.handle_deadline(15.0)
    (closed,) = events(server)
    assert isinstance(closed, Closed)
    assert closed.code is CloseCode.TIMEOUT


def test_two_goodbyes_that_cross_are_enough(make_open: MakeOpen, events: Events) -> None:
    connection = make_open(Role.SERVER)
    connection.close(CloseCode.NORMAL, "", 0.0)
    connection.messages_to_send(0.0)
    assert not connection.peer_left
    hear(connection, m.Goodbye(2))
    assert connection.peer_left
    assert events(connection) == [Closed(CloseCode.NORMAL, "", by_peer=False)]


def test_a_long_reason_is_shortened(make_open: MakeOpen) -> None:
    connection = make_open(Role.SERVER)
    connection.close(CloseCode.INTERNAL, "ü" * 1000, 0.0)
    assert said(connection) == [m.Goodbye(11, "ü" * 256)]


def test_views_arrive_in_order_of_their_sequence(make_open: MakeOpen, events: Events) -> None:
    server = make_open(Role.SERVER)
    for sequence in (5, 7, 6, 7):
        hear(server, view(sequence))
    assert events(server) == [view(7)]
    hear(server, view(3))
    assert events(server) == []
    hear(server, view(8))
    assert events(server) == [view(8)]


def test_the_sequence_of_views_may_wrap(make_open: MakeOpen, events: Events) -> None:
    server = make_open(Role.SERVER)
    for sequence in ((1 << 32) - 1, 0):
        hear(server, view(sequence))
    assert events(server) == [view(0)]


def test_only_the_newest_view_leaves_and_only_when_there_is_room(make_open: MakeOpen) -> None:
    client = make_open(Role.CLIENT)
    client.set_buffered(Channel.POSE, 5000)
    client.send(view(1), 0.0)
    client.send(view(2), 0.0)
    assert said(client) == []
    client.set_buffered(Channel.POSE, 0)
    assert said(client) == [view(2)]
    assert said(client) == []


def test_preferences_act_at_once(make_open: MakeOpen, events: Events) -> None:
    server = make_open(Role.SERVER)
    hear(server, OpenScene(1))
    hear(server, Preferences(max_bytes_per_s=100_000))
    events(server)
    server.send_manifest(1, bytes(50_000), 0.0)
    server.handle_deadline(0.0)
    assert sum(channel is Channel.SCENE_0 for channel, _ in server.messages_to_send(0.0)) == 1
    assert 0 < (server.next_deadline() or 0) <= 1 / 30
    assert not any(channel is Channel.SCENE_0 for channel, _ in server.messages_to_send(0.1))
    assert any(channel is Channel.SCENE_0 for channel, _ in server.messages_to_send(0.15))


def test_a_chunk_that_the_client_lets_go_is_sent_again(make_open: MakeOpen, events: Events) -> None:
    client, server = make_open(Role.CLIENT), make_open(Role.SERVER)

    def exchange(now_s: float) -> list[Event]:
        for sender, receiver in ((client, server), (server, client)):
            sender.handle_deadline(now_s)
            for channel, data in sender.messages_to_send(now_s):
                receiver.receive(channel, data, now_s)
        return [event for event in events(client, now_s) if isinstance(event, ChunkReceived)]

    client.send(OpenScene(1), 0.0)
    exchange(0.0)
    events(server)
    server.send_manifest(1, b"manifest", 0.0)
    server.send_chunk(1, 4, b"chunk", 0.0)
    assert exchange(0.0) == [ChunkReceived(1, 4, b"chunk")]
    client.send(m.Forgotten(1, (4,)), 0.1)
    exchange(0.1)
    assert not server.send_chunk(1, 4, b"chunk", 0.1)
    assert m.Forgotten(1, (4,)) in events(server)
    assert server.send_chunk(1, 4, b"chunk", 0.1)
    assert exchange(0.2) == [ChunkReceived(1, 4, b"chunk")]


def test_a_server_that_says_two_scenes_keeps_to_the_newest(make_open: MakeOpen, events: Events) -> None:
    server = make_open(Role.SERVER)
    hear(server, OpenScene(1))
    hear(server, OpenScene(2))
    assert events(server) == [OpenScene(1), OpenScene(2)]
    assert not server.send_manifest(1, b"m", 0.0)
    assert server.send_manifest(2, b"m", 0.0)


def test_reopening_drops_chunks_that_wait(make_open: MakeOpen, events: Events) -> None:
    client = make_open(Role.CLIENT)
    client.send(OpenScene(1), 0.0)
    hear(client, m.ManifestFragment(1, 0, 1, b"m"))
    hear(client, m.ChunkFragment(1, 0, 0, 1, b"c"))
    client.send(OpenScene(1), 0.0)
    assert events(client) == []
    hear(client, m.ManifestFragment(2, 0, 1, b"n"))
    hear(client, m.ChunkFragment(2, 0, 0, 1, b"d"))
    assert events(client) == [ManifestReceived(1, b"n"), ChunkReceived(1, 0, b"d")]


def test_receipts_follow_what_is_taken(make_open: MakeOpen) -> None:
    client = make_open(Role.CLIENT)
    client.send(OpenScene(1), 0.0)
    hear(client, m.ManifestFragment(1, 0, 1, b"m"))
    hear(client, m.ChunkFragment(1, 3, 0, 4, b"data"))
    client.handle_deadline(0.1)
    assert m.Receipt(1, 1, (), (5, 0, 0, 0, 0)) in said(client, 0.1)
    client.next_event(0.11)
    client.next_event(0.11)
    client.handle_deadline(0.12)
    assert not any(isinstance(message, m.Receipt) for message in said(client, 0.12))
    client.handle_deadline(0.16)
    assert m.Receipt(1, 5, (3,), (5, 0, 0, 0, 0)) in said(client, 0.16)


def test_a_list_too_long_for_the_channel_is_the_owners_mistake(
    make_open: MakeOpen, monkeypatch: pytest.MonkeyPatch
) -> None:
    from exgs.protocol import listener

    monkeypatch.setattr(listener, "serialize", lambda message: bytes(65537))
    with pytest.raises(LocalProtocolError, match="SceneList of 65537 bytes"):
        server = Connection(Role.SERVER)
        server.start(0.0)
        server.state = State.OPEN
        server.send(SceneList(()), 0.0)


def test_every_number_of_the_table_is_used_once() -> None:
    assert len({rule.number for rule in RULES}) == len(RULES) == len({rule.message for rule in RULES})
