"""Real peer connections on this machine."""

import asyncio
import random

import pytest

from exgs.protocol import (
    Channel,
    CloseCode,
    Closed,
    Endpoint,
    RemoteProtocolError,
    Role,
    SessionClosed,
    TransportError,
)
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.settings import WebRtcConfig

pytestmark = pytest.mark.end_to_end


async def pair(config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, WebRtcTransport]:
    try:
        client, offer = await WebRtcTransport.offer(config)
    except TransportError as error:
        pytest.skip(str(error))
    server, answer = await WebRtcTransport.answer(offer, config)
    await client.accept(answer)
    return client, server


async def test_two_megabytes_cross_real_peer_connections(play) -> None:
    client, server = await pair()
    _, closed = await play(client, server, 50)
    assert closed == Closed(CloseCode.NORMAL, "seen", by_peer=True)


async def test_nobody_outside_is_asked() -> None:
    transport, offer = await WebRtcTransport.offer()
    assert "typ host" in offer
    assert "srflx" not in offer
    assert "relay" not in offer
    await transport.close()


async def test_an_offer_nobody_answers_is_given_up() -> None:
    transport, offer = await WebRtcTransport.offer()
    server, answer = await WebRtcTransport.answer(offer, WebRtcConfig(connect_timeout_s=0.05))
    assert answer.startswith("v=0")
    await transport.close()
    async with Endpoint(Role.SERVER, server) as endpoint, asyncio.timeout(10):
        with pytest.raises(SessionClosed, match="no connection within") as caught:
            await endpoint.opened()
    assert caught.value.close_code is CloseCode.TRANSPORT_LOST


async def test_a_peer_that_vanishes_ends_the_session() -> None:
    client, server = await pair()
    async with Endpoint(Role.SERVER, server) as endpoint, asyncio.timeout(10):
        async with Endpoint(Role.CLIENT, client) as other:
            await other.opened()
            await endpoint.opened()
            await client.close()
        closed = await endpoint.next_event()
        assert isinstance(closed, Closed)
        assert closed.code is CloseCode.TRANSPORT_LOST


async def test_a_message_over_the_limit_ends_the_session() -> None:
    client, server = await pair()
    async with Endpoint(Role.SERVER, server) as endpoint, Endpoint(Role.CLIENT, client) as other:
        async with asyncio.timeout(10):
            await other.opened()
            await endpoint.opened()
            client.send(Channel.CONTROL, bytes(100_000))
            closed = await endpoint.next_event()
    assert isinstance(closed, Closed)
    assert (closed.code, closed.by_peer) == (CloseCode.TOO_LARGE, False)


async def test_a_channel_of_the_peers_own_ends_the_session() -> None:
    client, server = await pair()
    async with Endpoint(Role.SERVER, server) as endpoint, Endpoint(Role.CLIENT, client) as other:
        async with asyncio.timeout(10):
            await other.opened()
            await endpoint.opened()
            client._links[0]._peer.createDataChannel("exgs.backdoor")
            closed = await endpoint.next_event()
    assert isinstance(closed, Closed)
    assert "channel of its own: 'exgs.backdoor'" in closed.reason


async def test_descriptions_that_are_none_are_refused() -> None:
    transport, offer = await WebRtcTransport.offer()
    await transport.close()
    noise = random.Random(3)
    refused = 0
    for _ in range(60):
        damaged = bytearray(offer, "ascii")
        for _ in range(8):
            damaged[noise.randrange(len(damaged))] = noise.randrange(32, 127)
        try:
            server, _ = await WebRtcTransport.answer(damaged.decode("ascii"))
        except RemoteProtocolError as error:
            assert error.close_code is CloseCode.MALFORMED
            refused += 1
        else:
            await server.close()
    assert refused > 10


async def test_an_answer_that_does_not_fit_is_refused() -> None:
    transport, offer = await WebRtcTransport.offer()
    with pytest.raises(RemoteProtocolError):
        await transport.accept(offer.replace("m=application", "m=audio"))
