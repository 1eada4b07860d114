"""Endpoints over an in-memory pair."""

import asyncio

import pytest

from exgs.protocol import (
    Channel,
    CloseCode,
    Closed,
    ConnectionConfig,
    Endpoint,
    LocalProtocolError,
    Opened,
    OpenScene,
    Role,
    SceneList,
    SessionClosed,
    State,
)
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.protocol.drivers.pipe import LinkModel


async def test_a_session_from_greeting_to_goodbye(play) -> None:
    client, server = loopback_pair()
    _, closed = await play(client, server, 20)
    assert closed == Closed(CloseCode.NORMAL, "seen", by_peer=True)


async def test_a_link_with_a_rate_and_a_delay(play) -> None:
    client, server = loopback_pair(LinkModel(0.002), LinkModel(0.002, 20e6, loss=0.02, retransmit_s=0.01))
    received, closed = await play(client, server, 20)
    assert len(received) == 20
    assert closed == Closed(CloseCode.NORMAL, "seen", by_peer=True)


async def test_figures_are_told() -> None:
    transports = loopback_pair(LinkModel(0.001), LinkModel(0.001))
    client, server = Endpoint(Role.CLIENT, transports[0]), Endpoint(Role.SERVER, transports[1])
    async with client, server:
        assert isinstance(await server.opened(), Opened)
        await client.opened()
        client.send(OpenScene(1))
        await server.next_event()
        assert server.send_manifest(1, bytes(5000))
        await client.next_event()
        assert server.bytes_sent[Channel.SCENE_0] == client.bytes_received[Channel.SCENE_0] == 5011
        assert client.bytes_sent[Channel.CONTROL] > 0
        assert server.credit_bytes == 2 << 20
        assert await server.writable()


async def test_who_waits_is_woken_by_the_end() -> None:
    transports = loopback_pair()
    client, server = Endpoint(Role.CLIENT, transports[0]), Endpoint(Role.SERVER, transports[1])
    await server.opened()
    waiting = asyncio.ensure_future(server.writable())
    async with asyncio.timeout(5):
        await client.close(CloseCode.GOING_AWAY, "bye")
        assert await waiting is False
        assert [event async for event in server] == [Closed(CloseCode.GOING_AWAY, "bye", by_peer=True)]
    with pytest.raises(SessionClosed, match="GOING_AWAY bye") as caught:
        await server.next_event()
    assert caught.value.close_code is CloseCode.GOING_AWAY
    server.send(SceneList(()))
    assert not server.send_chunk(1, 0, b"x")
    await server.close()
    await server.close()
    assert server.state is State.CLOSED


async def test_a_session_that_does_not_open_says_so() -> None:
    client_side, server_side = loopback_pair()
    server = Endpoint(Role.SERVER, server_side, ConnectionConfig(open_timeout_s=0.01, closing_timeout_s=0.01))
    silent = Silent()
    client_side.attach(silent)
    async with server, asyncio.timeout(5):
        with pytest.raises(SessionClosed, match="no greeting") as caught:
            await server.opened()
        while not silent.lost:
            await asyncio.sleep(0)
    assert caught.value.close_code is CloseCode.TIMEOUT
    assert silent.lost == "closed by the peer"


async def test_a_mistake_of_the_owner_leaves_the_session_alone() -> None:
    transports = loopback_pair()
    client, server = Endpoint(Role.CLIENT, transports[0]), Endpoint(Role.SERVER, transports[1])
    async with client, server:
        await client.opened()
        with pytest.raises(LocalProtocolError):
            client.send(SceneList(()))
        assert client.state is State.OPEN


class Silent:
    """A peer that never says a word."""

    lost = ""

    def transport_opened(self) -> None:
        """Nothing."""

    def message_arrived(self, channel: Channel, data: bytes) -> None:
        """Nothing."""

    def transport_drained(self) -> None:
        """Nothing."""

    def transport_lost(self, reason: str) -> None:
        """Noted."""
        self.lost = reason
