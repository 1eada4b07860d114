"""The HTTP side with sessions over the in-memory driver: who may do what, and what is said when not."""

import asyncio
import gc
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from exgs.protocol import (
    CloseCode,
    Closed,
    ConnectionConfig,
    Endpoint,
    Preferences,
    RemoteProtocolError,
    Role,
    SceneList,
    Transport,
    TransportError,
)
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.server.config import Limits, ServerConfig
from exgs.server.errors import Refused
from exgs.server.metrics import Metrics
from exgs.server.service import RunningServer, serve
from exgs.server.signalling import Signalling

SDP = {"Content-Type": "application/sdp"}
BEARER = {"Authorization": "Bearer open-sesame"}


class Exchange:
    """Answers offers with in-memory transports and keeps the viewers' ends."""

    def __init__(self) -> None:
        self.viewers: list[Any] = []
        self.failure: Exception | None = None
        self.hang = False

    async def answer(self, offer: str) -> tuple[Transport, str]:
        if self.hang:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise self.failure
        ours, theirs = loopback_pair()
        self.viewers.append(ours)
        return theirs, f"answer to {offer}"


@asynccontextmanager
async def _server(
    config: ServerConfig, exchange: Exchange | None = None
) -> AsyncIterator[tuple[RunningServer, aiohttp.ClientSession]]:
    answerer = (exchange or Exchange()).answer
    async with serve(config, answerer=answerer) as server, aiohttp.ClientSession(server.url) as http:
        yield server, http


@pytest.fixture
def config(scenes: Path, tmp_path: Path) -> ServerConfig:
    return ServerConfig(scenes=scenes, cache=tmp_path / "cache", port=0)


async def test_an_offer_opens_a_session_and_delete_ends_it(config: ServerConfig) -> None:
    exchange = Exchange()
    async with _server(config, exchange) as (server, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 201 and response.content_type == "application/sdp"
            assert await response.text() == "answer to offer"
            location = response.headers["Location"]
        viewer = Endpoint(Role.CLIENT, exchange.viewers[0])
        await viewer.opened()
        assert isinstance(await viewer.next_event(), SceneList)
        assert len(server.reception) == 1
        hung_up = asyncio.create_task(_closed(viewer))
        async with http.delete(location) as response:
            assert response.status == 204
        assert (await hung_up).code is CloseCode.NORMAL
        assert len(server.reception) == 0
        async with http.delete(location) as response:
            assert response.status == 404


async def _closed(viewer: Endpoint) -> Closed:
    """The end of the session, from a viewer that hangs up when it hears it."""
    async for event in viewer:
        if isinstance(event, Closed):
            await viewer.close()
            return event
    raise AssertionError("no end")


async def test_a_scene_in_the_path_heads_the_list(config: ServerConfig) -> None:
    exchange = Exchange()
    async with _server(config, exchange) as (_, http):
        async with http.post("/whep/statue", data="offer", headers=SDP) as response:
            assert response.status == 201
        viewer = Endpoint(Role.CLIENT, exchange.viewers[0])
        await viewer.opened()
        scenes = await viewer.next_event()
        assert isinstance(scenes, SceneList) and [scene.name for scene in scenes.scenes] == ["statue", "room"]
        await viewer.close()


@pytest.mark.parametrize(
    "path", ["/whep/nothing", "/whep/..%2Fstatue", "/whep/%2e%2e%2fstatue", "/whep/a%00"]
)
async def test_scenes_that_are_not_there(config: ServerConfig, path: str) -> None:
    async with _server(config) as (server, http):
        url = aiohttp.client.URL(server.url + path, encoded=True)
        async with http.post(url, data="offer", headers=SDP) as response:
            assert response.status == 404
            assert "error" in await response.json()
        assert len(server.reception) == 0


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("POST", "/whep", {"Content-Type": "text/plain"}, "offer", 415),
        ("POST", "/whep", SDP, "x" * 32769, 413),
        ("POST", "/whep", SDP, b"\xff\xfe", 400),
        ("GET", "/whep", {}, None, 405),
        ("PATCH", "/whep/session/x", SDP, "x", 405),
        ("DELETE", "/whep/session/x", {}, None, 404),
        ("GET", "/nothing", {}, None, 404),
        ("GET", "/scenes/../../etc/passwd", {}, None, 404),
        ("GET", "/scenes", {"Host": "evil.example"}, None, 403),
        ("GET", "/scenes", {"Host": "[broken"}, None, 403),
    ],
)
async def test_refusals_are_json(
    config: ServerConfig, method: str, path: str, headers: dict[str, str], body: Any, status: int
) -> None:
    async with (
        _server(config) as (server, http),
        http.request(method, path, data=body, headers=headers) as response,
    ):
        assert response.status == status
        document = json.loads(await response.text())
        assert document["status"] == status and isinstance(document["error"], str)
        assert "Traceback" not in document["error"] and str(config.scenes) not in document["error"]
        assert len(server.reception) == 0


