"""Sessions whose connection is lost and made again."""

import asyncio
from dataclasses import replace
from hashlib import sha256

import pytest

from exgs.client import lifeline
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.lifeline import Lifeline
from exgs.client.progress import Milestone
from exgs.client.session import play
from exgs.client.signalling import Answered, Link
from exgs.client.statistics import PlaySummary
from exgs.client.status import Status
from exgs.codec import Container, open_container
from exgs.protocol import (
    CloseCode,
    Closed,
    ConnectionConfig,
    Endpoint,
    OpenScene,
    Preferences,
    Role,
    SceneInfo,
    SceneList,
    SceneState,
    SceneStatus,
    State,
)
from exgs.protocol.drivers.loopback import loopback_pair
from tests.client.stage import PaintedRasterizer, encoded

DATA, OTHER = open_container(encoded(2000)), open_container(encoded(2000, seed=4))
CONFIG = PlayConfig("http://loopback", size=(32, 18), fps=20, seconds=1.0, path="orbit")


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifeline, "FIRST_WAIT_S", 0.001)


class Server:
    """Serves one scene; connection n breaks off after ``breaks[n]`` chunks, the way ``how`` says."""

    def __init__(self, *breaks: int, how: CloseCode | None = None, refuses: int = 0) -> None:
        self.breaks, self.how, self.refuses = list(breaks), how, refuses
        self.files: list[Container] = []
        self.wishes: list[OpenScene] = []
        self.preferences: list[Preferences] = []
        self.tokens: list[bytes] = []
        self.sent: list[list[int]] = []
        self.names = ("room",)
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, config: PlayConfig, answered: Answered) -> Link:
        self.tokens.append(config.resume_token)
        if 0 < len(self.tokens) - 1 <= self.refuses:
            raise ClientError("nobody there")
        answered("webrtc")
        ours, theirs = loopback_pair()
        token = b"token %d" % len(self.tokens)
        server = Endpoint(Role.SERVER, theirs, ConnectionConfig(resume_token=token))
        self._tasks.append(asyncio.create_task(self._serve(server)))
        endpoint = Endpoint(Role.CLIENT, ours)
        return Link(endpoint, endpoint.close)

    async def _serve(self, endpoint: Endpoint) -> None:
        await endpoint.opened()
        number = len(self.sent)
        self.sent.append([])
        endpoint.send(SceneList(tuple(SceneInfo(7 + index, name) for index, name in enumerate(self.names))))
        async for event in endpoint:
            if isinstance(event, OpenScene):
                self.wishes.append(event)
                self._tasks.append(asyncio.create_task(self._send(endpoint, event, number)))
            elif isinstance(event, Preferences):
                self.preferences.append(event)
        await endpoint.close()

    async def _send(self, endpoint: Endpoint, wish: OpenScene, number: int) -> None:
        file = self.files[number] if self.files else DATA
        limit = self.breaks[number] if number < len(self.breaks) else len(file.manifest)
        kept = wish.manifest == sha256(file.preamble).digest()
        if kept:
            assert endpoint.keep_manifest(wish.scene)
        else:
            endpoint.send_manifest(wish.scene, file.preamble)
        for chunk in range(len(file.manifest)):
            if len(self.sent[number]) < limit and await endpoint.writable():
                data = bytes(file.chunk(chunk))
                if endpoint.send_chunk(wish.scene, chunk, data):
                    self.sent[number].append(chunk)
        while endpoint.unacknowledged_bytes and endpoint.state is State.OPEN:
            await asyncio.sleep(0.001)
        if number < len(self.breaks):
            if self.how is None:
                await endpoint._transport.close()
            else:
                await endpoint.close(self.how, "off")
        else:
            endpoint.send(SceneStatus(wish.scene, SceneState.COMPLETE, 1.0))

    async def end(self) -> None:
        await asyncio.gather(*self._tasks)


async def watch(server: Server, config: PlayConfig = CONFIG) -> tuple[PlaySummary, list[str]]:
    """Plays; gives the summary and the kinds of what was told."""
    told: list[str] = []

    def listen(news: Milestone | Status) -> None:
        told.append(news.kind if isinstance(news, Milestone) else "status")

    async with asyncio.timeout(30):
        summary = await play(config, listen=listen, connect=server.connect, rasterizer=PaintedRasterizer())
    await server.end()
    return summary, told


