"""What is shown before the connection is made, and what the session then goes on with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from exgs.client.beginning import Beginning, beginning_url, fetch_beginning, parse_beginning
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.progress import Milestone
from exgs.client.session import play
from exgs.client.signalling import Answered, Link
from exgs.client.statistics import PlaySummary
from exgs.client.status import Status
from exgs.codec import open_container
from exgs.protocol import CloseCode, Endpoint, OpenScene, Role, SceneInfo, SceneList
from exgs.protocol.drivers.loopback import loopback_pair
from tests.client.stage import PaintedRasterizer, encoded

DATA = encoded(40_000, levels=3)
FILE = open_container(DATA)
ROOTS = [chunk for chunk in FILE.manifest if chunk.level == 2]
END = ROOTS[-1].offset + ROOTS[-1].size_bytes
CONFIG = PlayConfig("http://loopback", size=(32, 18), fps=20, seconds=0.5, path="orbit", reconnect_s=0.0)


class Server:
    """Serves one scene once ``go`` is set."""

    def __init__(self, data: bytes = DATA, *, name: str = "ball") -> None:
        self.file, self.name = open_container(data), name
        self.go = asyncio.Event()
        self.refuses = self.slams = self.answers_early = False
        self.wishes: list[OpenScene] = []
        self.sent: list[int] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def begin(self, config: PlayConfig) -> Beginning | None:
        return parse_beginning("ball", DATA[:END])

    async def connect(self, config: PlayConfig, answered: Answered) -> Link:
        if self.answers_early:
            answered("webrtc")
        await self.go.wait()
        if self.refuses:
            raise ClientError("all places are taken")
        ours, theirs = loopback_pair()
        self._tasks.append(asyncio.create_task(self._serve(Endpoint(Role.SERVER, theirs))))
        endpoint = Endpoint(Role.CLIENT, ours)
        if not self.answers_early:
            answered("webrtc")
        return Link(endpoint, endpoint.close)

    async def _serve(self, endpoint: Endpoint) -> None:
        if self.slams:
            await endpoint.close(CloseCode.REFUSED, "not you")
            return
        await endpoint.opened()
        endpoint.send(SceneList((SceneInfo(0, "another"), SceneInfo(1, self.name))))
        async for event in endpoint:
            if isinstance(event, OpenScene):
                self.wishes.append(event)
                self._tasks.append(asyncio.create_task(self._send(endpoint, event)))
        await endpoint.close()

    async def _send(self, endpoint: Endpoint, wish: OpenScene) -> None:
        if wish.manifest == sha256(self.file.preamble).digest():
            endpoint.keep_manifest(wish.scene)
        else:
            endpoint.send_manifest(wish.scene, self.file.preamble)
        for chunk in self.file.manifest:
            if await endpoint.writable() and endpoint.send_chunk(
                wish.scene, chunk.id, bytes(self.file.chunk(chunk.id))
            ):
                self.sent.append(chunk.id)

    async def end(self) -> None:
        await asyncio.gather(*self._tasks)


async def watch(
    server: Server, config: PlayConfig = CONFIG, *, opens_at: str = "first_frame"
) -> tuple[PlaySummary, list[str], list[Status]]:
    """Plays; the connection is not made before a milestone of kind ``opens_at``."""
    told: list[str] = []
    statuses: list[Status] = []

    def listen(news: Milestone | Status) -> None:
        if isinstance(news, Status):
            statuses.append(news)
            return
        told.append(news.kind)
        if news.kind == opens_at:
            server.go.set()

    async with asyncio.timeout(30):
        summary = await play(
            config, listen=listen, connect=server.connect, begin=server.begin, rasterizer=PaintedRasterizer()
        )
    await server.end()
    return summary, told, statuses


async def test_it_is_shown_before_there_is_a_connection_and_not_sent_again() -> None:
    server = Server()
    summary, told, _ = await watch(server)
    assert told.index("first_frame") < told.index("answered") < told.index("opened") < told.index("complete")
    assert [wish.scene for wish in server.wishes] == [1], "by its name, whatever its number"
    assert server.wishes[0].have == bytes([(1 << len(ROOTS)) - 1])
    assert sorted(server.sent) == [chunk.id for chunk in FILE.manifest[len(ROOTS) :]]
    assert summary.complete and summary.reconnects == 0 and "reconnected" not in told
    assert summary.bytes_received == len(DATA)
    assert summary.first_frame_s is not None and summary.complete_s is not None


async def test_an_answer_is_told_when_it_comes_though_the_connection_is_up_later() -> None:
    server = Server()
    server.answers_early = True
    _, told, _ = await watch(server)
    assert told.index("answered") < told.index("first_frame") < told.index("opened")
    assert told.count("answered") == 1


async def test_a_session_may_end_before_there_is_a_connection() -> None:
    summary, told, statuses = await watch(Server(), replace(CONFIG, seconds=0.8), opens_at="never")
    assert summary.frames_shown > 0 and not summary.complete
    assert summary.lost_connection is None and "answered" not in told
    assert statuses and {status.state for status in statuses} == {"connecting"}
    assert statuses[-1].bytes_received == END


@pytest.mark.parametrize("broken", [{"max_splats": 1}, {"status_log": Path("/nowhere/at/all")}])
async def test_a_session_that_fails_before_it_begins_leaves_nobody_connecting(broken: dict[str, Any]) -> None:
    server, ended = Server(), list[str]()

    async def connect(config: PlayConfig, answered: Answered) -> Link:
        try:
            return await Server.connect(server, config, answered)
        finally:
            await asyncio.sleep(0)  # whoever gives this up waits for what it still has to do
            ended.append("connecting")

    server.connect = connect  # type: ignore[method-assign]
    with pytest.raises(ClientError):
        await watch(server, replace(CONFIG, **broken), opens_at="never")
    assert ended == ["connecting"]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_where_no_connection_is_to_be_had_it_is_an_error() -> None:
    server = Server()
    server.refuses = True
    with pytest.raises(ClientError, match="all places are taken"):
        await watch(server, replace(CONFIG, seconds=10.0))


async def test_a_server_that_hangs_up_at_once_is_an_error() -> None:
    server = Server()
    server.slams = True
    with pytest.raises(ClientError, match="no session"):
        await watch(server, replace(CONFIG, seconds=10.0))


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (lambda: Server(encoded(2000)), "changed"),
        (lambda: Server(name="other"), "no more"),
    ],
)
async def test_what_began_must_be_what_goes_on(server: Callable[[], Server], why: str) -> None:
    summary, _, _ = await watch(server())
    assert summary.lost_connection is not None and why in summary.lost_connection


async def test_a_beginning_that_comes_too_late_is_left() -> None:
    server = Server()
    server.go.set()
    never = asyncio.Event()
    given_up = []

    async def begin(config: PlayConfig) -> Beginning | None:
        try:
            await never.wait()
        finally:
            given_up.append(True)
        return None

    server.begin = begin  # type: ignore[method-assign]
    config = replace(CONFIG, scene="ball")
    summary, _, _ = await watch(server, config)
    assert summary.complete and given_up == [True]
    assert server.wishes == [OpenScene(1)], "everything is asked for"


@asynccontextmanager
async def hosting(answer: Callable[[web.Request], web.Response]) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        return answer(request)

    app = web.Application()
    app.router.add_get("/beginning/ball", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


def good(request: web.Request) -> web.Response:
    assert request.headers["Authorization"] == "Bearer secret"
    return web.Response(body=DATA[: END + 100], headers={"Exgs-Scene": "b%C3%A4ll"})


async def test_it_is_fetched_with_the_token() -> None:
    async with hosting(good) as url:
        found = await fetch_beginning(replace(CONFIG, url=url, scene="ball", token="secret"))
        assert found is not None and found.name == "bäll"
        assert [chunk for chunk, _ in found.chunks] == [chunk.id for chunk in ROOTS], "whole ones only"
        assert found.chunks[0][1] == bytes(FILE.chunk(0)) and found.digest == sha256(FILE.preamble).digest()
        assert await fetch_beginning(replace(CONFIG, url=url, scene="other", token="secret")) is None


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: web.Response(body=DATA[:END]),
        lambda request: web.Response(body=DATA[:20], headers={"Exgs-Scene": "ball"}),
        lambda request: web.Response(body=b"<html>", headers={"Exgs-Scene": "ball"}),
        lambda request: web.Response(status=302, headers={"Location": "/", "Exgs-Scene": "ball"}),
    ],
)
async def test_any_other_answer_is_none(answer: Callable[[web.Request], web.Response]) -> None:
    async with hosting(answer) as url:
        assert await fetch_beginning(replace(CONFIG, url=url, scene="ball")) is None


async def test_nobody_there_is_none() -> None:
    assert await fetch_beginning(replace(CONFIG, url="http://127.0.0.1:1")) is None


@pytest.mark.parametrize(
    ("url", "scene", "expected"),
    [
        ("host:80", None, "http://host:80/beginning"),
        ("http://host/whep/room", None, "http://host/beginning/room"),
        ("http://host/whep/room", "a/b", "http://host/beginning/a%2Fb"),
        ("https://host/exgs/whep?x=1", "room", "https://host/exgs/beginning/room?x=1"),
    ],
)
def test_where_it_is(url: str, scene: str | None, expected: str) -> None:
    assert beginning_url(url, scene) == expected


def test_other_endpoints_have_none() -> None:
    with pytest.raises(ClientError, match="no beginning"):
        beginning_url("http://host/stream", None)
