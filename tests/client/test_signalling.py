import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar

import aiohttp
import pytest
from aiohttp import web

from exgs.client import signalling
from exgs.client.carriers import connect
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError, NoRoute, quoted
from exgs.client.signalling import Answer, post_offer
from exgs.protocol import CloseCode, RemoteProtocolError, TransportError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}/whep".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


async def post(url: str, *, token: str | None = None, timeout_s: float = 20) -> Answer:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=timeout_s)) as http:
        return await post_offer(http, url, "v=0 offer", token=token)


def refusing(status: int, text: str = "", headers: dict[str, str] | None = None) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return handle


async def test_the_answer_and_the_session_come_back():
    seen: list[tuple[str, str | None, str]] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.content_type, request.headers.get("Authorization"), await request.text()))
        return web.Response(status=201, text="v=0 answer", headers={"Location": "/whep/session/7"})

    async with serving(handle) as url:
        answer = await post(url, token="secret")
        assert answer == Answer("v=0 answer", url + "/session/7")
    assert seen == [("application/sdp", "Bearer secret", "v=0 offer")]


async def test_a_session_on_another_server_is_not_ours_to_end():
    async with serving(refusing(201, "sdp", {"Location": "http://elsewhere.example/7"})) as url:
        assert (await post(url)).resource is None


@pytest.mark.parametrize(
    ("status", "headers", "says"),
    [
        (401, {}, "--token"),
        (403, {}, "--token"),
        (404, {}, "leads to no scene"),
        (503, {"Retry-After": "7"}, "try again in 7 s"),
        (503, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, "try again later"),
        (302, {"Location": "http://elsewhere.example/"}, "status 302"),
        (500, {}, "status 500"),
    ],
)
async def test_a_refusal_says_what_would_help(status: int, headers: dict[str, str], says: str):
    async with serving(refusing(status, "because", headers)) as url:
        with pytest.raises(ClientError, match=says) as caught:
            await post(url)
    assert url in str(caught.value)


async def test_what_the_server_writes_cannot_play_with_the_terminal():
    async with serving(refusing(500, "\x1b[2J bad\nnews" + "x" * 100_000)) as url:
        with pytest.raises(ClientError) as caught:
            await post(url)
    assert "bad news" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 400


async def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(ClientError, match="cannot be reached: Connection refused"):
        await post(f"http://127.0.0.1:{port}/whep")


async def test_a_certificate_that_nobody_vouches_for(monkeypatch: pytest.MonkeyPatch):
    verdict = ssl.SSLCertVerificationError(1, "verify failed")
    verdict.verify_message = "self-signed certificate"

    async def shake_hands(*args: object, **kwargs: object) -> None:
        raise verdict

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", shake_hands)
    monkeypatch.setattr("aiohappyeyeballs.start_connection", shake_hands)
    with pytest.raises(ClientError, match=r"TLS fails: self-signed certificate; .*SSL_CERT_FILE"):
        await post("https://127.0.0.1:1/whep")


def test_a_certificate_error_of_older_versions_of_the_library_is_told_as_well():
    class Older(aiohttp.ClientSSLError):
        def __init__(self) -> None:
            self.certificate_error = ssl.SSLCertVerificationError(1, "verify failed")

    assert "TLS fails: " in signalling.failure("https://localhost/whep", Older())


def test_an_answer_that_is_no_http_is_not_called_out_of_reach():
    assert "cannot be understood" in signalling.failure(
        "http://localhost/whep", aiohttp.ClientPayloadError("cut")
    )


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
async def test_plain_text_to_a_server_that_speaks_tls_and_the_other_way_round(transport: str):
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()

    for scheme, answer, says in (
        ("http", silent, "say https:// instead"),
        ("https", plain, "say http:// instead"),
    ):
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            with pytest.raises(ClientError, match=says):
                await connect(PlayConfig(url, transport=transport))


async def test_a_server_that_never_answers():
    release = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        await release.wait()
        return web.Response()

    async with serving(handle) as url:
        with pytest.raises(ClientError, match="does not answer"):
            await post(url, timeout_s=0.05)
        release.set()


async def test_what_answers_is_no_web_server():
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ClientError, match=str(port)):
            await post(f"http://127.0.0.1:{port}/whep")


