"""Several real peer connections in one session."""

import asyncio

import pytest

from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.relay import UdpRelay
from exgs.protocol import (
    Channel,
    ChunkReceived,
    CloseCode,
    ConnectionConfig,
    Endpoint,
    OpenScene,
    RemoteProtocolError,
    Role,
    State,
    TransportError,
)
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.settings import WebRtcConfig
from exgs.protocol.drivers.webrtc import PeerLink

pytestmark = pytest.mark.end_to_end
QUICK = ConnectionConfig(grow_after_s=0.02, settle_s=0.02, stall_s=0.5, max_links=2)
SLOW = LinkSettings(rate=Rate.constant(16.0), delay_s=0.005)


async def pair(relay: UdpRelay | None = None) -> tuple[WebRtcTransport, WebRtcTransport]:
    try:
        client, offer = await WebRtcTransport.offer(WebRtcConfig(route=relay))
    except TransportError as error:
        pytest.skip(str(error))
    server, answer = await WebRtcTransport.answer(offer)
    await client.accept(answer)
    return client, server


async def test_an_answer_that_is_given_up_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(link: PeerLink, sdp: str) -> str:
        await asyncio.Event().wait()
        return ""

    async def close(link: PeerLink) -> None:
        closed.append(link)
        await close_for_real(link)

    closed: list[PeerLink] = []
    close_for_real = PeerLink.close
    monkeypatch.setattr(PeerLink, "answer", never)
    monkeypatch.setattr(PeerLink, "close", close)
    lines = "v=0", "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "a=ice-ufrag:u", "a=ice-pwd:p"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await WebRtcTransport.answer("\r\n".join([*lines, "a=fingerprint:f", ""]))
    assert len(closed) == 1


async def feed(server: Endpoint, chunks: int) -> None:
    """Sends so many chunks of 40,000 bytes once a scene is asked for."""
    await server.opened()
    while not isinstance(await server.next_event(), OpenScene):
        pass
    server.send_manifest(1, b"m")
    for chunk in range(chunks):
        if await server.writable():
            server.send_chunk(1, chunk, chunk.to_bytes(4, "big") * 10_000)
    async for _ in server:
        pass


async def receive(client: Endpoint, chunks: int, done: set[int]) -> None:
    """Takes chunks until all are there, each once."""
    await client.opened()
    client.send(OpenScene(1))
    async for event in client:
        if isinstance(event, ChunkReceived):
            assert event.data == event.chunk.to_bytes(4, "big") * 10_000
            assert event.chunk not in done
            done.add(event.chunk)
            if len(done) == chunks:
                return


async def test_scene_data_moves_to_links_of_its_own_and_survives_their_death() -> None:
    async with UdpRelay(up=LinkSettings(delay_s=0.005), down=SLOW) as relay:
        first, second = await pair(relay)
        async with (
            Endpoint(Role.CLIENT, first, QUICK) as client,
            Endpoint(Role.SERVER, second, QUICK) as server,
        ):
            done: set[int] = set()
            feeding = asyncio.create_task(feed(server, 200))
            receiving = asyncio.create_task(receive(client, 200, done))
            async with asyncio.timeout(60):
                while Channel.SCENE_1 not in second.scene_channels():
                    await asyncio.sleep(0.01)
                at_link = len(done)
                while len(done) < at_link + 20:
                    await asyncio.sleep(0.01)
                assert server.bytes_sent[Channel.SCENE_1] > 0
                for detour in relay.detours[1:]:
                    detour.close()
                await receiving
            assert len(done) == 200
            assert client.state is State.OPEN
        await feeding


async def test_what_is_no_offer_makes_no_link() -> None:
    client, server = await pair()
    with pytest.raises(RemoteProtocolError) as caught:
        await server.answer_link(1, "v=0 nonsense")
    assert caught.value.close_code is CloseCode.MALFORMED
    assert server.scene_channels() == (Channel.SCENE_0,)
    await client.close()
    await server.close()
    with pytest.raises(TransportError, match="down"):
        await client.offer_link(1)


async def test_a_refused_link_is_let_go() -> None:
    client, server = await pair()
    await client.offer_link(1)
    await client.accept_link(1, "")
    await client.accept_link(2, "")
    assert list(client._links) == [0]
    await client.close()
    await server.close()


async def test_whether_it_opens_is_waited_for() -> None:
    client, server = await pair()
    assert await client.is_open(10.0)
    await client.close()
    assert not await client.is_open(10.0)
    await server.close()
    alone, _ = await WebRtcTransport.offer()
    assert not await alone.is_open(0.05)
    await alone.close()
