"""Viewers that mean harm: whatever they send, the server lives on, lets them go, and keeps its memory."""

import asyncio
import gc
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from exgs.protocol import (
    Channel,
    ChunkReceived,
    CloseCode,
    Closed,
    Connection,
    Endpoint,
    Forgotten,
    OpenScene,
    Role,
    SceneList,
    Statistics,
    ViewUpdate,
)
from exgs.protocol import messages as m
from exgs.protocol.drivers.loopback import LoopbackTransport, loopback_pair
from exgs.protocol.drivers.websocket import MAX_MESSAGE_BYTES, WebSocketTransport
from exgs.protocol.vocabulary import MAX_CHUNKS
from exgs.protocol.wire import serialize
from exgs.server.config import Limits, ServerConfig
from exgs.server.feeding import OPENINGS_AT_ONCE
from exgs.server.house import House
from exgs.server.library import Library
from exgs.server.metrics import Metrics
from exgs.server.service import serve
from exgs.server.session import Session

MIB = 1 << 20


@asynccontextmanager
async def _viewer(
    library: Library,
) -> AsyncIterator[tuple[LoopbackTransport, Endpoint, asyncio.Task[Closed | None]]]:
    """A client whose transport may be misused, and the session's end to come."""
    ours, theirs = loopback_pair()
    client, server = Endpoint(Role.CLIENT, ours), Endpoint(Role.SERVER, theirs)
    task = asyncio.create_task(Session("test", server, House(library, Metrics())).run())
    try:
        await client.opened()
        assert isinstance(await client.next_event(), SceneList)
        yield ours, client, task
    finally:
        await client.close()
        await task


async def _code(task: asyncio.Task[Closed | None]) -> CloseCode:
    async with asyncio.timeout(20):
        closed = await task
    assert closed is not None
    return closed.code


def _rubbish(seed: int) -> Iterator[tuple[Channel, bytes]]:
    """Bytes that are no messages, and messages with some bytes changed."""
    draw = random.Random(seed)
    sound = [
        (Channel.CONTROL, serialize(OpenScene(0, b"\1" * 8, bytes(32)))),
        (Channel.CONTROL, serialize(Statistics({"frames": 1.0}))),
        (Channel.CONTROL, serialize(Forgotten(0, (1, 2, 3)))),
        (Channel.CONTROL, serialize(m.LinkOffer(1, "v=0"))),
        (Channel.POSE, serialize(ViewUpdate(1, 0, (0, 0, 0), (1, 0, 0, 0), (1, 1)))),
        (Channel.POSE, serialize(m.Beat(1))),
    ]
    for _ in range(200):
        channel, data = draw.choice(sound)
        if draw.random() < 0.5:
            yield draw.choice(list(Channel)), draw.randbytes(draw.randrange(100))
        else:
            changed = bytearray(data)
            changed[draw.randrange(len(data))] = draw.randrange(256)
            yield channel, bytes(changed)


@pytest.mark.parametrize("seed", range(20))
async def test_rubbish_ends_the_session_and_nothing_else(library: Library, seed: int) -> None:
    async with _viewer(library) as (ours, _, task):
        for channel, data in _rubbish(seed):
            ours.send(channel, data)
        assert await _code(task) in (CloseCode.MALFORMED, CloseCode.VIOLATION, CloseCode.TOO_LARGE)


@pytest.mark.parametrize(
    "message", [OpenScene(0), OpenScene(77), Statistics({"a": 1.0}), Forgotten(0, tuple(range(1024)))]
)
async def test_a_flood_of_words_ends_the_session(library: Library, message: m.Message) -> None:
    async with _viewer(library) as (ours, _, task):
        data = serialize(message)
        for _ in range(2000):
            ours.send(Channel.CONTROL, data)
        assert await _code(task) is CloseCode.FLOOD