class Unconnected:
    """A transport, and its endpoint, that take an answer and connect nothing."""

    def __init__(self, *_: object) -> None:
        self.closings = 0

    @classmethod
    async def offer(cls, _: object) -> "tuple[Unconnected, str]":
        return cls(), "v=0 offer"

    async def accept(self, _: str) -> None:
        return

    async def close(self) -> None:
        self.closings += 1


async def test_what_was_let_go_can_still_be_hung_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(signalling, "WebRtcTransport", Unconnected)
    monkeypatch.setattr(signalling, "Endpoint", Unconnected)
    called: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        called.append(request.method)
        headers = {"Location": "/sessions/1"}
        return web.Response(status=201, text="v=0 answer", content_type="application/sdp", headers=headers)

    async with serving(handle) as url:
        kept, lost = [await signalling.connect(PlayConfig(url)) for _ in range(2)]
        await kept.hang_up()
        assert lost.let_go is not None
        await lost.let_go()
        await lost.hang_up()
    assert called == ["POST", "POST", "DELETE"]


class Failing(Unconnected):
    """A transport that notes its end, and fails, or hangs, where it is told to."""

    said: ClassVar[list[str]]
    fails: ClassVar[BaseException | None] = None
    hangs: ClassVar[asyncio.Event | None] = None

    async def accept(self, _: str) -> None:
        if self.hangs is not None:
            self.hangs.set()
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails

    async def close(self) -> None:
        self.said.append("closed")


@asynccontextmanager
async def failing(monkeypatch: pytest.MonkeyPatch, **how: object) -> AsyncIterator[tuple[str, list[str]]]:
    """A server, and what it and the transport tell of, in their order."""
    said: list[str] = []
    monkeypatch.setattr(signalling, "WebRtcTransport", type("Told", (Failing,), {"said": said, **how}))

    async def handle(request: web.Request) -> web.Response:
        said.append(request.method)
        return web.Response(status=201, text="v=0 answer", headers={"Location": "/sessions/1"})

    async with serving(handle) as url:
        yield url, said


@pytest.mark.parametrize(
    ("error", "told", "says"),
    [
        (
            RemoteProtocolError("no fingerprint", close_code=CloseCode.MALFORMED),
            ClientError,
            "gave an answer that does not fit: no fing",
        ),
        (TransportError("no address"), NoRoute, "no connection to .*: no address"),
        (KeyError("a bug"), KeyError, "a bug"),
    ],
)
async def test_what_fails_midway_is_undone_once_and_said_goodbye_to(
    monkeypatch: pytest.MonkeyPatch, error: Exception, told: type[Exception], says: str
):
    async with failing(monkeypatch, fails=error) as (url, said):
        with pytest.raises(told, match=says):
            await signalling.connect(PlayConfig(url))
        assert said == ["POST", "DELETE", "closed"]


async def test_a_connection_given_up_midway_is_undone_once(monkeypatch: pytest.MonkeyPatch):
    hanging = asyncio.Event()
    async with failing(monkeypatch, hangs=hanging) as (url, said):
        connecting = asyncio.create_task(signalling.connect(PlayConfig(url)))
        await hanging.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert said == ["POST", "DELETE", "closed"]


async def test_a_refused_offer_leaves_no_transport_and_nobody_to_say_goodbye_to(
    monkeypatch: pytest.MonkeyPatch,
):
    closed: list[str] = []
    monkeypatch.setattr(signalling, "WebRtcTransport", type("Told", (Failing,), {"said": closed}))
    async with serving(refusing(404)) as url:
        with pytest.raises(ClientError, match="leads to no scene"):
            await signalling.connect(PlayConfig(url))
    assert closed == ["closed"]


async def test_a_listener_that_fails_leaves_no_session_behind(monkeypatch: pytest.MonkeyPatch):
    def hear(carrier: str) -> None:
        raise BrokenPipeError(carrier)

    async with failing(monkeypatch) as (url, said):
        with pytest.raises(BrokenPipeError, match="webrtc"):
            await signalling.connect(PlayConfig(url), hear)
        assert said == ["POST", "DELETE", "closed"]


def test_quoted_text_is_one_short_printable_line():
    assert quoted(" a\n\tb\x1b[0m ") == "a b [0m"
    assert len(quoted("x" * 10_000)) == 200