async def test_the_largest_offer_is_taken(config: ServerConfig) -> None:
    async with _server(config) as (_, http), http.post("/whep", data="x" * 32768, headers=SDP) as response:
        assert response.status == 201


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (RemoteProtocolError("no data channel", close_code=CloseCode.MALFORMED), 400),
        (TransportError("no address to answer with"), 503),
    ],
)
async def test_an_offer_that_cannot_be_answered(
    config: ServerConfig, failure: Exception, status: int
) -> None:
    exchange = Exchange()
    exchange.failure = failure
    async with _server(config, exchange) as (server, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == status and str(failure) in (await response.json())["error"]
        assert len(server.reception) == 0


async def test_an_answer_that_takes_too_long(config: ServerConfig) -> None:
    exchange = Exchange()
    exchange.hang = True
    config = replace(config, limits=Limits(answer_timeout_s=0.01))
    async with _server(config, exchange) as (server, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 503 and "in time" in (await response.json())["error"]
        assert len(server.reception) == 0


async def test_a_body_that_does_not_come(config: ServerConfig) -> None:
    async def slowly() -> AsyncIterator[bytes]:
        yield b"off"
        await asyncio.Event().wait()

    config = replace(config, limits=Limits(body_timeout_s=0.01))
    async with _server(config) as (_, http), http.post("/whep", data=slowly(), headers=SDP) as response:
        assert response.status == 408


@pytest.mark.parametrize(
    ("limits", "word"),
    [(Limits(max_sessions=2), "places"), (Limits(max_sessions_per_address=2), "your address")],
)
async def test_a_full_server_says_when_to_come_back(config: ServerConfig, limits: Limits, word: str) -> None:
    async with _server(replace(config, limits=limits)) as (server, http):
        for status in (201, 201, 503):
            async with http.post("/whep", data="offer", headers=SDP) as response:
                assert response.status == status
                if status == 503:
                    assert word in (await response.json())["error"]
                    assert int(response.headers["Retry-After"]) > 0
        assert len(server.reception) == 2


async def test_addresses_behind_a_proxy_are_told_apart(config: ServerConfig) -> None:
    config = replace(config, behind_proxy=True, limits=Limits(max_sessions_per_address=1))
    async with _server(config) as (_, http):
        statuses = []
        for address in ("1.1.1.1, 10.0.0.1", "10.0.0.1", "10.0.0.2"):
            headers = {**SDP, "X-Forwarded-For": address}
            async with http.post("/whep", data="offer", headers=headers) as response:
                statuses.append(response.status)
    assert statuses == [201, 503, 201]


@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer wrong", "Basic open-sesame", "Bearer ä"])
async def test_without_the_token_nothing_is_told(config: ServerConfig, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with _server(replace(config, token="open-sesame")) as (_, http):
        for word in (
            "GET /scenes",
            "GET /status",
            "GET /metrics",
            "POST /whep",
            "DELETE /whep/session/x",
            "GET /no",
        ):
            method, path = word.split()
            async with http.request(method, path, headers=headers) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Bearer")
        async with http.get("/healthz", headers=headers) as response:
            assert response.status == 200
        async with http.get("/", headers=headers) as response:
            assert response.status == 200 and "statue" not in await response.text()


async def test_with_the_token_everything_is(config: ServerConfig) -> None:
    async with _server(replace(config, token="open-sesame")) as (_, http):
        async with http.get("/scenes", headers=BEARER) as response:
            assert [scene["name"] for scene in (await response.json())["scenes"]] == ["room", "statue"]
        async with http.get("/", headers=BEARER) as response:
            page = await response.text()
            assert "statue" in page and "exgs play http://127.0.0.1:" in page
        async with http.post("/whep", data="offer", headers={**SDP, **BEARER}) as response:
            assert response.status == 201


async def test_health_and_figures(config: ServerConfig) -> None:
    async with _server(config) as (_, http):
        async with http.get("/healthz") as response:
            assert (await response.json())["status"] == "ok"
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 201
        async with http.get("/metrics") as response:
            assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            families = {
                family.name: family for family in text_string_to_metric_families(await response.text())
            }
    assert families["exgs_sessions"].samples[0].value == 1
    assert {"exgs_build_info", "exgs_chunk_bytes_sent", "exgs_encode_seconds"} <= set(families)
    statuses = {sample.labels["status"]: sample.value for sample in families["exgs_http_requests"].samples}
    assert statuses["201"] == 1


async def test_the_status_tells_of_sessions_and_not_whence_they_come(config: ServerConfig) -> None:
    async with _server(config) as (_, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            location = response.headers["Location"]
        async with http.get("/status") as response:
            assert response.headers["Cache-Control"] == "no-store"
            text = await response.text()
    (session,) = json.loads(text)["sessions"]
    assert session["carrier"] == "webrtc" and session["state"] == "idle"
    assert location.rpartition("/")[2] not in text and "127.0.0.1" not in text


async def test_names_are_escaped_on_the_page(config: ServerConfig) -> None:
    (config.scenes / "<b>&.ply").write_bytes(b"x")
    async with _server(config) as (_, http), http.get("/") as response:
        page = await response.text()
    assert "<b>&" not in page and "default-src 'none'" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("settings", "origin", "allowed"),
    [
        ({}, "http://localhost:5173", "http://localhost:5173"),
        ({}, "https://evil.example", None),
        ({}, "null", None),
        ({"token": "open-sesame"}, "https://any.example", "*"),
        ({"origins": ("https://a.example",)}, "https://a.example", "https://a.example"),
        ({"origins": ("https://a.example",)}, "https://b.example", None),
        ({"origins": ("*",)}, "https://b.example", "*"),
    ],
)
async def test_which_pages_may_call(
    config: ServerConfig, settings: dict[str, Any], origin: str, allowed: str | None
) -> None:
    async with _server(replace(config, **settings)) as (_, http):
        async with http.options("/whep", headers={"Origin": origin}) as response:
            assert response.status == 204
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
            assert ("Access-Control-Allow-Methods" in response.headers) == (allowed is not None)
        async with http.get("/scenes", headers={"Origin": origin}) as response:
            assert response.headers.get("Access-Control-Allow-Origin") == allowed
            assert response.headers["Vary"] == "Origin"


async def test_a_viewer_that_never_comes_frees_its_place(config: ServerConfig) -> None:
    config = replace(config, connection=replace(config.connection, open_timeout_s=0.05))
    exchange = Exchange()
    async with _server(config, exchange) as (server, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 201
        silent = exchange.viewers[0]
        silent.attach(_Deaf())
        async with asyncio.timeout(5):
            while len(server.reception):
                await asyncio.sleep(0.01)


async def test_a_viewer_that_lost_its_connection_goes_on_where_it_was(config: ServerConfig) -> None:
    exchange = Exchange()
    async with _server(config, exchange) as (server, http):
        tokens: list[bytes] = []
        viewers: list[Endpoint] = []
        for alive in (False, True, True):
            async with http.post("/whep", data="offer", headers=SDP) as response:
                assert response.status == 201
            shown = tokens[-1] if tokens else b""
            viewer = Endpoint(Role.CLIENT, exchange.viewers[-1], ConnectionConfig(resume_token=shown))
            viewers.append(viewer)
            opened = await viewer.opened()
            assert opened.resumed == bool(tokens)
            assert opened.resume_token not in tokens
            tokens.append(opened.resume_token)
            if not alive:
                viewer.send(Preferences(max_splats=7))
                await viewer.next_event()
                await exchange.viewers[-1].close()
        closed = await _closed(viewers[1])
        assert (closed.code, closed.reason) == (CloseCode.GOING_AWAY, "continued by another connection")
        async with asyncio.timeout(5):
            while len(server.reception) > 1:
                await asyncio.sleep(0.01)
        (session, _) = next(iter(server.reception._sessions.values()))
        assert session._remembered.wishes == Preferences(max_splats=7)
        assert b"exgs_sessions_resumed_total 2.0" in server.metrics.text()
        await viewers[2].close()


async def test_a_token_of_another_server_opens_a_new_session(config: ServerConfig) -> None:
    exchange = Exchange()
    async with _server(config, exchange) as (_, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 201
        viewer = Endpoint(Role.CLIENT, exchange.viewers[0], ConnectionConfig(resume_token=bytes(32)))
        assert not (await viewer.opened()).resumed
        await viewer.close()


class _Deaf:
    """A receiver that says nothing."""

    def transport_opened(self) -> None: ...
    def message_arrived(self, channel: object, data: bytes) -> None: ...
    def transport_drained(self) -> None: ...
    def transport_lost(self, reason: str) -> None: ...


async def test_twenty_viewers_leave_nothing_behind(config: ServerConfig) -> None:
    exchange = Exchange()
    config = replace(config, limits=Limits(max_sessions=20, max_sessions_per_address=20))
    async with _server(config, exchange) as (server, http):
        async with http.get("/healthz") as response:
            assert response.status == 200
        before = len(asyncio.all_tasks())
        for _ in range(20):
            async with http.post("/whep", data="offer", headers=SDP) as response:
                assert response.status == 201
        viewers = [Endpoint(Role.CLIENT, transport) for transport in exchange.viewers]
        for viewer in viewers:
            await viewer.opened()
        assert len(server.reception) == 20
        await asyncio.gather(*(viewer.close() for viewer in viewers))
        async with asyncio.timeout(5):
            while len(server.reception) or len(asyncio.all_tasks()) > before:
                await asyncio.sleep(0.01)
        del viewers, viewer
        exchange.viewers.clear()
        gc.collect()
        assert not [thing for thing in gc.get_objects() if type(thing).__name__ == "Session"
                    and type(thing).__module__ == "exgs.server.session"]  # fmt: skip


async def test_who_is_answered_while_the_server_stops_is_refused(config: ServerConfig) -> None:
    asked, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Exchange):
        async def answer(self, offer: str) -> tuple[Transport, str]:
            asked.set()
            await go_on.wait()
            return await super().answer(offer)

    async with _server(config, Slow()) as (server, _), asyncio.timeout(5):
        admitting = asyncio.create_task(server.reception.admit("offer", address="here"))
        await asked.wait()
        await server.reception.close()
        go_on.set()
        with pytest.raises(Refused, match="the server stops"):
            await admitting
        assert len(server.reception) == 0


async def test_stopping_says_goodbye(config: ServerConfig) -> None:
    exchange = Exchange()
    loop = asyncio.get_running_loop()
    async with _server(config, exchange) as (_, http):
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 201
        viewer = Endpoint(Role.CLIENT, exchange.viewers[0])
        await viewer.opened()
        hung_up = asyncio.create_task(_closed(viewer))
        start_s = loop.time()
    closed = await hung_up
    assert closed.code is CloseCode.GOING_AWAY and closed.by_peer
    assert loop.time() - start_s < 3


async def test_nobody_is_let_in_while_it_stops(config: ServerConfig) -> None:
    async with _server(config) as (server, http):
        await server.reception.close()
        async with http.post("/whep", data="offer", headers=SDP) as response:
            assert response.status == 503


async def test_a_vanished_folder_is_no_traceback(
    config: ServerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exgs.server.library.RESCAN_AFTER_S", 0.0)
    async with _server(config) as (_, http):
        for path in config.scenes.iterdir():
            path.unlink()
        config.scenes.rmdir()
        async with http.get("/scenes") as response:
            assert response.status == 503
            assert "cannot be read" in (await response.json())["error"]


def test_every_route_is_in_the_manual(config: ServerConfig) -> None:
    manual = (Path(__file__).resolve().parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
    routes = Signalling(config, None, None, None, Metrics()).application().router.routes()  # type: ignore[arg-type]
    for route in routes:
        assert route.resource is not None
        path = route.resource.canonical.replace("{scene}", "NAME")
        row = (
            "`DELETE` on the session's `Location`" if route.method == "DELETE" else f"`{route.method} {path}`"
        )
        assert row.replace("HEAD", "GET") in manual, row
