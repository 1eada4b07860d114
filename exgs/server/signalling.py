"""The HTTP side: sessions are opened in WHEP's manner, scenes listed, health and figures told."""

from __future__ import annotations

import asyncio
import time
from dataclasses import asdict
from urllib.parse import quote

from aiohttp import web

from exgs.protocol import RemoteProtocolError, Transport, TransportError
from exgs.protocol.drivers.websocket import MAX_MESSAGE_BYTES, WebSocketTransport
from exgs.protocol.vocabulary import MAX_SDP_BYTES
from exgs.server.access import (
    FOREIGN_PAGE,
    admits_page,
    allow_origins,
    guard_errors,
    guard_host,
    guard_token,
    refusal,
    shows_token,
)
from exgs.server.beginning import Beginnings
from exgs.server.callers import caller
from exgs.server.config import ServerConfig
from exgs.server.errors import NotReady, Refused, UnknownScene
from exgs.server.library import Library
from exgs.server.metrics import CONTENT_TYPE, Metrics
from exgs.server.overview import overview
from exgs.server.page import SECURITY_HEADERS, render_page
from exgs.server.reception import Reception
from exgs.version import __version__

SDP_TYPE, BYTES_TYPE = "application/sdp", "application/octet-stream"
SCENE_HEADER = "Exgs-Scene"
"""Names the scene that an answer is about, percent-encoded."""
SESSION_PATH = "/whep/session/{key}"


class Signalling:
    """The routes of one server. ``docs/server.md`` lists them."""

    def __init__(
        self, config: ServerConfig, library: Library, reception: Reception, beginnings: Beginnings,
        metrics: Metrics,
    ) -> None:  # fmt: skip
        self._config, self._library = config, library
        self._reception, self._metrics = reception, metrics
        self._beginnings = beginnings
        self._began_s = time.monotonic()

    def application(self) -> web.Application:
        """The web application, not yet listening."""
        config = self._config
        app = web.Application(
            client_max_size=MAX_SDP_BYTES + 1,
            middlewares=[
                allow_origins(config.origins, config.token),
                guard_errors(self._metrics),
                guard_host(config),
                guard_token(config.token, self._metrics),
            ],
        )
        app.router.add_get("/", self._page)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/metrics", self._figures)
        app.router.add_get("/scenes", self._scenes)
        app.router.add_get("/status", self._status)
        app.router.add_get("/beginning", self._begin)
        app.router.add_get("/beginning/{scene}", self._begin)
        app.router.add_post("/whep", self._open)
        app.router.add_post("/whep/{scene}", self._open)
        app.router.add_get("/ws", self._socket)
        app.router.add_get("/ws/{scene}", self._socket)
        app.router.add_delete(SESSION_PATH, self._end)
        return app

    async def _page(self, request: web.Request) -> web.Response:
        scenes = await self._library.list() if shows_token(request, self._config.token) else None
        url = f"{request.scheme}://{request.host}"
        return web.Response(text=render_page(url, scenes), content_type="text/html", headers=SECURITY_HEADERS)

    async def _health(self, request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "version": __version__, "sessions": len(self._reception)})

    async def _figures(self, request: web.Request) -> web.Response:
        return web.Response(body=self._metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _scenes(self, request: web.Request) -> web.Response:
        reports = await self._library.list()
        return web.json_response({"scenes": [asdict(report) for report in reports]})

    async def _status(self, request: web.Request) -> web.Response:
        scenes, limits = await self._library.list(), self._config.limits
        uptime_s = time.monotonic() - self._began_s
        document = overview(
            self._reception.reports(), scenes, self._metrics, limits=limits, uptime_s=uptime_s
        )
        return web.json_response(document, headers={"Cache-Control": "no-store"})

    async def _begin(self, request: web.Request) -> web.Response:
        """The first bytes of a scene, for a viewer whose connection is still being made."""
        name, now_s = request.match_info.get("scene"), asyncio.get_running_loop().time()
        try:
            found = await self._beginnings.get(name, address=self._address(request), now_s=now_s)
        except UnknownScene as error:
            return refusal(404, str(error))
        except NotReady as error:
            return refusal(409, str(error))
        except Refused as error:
            return self._refuse(error)
        headers = {"Cache-Control": "no-store", SCENE_HEADER: quote(found.name)}
        return web.Response(body=bytes(found.data), content_type=BYTES_TYPE, headers=headers)

    async def _open(self, request: web.Request) -> web.Response:
        """POST of an SDP offer; a scene in the path heads the viewer's list."""
        try:
            offer = await self._read_offer(request)
            first = request.match_info.get("scene")
            if first is not None:
                await self._check_scene(first)
            admission = await self._reception.admit(offer, address=self._address(request), first=first)
        except UnknownScene as error:
            return refusal(404, str(error))
        except Refused as error:
            return self._refuse(error)
        except RemoteProtocolError as error:
            return refusal(400, f"the SDP offer cannot be used: {error}")
        except (TransportError, TimeoutError) as error:
            reason = str(error) or "the offer could not be answered in time"
            return refusal(503, reason, {"Retry-After": "10"})
        location = SESSION_PATH.format(key=admission.key)
        return web.Response(
            status=201, text=admission.answer, content_type=SDP_TYPE, headers={"Location": location}
        )

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        """A session over a WebSocket, for viewers that no UDP reaches."""
        config, address = self._config, self._address(request)
        if not admits_page(request, config.origins, config.token):
            return refusal(403, FOREIGN_PAGE)
        socket = web.WebSocketResponse(
            max_msg_size=MAX_MESSAGE_BYTES, compress=False, timeout=config.limits.shutdown_s
        )
        if not socket.can_prepare(request).ok:
            return refusal(400, "expected a WebSocket")
        first = request.match_info.get("scene")

        async def connect() -> Transport:
            await socket.prepare(request)
            return WebSocketTransport(socket)

        try:
            if first is not None:
                await self._check_scene(first)
            await self._reception.attend(connect, address=address, first=first)
        except UnknownScene as error:
            return refusal(404, str(error))
        except Refused as error:
            return socket if socket.prepared else self._refuse(error)
        return socket

    def _refuse(self, error: Refused) -> web.Response:
        self._metrics.refused.labels(error.reason).inc()
        return refusal(error.status, str(error), {"Retry-After": str(error.retry_after_s)})

    async def _end(self, request: web.Request) -> web.Response:
        if await self._reception.end(request.match_info["key"]):
            return web.Response(status=204)
        return refusal(404, "no such session")

    async def _read_offer(self, request: web.Request) -> str:
        if request.content_type != SDP_TYPE:
            raise web.HTTPUnsupportedMediaType(reason=f"expected a body of type {SDP_TYPE}")
        try:
            async with asyncio.timeout(self._config.limits.body_timeout_s):
                body = await request.read()
        except TimeoutError:
            raise web.HTTPRequestTimeout(reason="the body did not arrive in time") from None
        if len(body) > MAX_SDP_BYTES:
            raise web.HTTPRequestEntityTooLarge(MAX_SDP_BYTES, len(body))
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            raise web.HTTPBadRequest(reason="the SDP offer is not UTF-8") from None

    async def _check_scene(self, name: str) -> None:
        if name not in [report.name for report in await self._library.list()]:
            raise UnknownScene("no scene of that name is served")

    def _address(self, request: web.Request) -> str:
        forwarded = request.headers.get("X-Forwarded-For", "") if self._config.behind_proxy else ""
        return caller(forwarded.split(",")[-1].strip() or request.remote or "unknown")
