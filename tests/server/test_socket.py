"""Sessions over a WebSocket: who may open one, and that it carries what WebRTC does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from exgs.codec import open_container
from exgs.protocol import (
    ChunkReceived,
    CloseCode,
    Closed,
    Endpoint,
    OpenScene,
    Role,
    SceneList,
    SessionClosed,
    State,
    Transport,
)
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.protocol.drivers.websocket import MAX_MESSAGE_BYTES, WebSocketTransport
from exgs.server.config import Limits, ServerConfig
from exgs.server.errors import Refused
from exgs.server.service import RunningServer, serve

BEARER = {"Authorization": "Bearer open-sesame"}


@pytest.fixture
def config(scenes: Path, tmp_path: Path) -> ServerConfig:
    return ServerConfig(scenes=scenes, cache=tmp_path / "cache", port=0)


@asynccontextmanager
async def _server(config: ServerConfig) -> AsyncIterator[tuple[RunningServer, aiohttp.ClientSession]]:
    async with serve(config) as server, aiohttp.ClientSession(server.url) as http:
        yield server, http


async def _viewer(http: aiohttp.ClientSession, path: str = "/ws", **options: Any) -> Endpoint:
    socket = await http.ws_connect(path, max_msg_size=MAX_MESSAGE_BYTES, **options)
    viewer = Endpoint(Role.CLIENT, WebSocketTransport(socket))
    await viewer.opened()
    return viewer


async def _empty(server: RunningServer) -> None:
    async with asyncio.timeout(10):
        while len(server.reception):
            await asyncio.sleep(0.01)


async def test_a_scene_crosses(config: ServerConfig, encoded: bytes) -> None:
    container = open_container(encoded)
    received: dict[int, bytes] = {}
    async with _server(config) as (server, http), asyncio.timeout(30):
        viewer = await _viewer(http, "/ws/statue")
        async for event in viewer:
            if isinstance(event, SceneList):
                assert event.scenes[0].name == "statue"
                viewer.send(OpenScene(0))
            elif isinstance(event, ChunkReceived):
                received[event.chunk] = event.data
                if len(received) == len(container.manifest):
                    break
        assert len(server.reception) == 1
        await viewer.close()
        await _empty(server)
    assert all(data == container.chunk(chunk) for chunk, data in received.items())


@pytest.mark.parametrize(
    ("settings", "headers", "status"),
    [
        ({"token": "open-sesame"}, {}, 401),
        ({"token": "open-sesame"}, {"Authorization": "Bearer x"}, 401),
        ({}, {"Origin": "https://evil.example"}, 403),
        ({"origins": ("https://a.example",)}, {"Origin": "https://b.example"}, 403),
        ({"limits": Limits(max_sessions=0)}, {}, 503),
        ({}, {"Host": "evil.example"}, 403),
    ],
)
async def test_who_may_not(
    config: ServerConfig, settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    async with _server(replace(config, **settings)) as (server, http):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect("/ws", headers=headers)
        assert caught.value.status == status
        assert len(server.reception) == 0


async def test_who_may(config: ServerConfig) -> None:
    async with _server(replace(config, token="open-sesame")) as (server, http):
        viewer = await _viewer(http, headers={**BEARER, "Origin": "https://any.example"})
        assert len(server.reception) == 1
        await viewer.close()
        await _empty(server)


async def test_what_is_no_websocket_is_told(config: ServerConfig) -> None:
    async with _server(config) as (_, http):
        async with http.get("/ws") as response:
            assert response.status == 400
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect("/ws/nothing")
        assert caught.value.status == 404


@pytest.mark.parametrize("rubbish", [b"", b"\x03x", b"\x63", "text", bytes(MAX_MESSAGE_BYTES + 1)])
async def test_rubbish_ends_the_session(config: ServerConfig, rubbish: bytes | str) -> None:
    async with _server(config) as (server, http), asyncio.timeout(20):
        socket = await http.ws_connect("/ws", max_msg_size=MAX_MESSAGE_BYTES)
        if isinstance(rubbish, str):
            await socket.send_str(rubbish)
        else:
            await socket.send_bytes(rubbish)
        while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
            pass
        await _empty(server)
        assert socket.closed
        await socket.close()


async def test_stopping_says_goodbye(config: ServerConfig) -> None:
    async with aiohttp.ClientSession() as http:
        async with serve(config) as server:
            viewer = await _viewer(http, f"{server.url}/ws")

            async def end() -> Closed:
                async for event in viewer:
                    if isinstance(event, Closed):
                        await viewer.close()
                        return event
                raise AssertionError("no end")

            ending = asyncio.create_task(end())
            await asyncio.sleep(0)
        closed = await ending
    assert closed.code is CloseCode.GOING_AWAY and closed.by_peer
    assert viewer.state is State.CLOSED


async def test_a_viewer_that_vanishes_frees_its_place(config: ServerConfig) -> None:
    async with _server(config) as (server, http):
        viewer = await _viewer(http)
        assert len(server.reception) == 1
        await viewer._transport.close()
        await _empty(server)
        await viewer.close()


async def test_places_are_taken_before_sockets_are_opened(config: ServerConfig) -> None:
    """Those of a burst that wait for one another's greetings are counted as those that are in."""
    opened: list[Transport] = []
    go = asyncio.Event()

    async def connect() -> Transport:
        opened.append(loopback_pair()[1])
        await go.wait()
        return opened[-1]

    async with _server(replace(config, limits=Limits(max_sessions=2))) as (server, _):
        reception = server.reception
        burst = [asyncio.create_task(reception.attend(connect, address="a")) for _ in range(3)]
        done, _ = await asyncio.wait(burst, return_when=asyncio.FIRST_COMPLETED)
        assert done == {burst[2]} and isinstance(burst[2].exception(), Refused)
        assert len(opened) == len(reception) == 2
        burst[0].cancel()
        await asyncio.wait([burst[0]])
        assert len(reception) == 1, "a place is free again where no socket was opened"
        go.set()
    await burst[1]


async def test_a_socket_that_opens_when_the_server_stops_is_let_go(config: ServerConfig) -> None:
    async with _server(config) as (server, _):
        reception = server.reception
        here, there = loopback_pair()

        async def connect() -> Transport:
            await reception.close()
            return here

        viewer = Endpoint(Role.CLIENT, there)
        with pytest.raises(Refused, match="stops"):
            await reception.attend(connect, address="a")
        assert len(reception) == 0
        with pytest.raises(SessionClosed):
            await viewer.opened()
        await viewer.close()