async def test_a_flood_of_poses_ends_the_session(library: Library) -> None:
    async with _viewer(library) as (ours, _, task):
        for number in range(6000):
            ours.send(Channel.POSE, serialize(ViewUpdate(number, 0, (0, 0, 0), (1, 0, 0, 0), (1, 1))))
        assert await _code(task) is CloseCode.FLOOD


async def test_wishes_without_end_cost_little(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = 0
    opening = library.open

    async def count(name: str, listener: Callable[[float], None] | None = None) -> object:
        nonlocal opened
        opened += 1
        return await opening(name, listener)

    monkeypatch.setattr(library, "open", count)
    async with _viewer(library) as (_, client, task):
        have = b"\xff" * (MAX_CHUNKS // 8)
        for _ in range(300):
            client.send(OpenScene(1, have, bytes(32)))
            for _ in range(5):
                await asyncio.sleep(0)
        assert 1 <= opened <= OPENINGS_AT_ONCE + 4 and not task.done()
        while not isinstance(await client.next_event(), ChunkReceived):
            pass  # the last of the wishes is fulfilled


async def test_letting_go_without_end_costs_little(library: Library) -> None:
    async with _viewer(library) as (_, client, task):
        client.send(OpenScene(1))
        while not isinstance(await client.next_event(), ChunkReceived):
            pass
        for _ in range(300):
            client.send(Forgotten(1, tuple(range(1024))))
            await asyncio.sleep(0)
        assert not task.done()


def test_memory_of_one_session_is_bounded() -> None:
    """Every kind of word that may wait, as many as may wait, never taken by the owner."""
    server = Connection(Role.SERVER)
    server.start(0.0)
    server.receive(Channel.CONTROL, serialize(m.Hello((1,))), 0.0)
    have, ids = b"\xff" * (MAX_CHUNKS // 8), tuple(range(1024))
    said = (OpenScene(0, have), Forgotten(0, ids), m.LinkOffer(1, "v" * 32768), Statistics({"a" * 64: 1.0}))
    words = [serialize(message) for message in said]
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(4000):
            server.receive(Channel.CONTROL, bytes(bytearray(words[number % 4])), number / 150)
            server.messages_to_send(number / 150)
        held_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert server.closed is not None and server.closed.code is CloseCode.FLOOD
    assert held_bytes < 24 * MIB


async def test_who_comes_and_goes_leaves_nothing(library: Library) -> None:
    async def visit() -> None:
        async with _viewer(library) as (_, client, _):
            client.send(OpenScene(1))
            while not isinstance(await client.next_event(), ChunkReceived):
                pass

    await visit()
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(3):
            await visit()
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(20):
            await visit()
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 256 << 10
    assert len(asyncio.all_tasks()) == 1


@pytest.fixture
def config(scenes: Path, tmp_path: Path) -> ServerConfig:
    return ServerConfig(scenes, tmp_path / "cache", port=0, limits=Limits(calls=100))


async def test_others_are_served_beside_them_all(config: ServerConfig) -> None:
    async with serve(config) as server, aiohttp.ClientSession(server.url) as http, asyncio.timeout(60):

        async def open_socket() -> aiohttp.ClientWebSocketResponse:
            return await http.ws_connect("/ws/statue", max_msg_size=MAX_MESSAGE_BYTES)

        silent = await open_socket()  # says nothing at all
        unread = await open_socket()  # asks, and never reads
        await unread.send_bytes(b"\0" + serialize(m.Hello((1,))))
        for _ in range(300):
            await unread.send_bytes(b"\0" + serialize(OpenScene(0)))
        for seed in range(3):
            garbling = await open_socket()
            for channel, data in _rubbish(seed):
                if garbling.closed:
                    break
                await garbling.send_bytes(bytes((channel,)) + data)
            await garbling.close()
        good = Endpoint(Role.CLIENT, WebSocketTransport(await open_socket()))
        await good.opened()
        good.send(OpenScene(0))
        async for event in good:
            if isinstance(event, ChunkReceived):
                break
        else:
            raise AssertionError("the sound viewer was not served")
        await good.close()
        await silent.close()
        await unread.close()
