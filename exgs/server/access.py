"""Who may ask what: the token, other sites' pages, and errors that tell no more than they should."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from exgs.protocol.vocabulary import MAX_SDP_BYTES
from exgs.server.config import LOOPBACK_HOSTS, ServerConfig
from exgs.server.errors import ServerError
from exgs.server.metrics import Metrics
from exgs.server.tickets import admits

OPEN_PATHS = ("/healthz", "/")
"""These need no token; the page at ``/`` then names no scene."""
MESSAGES = {
    404: "there is nothing at that path",
    405: "that method is not allowed there",
    413: f"the body is larger than {MAX_SDP_BYTES} bytes",
}
"""What is said in place of the web library's own words, by status."""
CORS_HEADERS = {
    "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Expose-Headers": "Exgs-Scene, Location, Retry-After",
    "Access-Control-Max-Age": "600",
}
READING = ("GET", "HEAD")
"""Requests that change nothing: browsers keep their answers from pages that may not call."""
FOREIGN_PAGE = "pages of that site may not call this server"
OFFERS = {"Accept-Post": "application/sdp"}

logger = logging.getLogger(__name__)


def refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """An error as JSON."""
    return web.json_response({"error": message, "status": status}, status=status, headers=headers)


def shows_token(request: web.Request, token: str | None) -> bool:
    """Whether the request carries the token or a ticket of it; true where there is none."""
    if token is None:
        return True
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and admits(token, shown.strip(), time.time())


def guard_errors(metrics: Metrics) -> Middleware:
    """Turns refusals into JSON and counts answers. What nobody foresaw gets the web library's bare 500."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            kept = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
            response = refusal(error.status, MESSAGES.get(error.status, error.reason), kept)
        except ServerError as error:
            logger.warning("%s %s: %s", request.method, request.path, error)
            response = refusal(503, str(error), {"Retry-After": "10"})
        metrics.requests.labels(str(response.status)).inc()
        return response

    return middleware


def guard_host(config: ServerConfig) -> Middleware:
    """Where only this machine may call and no token is asked for, refuses calls by any other host name.

    Else a site's own name, made to resolve to this machine, would turn its pages into callers from here.
    """
    guarded = config.token is None and config.host in LOOPBACK_HOSTS and not config.behind_proxy

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if guarded and not _is_here(f"http://{request.host}"):
            return refusal(403, "call this server as localhost, or start it with a token")
        return await handler(request)

    return middleware


def guard_token(token: str | None, metrics: Metrics) -> Middleware:
    """Asks for the token everywhere but at the open paths and in preflights."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method == "OPTIONS" or request.path in OPEN_PATHS or shows_token(request, token):
            return await handler(request)
        metrics.refused.labels("token").inc()
        return refusal(401, "a token is needed", {"WWW-Authenticate": 'Bearer realm="exgs"'})

    return middleware


def allow_origins(origins: tuple[str, ...] | None, token: str | None) -> Middleware:
    """Tells browsers which sites' pages may call this server, and refuses what the others would change."""
    allowed = _allowed(origins, token)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        welcome = origin is not None and _allows(allowed, origin)
        if request.method == "OPTIONS":
            response: web.StreamResponse = web.Response(status=204, headers=OFFERS)
        elif request.method not in READING and origin is not None and not welcome:
            response = refusal(403, FOREIGN_PAGE)
        else:
            response = await handler(request)
        if origin is not None and welcome:
            response.headers["Access-Control-Allow-Origin"] = "*" if allowed == ("*",) else origin
            response.headers.update(CORS_HEADERS)
        response.headers["Vary"] = "Origin"
        return response

    return middleware


def admits_page(request: web.Request, origins: tuple[str, ...] | None, token: str | None) -> bool:
    """Whether the page that the request comes from may call; true for what is no page of a site.

    Browsers let any page open a WebSocket, whatever the headers of the answer say: this must be asked there.
    """
    origin = request.headers.get("Origin")
    return origin is None or _allows(_allowed(origins, token), origin)


def _allowed(origins: tuple[str, ...] | None, token: str | None) -> tuple[str, ...] | None:
    return ("*",) if origins is None and token is not None else origins


def _allows(allowed: tuple[str, ...] | None, origin: str) -> bool:
    return _is_here(origin) if allowed is None else "*" in allowed or origin in allowed


def _is_here(url: str) -> bool:
    """Whether the URL names this machine as it names itself."""
    try:
        return urlsplit(url).hostname in LOOPBACK_HOSTS
    except ValueError:
        return False