@pytest.mark.parametrize("how", [None, CloseCode.GOING_AWAY, CloseCode.TIMEOUT])
async def test_what_was_received_is_not_sent_twice(how: CloseCode | None) -> None:
    server = Server(1, 1, how=how)
    summary, told = await watch(server)
    assert summary.complete and summary.lost_connection is None
    assert summary.reconnects == 2
    assert sorted(chunk for sent in server.sent for chunk in sent) == list(range(len(DATA.manifest)))
    assert [wish.have for wish in server.wishes] == [b"", b"\x01", b"\x03"]
    assert {wish.manifest for wish in server.wishes[1:]} == {sha256(DATA.preamble).digest()}
    assert server.tokens == [b"", b"token 1", b"token 2"]
    assert told.count("reconnecting") == told.count("reconnected") == 2
    assert summary.bytes_received == len(DATA.data)


async def test_a_server_that_is_away_for_a_while_is_tried_again() -> None:
    server = Server(1, refuses=3)
    summary, told = await watch(server)
    assert summary.complete
    assert server.tokens == [b"", *[b"token 1"] * 4]
    assert told.count("reconnecting") == 4


async def test_patience_has_an_end() -> None:
    server = Server(1, refuses=10**6)
    summary, told = await watch(server, replace(CONFIG, reconnect_s=0.05))
    assert summary.lost_connection is not None
    assert summary.reconnects == 0
    assert "lost" in told


async def test_an_end_that_was_meant_is_not_undone() -> None:
    server = Server(1, how=CloseCode.NORMAL)
    summary, _ = await watch(server)
    assert summary.lost_connection == "the server said: off"
    assert server.tokens == [b""]


async def test_a_scene_that_changed_meanwhile_is_told() -> None:
    server = Server(1)
    server.files = [DATA, OTHER]
    summary, _ = await watch(server)
    assert summary.lost_connection == "the scene has changed on the server"


async def test_what_holds_the_scene_back_is_named() -> None:
    limiters: list[str] = []

    def listen(news: Milestone | Status) -> None:
        if isinstance(news, Status):
            limiters.append(news.limiter)
            assert {"loss", "jitter_ms", "links"} <= set(news.measures())

    server = Server()
    await play(CONFIG, listen=listen, connect=server.connect, rasterizer=PaintedRasterizer())
    await server.end()
    assert limiters[-1] == "complete"


async def test_leaving_ends_the_tries() -> None:
    server = Server(refuses=10**6)
    line = Lifeline(replace(CONFIG, reconnect_s=1e6), server.connect, say=lambda kind, text: None)
    await (await line.open()).opened()
    line.opened(b"token")
    await line.endpoint.close()
    restoring = asyncio.create_task(line.restore(Closed(CloseCode.TRANSPORT_LOST, "cut", False)))
    while len(server.tokens) < 3:
        await asyncio.sleep(0)
    await line.hang_up()
    async with asyncio.timeout(5):
        assert not await restoring
    await server.end()


@pytest.mark.parametrize("answered", [False, True])
async def test_leaving_ends_a_try_that_is_under_way(answered: bool) -> None:
    server, trying, answer = Server(), asyncio.Event(), asyncio.Event()

    async def connect(config: PlayConfig, heard: Answered) -> Link:
        if server.tokens:
            trying.set()
            await answer.wait()
        return await server.connect(config, heard)

    line = Lifeline(CONFIG, connect, say=lambda kind, text: None)
    await (await line.open()).opened()
    line.opened(b"token")
    await line.endpoint.close()
    restoring = asyncio.create_task(line.restore(Closed(CloseCode.TRANSPORT_LOST, "cut", False)))
    async with asyncio.timeout(5):
        await trying.wait()
        if answered:
            answer.set()
        await line.close()
        assert not await restoring
        await line.hang_up()
    assert line.reconnects == 0 and line.state in (State.CLOSING, State.CLOSED)
    await server.end()


async def test_wishes_are_told_to_every_connection() -> None:
    server = Server()
    line = Lifeline(replace(CONFIG, max_bytes_per_s=1000), server.connect, say=lambda kind, text: None)
    for bytes_per_s in (1000, 2000):
        endpoint = await line.open()
        line.opened((await endpoint.opened()).resume_token)
        while not server.preferences:
            await asyncio.sleep(0)
        assert server.preferences == [Preferences(bytes_per_s)]
        if bytes_per_s == 1000:
            line.prefer(Preferences(2000))
            while server.preferences[-1] != Preferences(2000):
                await asyncio.sleep(0)
        server.preferences.clear()
        await endpoint.close()
    line.send(Preferences(3))
    await server.end()
    assert server.preferences == []
