"""Which carrier a session takes."""

import asyncio
from dataclasses import replace

import pytest
from aiohttp import web

from exgs.client import carriers, signalling
from exgs.client.carriers import connect, socket_url
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError, NoRoute
from exgs.client.session import play
from exgs.client.signalling import Answered, Link
from exgs.codec import open_container
from exgs.protocol import Endpoint, OpenScene, Role, SceneInfo, SceneList
from exgs.protocol.drivers.websocket import WebSocketTransport
from tests.client.stage import PaintedRasterizer, encoded

DATA = encoded(2000)
CONFIG = PlayConfig("", size=(32, 18), fps=20, seconds=0.3, path="orbit", token="secret", reconnect_s=0.0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("localhost:8080", "http://localhost:8080/ws"),
        ("https://a.example/whep/room", "https://a.example/ws/room"),
        ("http://a.example/behind/whep", "http://a.example/behind/ws"),
        ("http://a.example/other", None),
        ("http://a.example/whepper", None),
    ],
)
def test_the_socket_lies_beside_the_whep_endpoint(given: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ClientError, match="no WebSocket is known"):
            socket_url(given)
    else:
        assert socket_url(given) == expected


class Calls:
    """Carriers that note who asks for them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **failures: Exception) -> None:
        self.made: list[tuple[str, float | None]] = []
        self.failures = failures

        async def webrtc(
            config: PlayConfig, answered: Answered, *, opens_within_s: float | None = None
        ) -> Link:
            answered("webrtc")
            return self._note("webrtc", opens_within_s)

        async def websocket(config: PlayConfig, answered: Answered) -> Link:
            answered("websocket")
            return self._note("websocket", None)

        monkeypatch.setattr(signalling, "connect", webrtc)
        monkeypatch.setattr(carriers, "connect_socket", websocket)

    def _note(self, name: str, opens_within_s: float | None) -> Link:
        self.made.append((name, opens_within_s))
        if name in self.failures:
            raise self.failures[name]
        return Link(None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("transport", "failures", "made"),
    [
        ("auto", {}, [("webrtc", 4.0)]),
        ("auto", {"webrtc": NoRoute("closed")}, [("webrtc", 4.0), ("websocket", None)]),
        ("webrtc", {}, [("webrtc", None)]),
        ("websocket", {}, [("websocket", None)]),
    ],
)
async def test_the_choice(
    monkeypatch: pytest.MonkeyPatch,
    transport: str,
    failures: dict[str, Exception],
    made: list[tuple[str, float | None]],
) -> None:
    calls = Calls(monkeypatch, **failures)
    heard: list[str] = []
    await connect(replace(CONFIG, transport=transport), heard.append)  # type: ignore[arg-type]
    assert calls.made == made and heard == [name for name, _ in made]


async def test_a_refusal_is_no_reason_for_another_carrier(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = Calls(monkeypatch, webrtc=ClientError("the token is wrong"))
    with pytest.raises(ClientError, match="the token is wrong"):
        await connect(CONFIG, lambda carrier: None)
    assert len(calls.made) == 1


async def test_where_neither_goes_both_reasons_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Calls(monkeypatch, webrtc=NoRoute("no UDP"), websocket=ClientError("status 404"))
    with pytest.raises(ClientError, match="no session: no UDP; nor over a WebSocket: status 404"):
        await connect(CONFIG, lambda carrier: None)


async def _serve(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Authorization") != "Bearer secret":
        raise web.HTTPUnauthorized
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    endpoint = Endpoint(Role.SERVER, WebSocketTransport(socket))
    await endpoint.opened()
    endpoint.send(SceneList((SceneInfo(0, "ball"),)))
    async for event in endpoint:
        if isinstance(event, OpenScene):
            container = open_container(DATA)
            endpoint.send_manifest(0, container.preamble)
            for chunk in container.manifest:
                await endpoint.writable()
                endpoint.send_chunk(0, chunk.id, bytes(container.chunk(chunk.id)))
    await endpoint.close()
    return socket


def _fail_to_tell(carrier: str) -> None:
    raise BrokenPipeError(carrier)


async def test_a_scene_comes_over_a_websocket_where_no_udp_gets_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def no_udp(config: PlayConfig, answered: Answered, *, opens_within_s: float | None = None) -> Link:
        raise NoRoute("no address")

    monkeypatch.setattr(signalling, "connect", no_udp)
    app = web.Application()
    app.router.add_get("/ws", _serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = "http://{}:{}".format(*runner.addresses[0])
    try:
        async with asyncio.timeout(30):
            summary = await play(replace(CONFIG, url=url), rasterizer=PaintedRasterizer())
        with pytest.raises(ClientError, match="--token"):
            await carriers.connect_socket(replace(CONFIG, url=url, token="guess"))
        with pytest.raises(ClientError, match="leads to no scene"):
            await carriers.connect_socket(replace(CONFIG, url=f"{url}/whep/room"))
        with pytest.raises(BrokenPipeError, match="websocket"):  # the listener's, not the connection's
            await carriers.connect_socket(replace(CONFIG, url=url), _fail_to_tell)
    finally:
        await runner.cleanup()
    with pytest.raises(ClientError, match="/ws cannot be reached: Connection refused; start it with"):
        await carriers.connect_socket(replace(CONFIG, url=url))
    assert summary.complete and summary.carrier == "websocket"
    assert summary.bytes_received == len(DATA)


async def test_a_server_that_takes_the_call_and_says_nothing_is_given_up() -> None:
    served = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        served.set()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    url = "http://{}:{}".format(*server.sockets[0].getsockname())
    async with server, asyncio.timeout(5):
        with pytest.raises(ClientError, match="does not answer"):
            await carriers.connect_socket(replace(CONFIG, url=url, connect_timeout_s=0.1))
        await served.wait()
