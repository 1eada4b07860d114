"""Further connections between two endpoints, with a carrier that keeps count."""

import asyncio
from collections.abc import Callable

import pytest

from exgs.protocol import (
    Channel,
    Connection,
    ConnectionConfig,
    Endpoint,
    OpenScene,
    Role,
    State,
    TransportError,
)
from exgs.protocol.drivers.loopback import LoopbackTransport, loopback_pair
from exgs.protocol.messages import LinkAnswer, LinkOffer
from exgs.protocol.wire import serialize


class Carrier(LoopbackTransport):
    """A loopback that pretends to have links; all scene data goes the one way there is."""

    wrong: str | None = None
    """The method that fails."""

    def __init__(self, loopback: LoopbackTransport) -> None:
        self.__dict__ = loopback.__dict__
        self.calls: list[tuple[str, int, str]] = []

    async def offer_link(self, link: int) -> str:
        return self._note("offer", link, "v=0 offer")

    async def accept_link(self, link: int, sdp: str) -> None:
        self._note("accept", link, sdp)

    async def answer_link(self, link: int, sdp: str) -> str:
        self._note("answer", link, sdp)
        return "v=0 answer"

    def _note(self, what: str, link: int, sdp: str) -> str:
        self.calls.append((what, link, sdp))
        if self.wrong == what:
            raise TransportError("not today")
        return sdp


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.005)


QUICK = ConnectionConfig(grow_after_s=0.01)


async def streaming(wrong: str | None = None, server_config: ConnectionConfig = QUICK):
    """Both ends, their carriers, and data that flows."""
    first, second = loopback_pair()
    mine, theirs = Carrier(first), Carrier(second)
    first.peer, second.peer = theirs, mine
    mine.wrong = theirs.wrong = wrong
    client, server = Endpoint(Role.CLIENT, mine, QUICK), Endpoint(Role.SERVER, theirs, server_config)
    await client.opened()
    await server.opened()
    client.send(OpenScene(1))
    await server.next_event()
    server.send_manifest(1, b"m")
    for chunk in range(3):
        await server.writable()
        server.send_chunk(1, chunk, bytes(10_000))
        await asyncio.sleep(0.02)
    return client, server, mine, theirs


async def test_a_link_is_offered_answered_and_accepted() -> None:
    client, server, mine, theirs = await streaming()
    async with client, server:
        await until(lambda: ("accept", 1, "v=0 answer") in mine.calls)
        assert mine.calls[0] == ("offer", 1, "v=0 offer")
        assert theirs.calls == [("answer", 1, "v=0 offer")]


@pytest.mark.parametrize("wrong", ["offer", "answer", "accept"])
async def test_a_link_that_fails_harms_nothing_else(wrong: str) -> None:
    client, server, mine, theirs = await streaming(wrong)
    async with client, server:
        of = theirs if wrong == "answer" else mine
        await until(lambda: any(what == wrong for what, *_ in of.calls))
        await asyncio.sleep(0)
        assert client.state is server.state is State.OPEN


async def test_a_server_may_want_none() -> None:
    client, server, mine, theirs = await streaming(server_config=ConnectionConfig(max_links=0))
    async with client, server:
        await until(lambda: mine.calls)
        for _ in range(20):
            await asyncio.sleep(0)
        assert theirs.calls == []
        assert client.state is State.OPEN


async def test_a_flood_of_proposals_is_answered_with_nothing() -> None:
    client, server, _, theirs = await streaming()
    async with client, server:
        for _ in range(30):
            client.send(LinkOffer(3, "v=0"))
        client.send(LinkOffer(4, "v=0"))
        heard = client.bytes_received
        await until(lambda: client.bytes_received[Channel.CONTROL] >= heard[Channel.CONTROL] + 31 * 4)
        assert len(theirs.calls) <= 9
        assert server.state is State.OPEN


async def test_a_transport_without_links_proposes_none_and_declines() -> None:
    first, second = loopback_pair()
    async with Endpoint(Role.CLIENT, first, QUICK) as client, Endpoint(Role.SERVER, second) as server:
        await client.opened()
        await server.opened()
        client.send(LinkOffer(1, "v=0"))
        before = client.bytes_received[Channel.CONTROL]
        await until(lambda: client.bytes_received[Channel.CONTROL] > before)
        assert client.state is State.OPEN


def test_an_answer_nobody_asked_for_is_dropped() -> None:
    connection = Connection(Role.CLIENT)
    connection.start(0.0)
    connection.state = State.OPEN
    connection.receive(Channel.CONTROL, serialize(LinkAnswer(2, "v=0")), 0.1)
    assert connection.next_link_word() is None
    assert connection.state is State.OPEN
