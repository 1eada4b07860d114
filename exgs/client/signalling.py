"""Finding the server: WHEP, a POST of an SDP offer that is answered with an SDP answer."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urljoin, urlsplit

import aiohttp

from exgs.client.address import endpoint_url
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError, NoRoute, quoted
from exgs.protocol import ConnectionConfig, Endpoint, ProtocolError, Role, TransportError
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.settings import Route, WebRtcConfig
from exgs.version import __version__

MAX_ANSWER_BYTES = 65536
NOT_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
"""What OpenSSL, in its various versions, calls an answer in plain text."""
GOODBYE_TIMEOUT_S = 2.0
SILENT_TIMEOUT_S = 5.0
"""A server that is silent for this long is looked for anew; it waits twice as long for the viewer."""


@dataclass(frozen=True)
class Link:
    """A session that is being opened, and the way to end it."""

    endpoint: Endpoint
    """This end of the session."""
    hang_up: Callable[[], Awaitable[None]]
    """Says goodbye and lets go of everything; never fails."""
    let_go: Callable[[], Awaitable[None]] | None = None
    """Lets go of this side alone, for the session to be continued; None where ``hang_up`` does."""
    carrier: str = "webrtc"
    """What carries it."""


Answered = Callable[[str], None]
"""Hears that the server has answered, and what is to carry the session, while that is still being made."""


@dataclass(frozen=True)
class Answer:
    """What the server said to an offer."""

    sdp: str
    """Its SDP answer."""
    resource: str | None
    """URL to DELETE when the session ends."""


async def connect(
    config: PlayConfig,
    answered: Answered = lambda carrier: None,
    *,
    opens_within_s: float | None = None,
    route: Route | None = None,
) -> Link:
    """Opens a session over WebRTC; waits until it is up where ``opens_within_s`` is given.

    ``route`` stands between the peers, for experiments.

    Raises:
        NoRoute: this machine has no address that WebRTC can use, or it was not up in time.
        ClientError: the server cannot be reached, refuses, or no route leads there.
    """
    url = endpoint_url(config.url)
    async with AsyncExitStack() as undoing:
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=config.connect_timeout_s))
        undoing.push_async_callback(http.close)
        with _explained(url):
            transport, offer = await WebRtcTransport.offer(replace(_webrtc(config), route=route))
            undoing.push_async_callback(transport.close)
            answer = await post_offer(http, url, offer, token=config.token)
            undoing.push_async_callback(_delete, http, answer.resource, config.token)
            answered("webrtc")
            await transport.accept(answer.sdp)
            if opens_within_s is not None and not await transport.is_open(opens_within_s):
                raise NoRoute(f"nothing came through by UDP within {opens_within_s:g} s")
        undoing.pop_all()
    return _link(config, http, transport, answer)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Says what WebRTC fails with as the client's own errors."""
    try:
        yield
    except TransportError as error:
        raise NoRoute(f"no connection to {url}: {error}") from error
    except ProtocolError as error:
        raise ClientError(f"{url} gave an answer that does not fit: {error}") from error


def _link(
    config: PlayConfig,
    http: aiohttp.ClientSession,
    transport: WebRtcTransport,
    answer: Answer,
) -> Link:
    """The session that ``answer`` began, and the ways to end it."""
    endpoint = Endpoint(Role.CLIENT, transport, connection_of(config))

    async def let_go() -> None:
        await endpoint.close()
        await http.close()

    async def hang_up() -> None:
        await endpoint.close()
        await _delete(http, answer.resource, config.token)
        await http.close()

    return Link(endpoint, hang_up, let_go)


def connection_of(config: PlayConfig) -> ConnectionConfig:
    """How this end of the session behaves."""
    return ConnectionConfig(
        f"exgs {__version__}", resume_token=config.resume_token, silent_timeout_s=SILENT_TIMEOUT_S
    )


def _webrtc(config: PlayConfig) -> WebRtcConfig:
    return WebRtcConfig(ice_servers=config.ice_servers, connect_timeout_s=config.connect_timeout_s)


async def post_offer(http: aiohttp.ClientSession, url: str, offer: str, *, token: str | None) -> Answer:
    """Posts an SDP offer.

    Raises:
        ClientError: nobody answers there, or the answer is no.
    """
    headers = {"Content-Type": "application/sdp", **bearer(token)}
    try:
        async with http.post(url, data=offer.encode(), headers=headers, allow_redirects=False) as response:
            text = await _text(response)
            if response.status != 201:
                raise ClientError(refusal(url, response.status, response.headers, detail=text))
            return Answer(text, _resource(url, response.headers.get("Location")))
    except TimeoutError as error:
        raise ClientError(
            f"{url} does not answer; is the server running, and no firewall between?"
        ) from error
    except aiohttp.ClientError as error:
        raise ClientError(failure(url, error)) from error


def failure(url: str, error: aiohttp.ClientError | OSError) -> str:
    """Why there is no talking to the server, and what would help."""
    if isinstance(error, aiohttp.ClientSSLError):
        return _untrusted(url, error)
    if isinstance(error, aiohttp.ClientConnectorError):
        return _unreached(url, error)
    if isinstance(error, aiohttp.ServerDisconnectedError) and url.startswith("http://"):
        return f"{url}: the server hung up without an answer; if it speaks TLS, say https:// instead"
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return f"{url} cannot be reached: {error or type(error).__name__}"
    return f"{url} answers what cannot be understood: {error or type(error).__name__}"


def _unreached(url: str, error: aiohttp.ClientConnectorError) -> str:
    """Why nobody could be called there."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"{url}: no such host"
    number = error.os_error.errno
    reason = os.strerror(number) if number else str(error.os_error)
    return f"{url} cannot be reached: {reason}; start it with 'exgs serve'"


def _untrusted(url: str, error: aiohttp.ClientSSLError) -> str:
    """Why TLS with the server failed, and what would help."""
    cause = getattr(error, "certificate_error", None) or error.os_error  # not all versions have both
    if getattr(cause, "reason", "") in NOT_TLS:
        return f"{url}: what answers there speaks no TLS; say http:// instead"
    reason = getattr(cause, "verify_message", "") or cause
    return f"{url}: TLS fails: {reason}; a certificate of your own is trusted with SSL_CERT_FILE=own.pem"


async def _text(response: aiohttp.ClientResponse) -> str:
    """The body, or as much of it as an answer may have."""
    body = bytearray()
    while len(body) < MAX_ANSWER_BYTES and (piece := await response.content.read(MAX_ANSWER_BYTES)):
        body += piece
    return body[:MAX_ANSWER_BYTES].decode("utf-8", errors="replace")


def _resource(url: str, location: str | None) -> str | None:
    """The session's own URL; None where it lies on another server, which must not see the token."""
    if not location:
        return None
    resource = urljoin(url, location)
    return resource if urlsplit(resource)[:2] == urlsplit(url)[:2] else None


def refusal(url: str, status: int, headers: Mapping[str, str], *, detail: str = "") -> str:
    """Why the server said no, and what would help; ``detail`` is what it wrote."""
    told = f" ({quoted(detail)})" if quoted(detail) else ""
    if status in (401, 403):
        return f"{url} refuses: the token is missing, wrong or no longer good; give it with --token"
    if status in (404, 405):
        return f"{url} leads to no scene of an exgs server{told}"
    if status in (429, 503):
        wait = headers.get("Retry-After", "")
        later = f"in {wait} s" if wait.isdecimal() and len(wait) < 6 else "later"
        return f"{url} is busy{told}; try again {later}"
    return f"{url} refuses with status {status}{told}"


async def _delete(http: aiohttp.ClientSession, resource: str | None, token: str | None) -> None:
    """Tells the server that the session is over; it notices by itself where this does not arrive."""
    if resource is None or http.closed:
        return
    timeout = aiohttp.ClientTimeout(total=GOODBYE_TIMEOUT_S)
    try:
        async with http.delete(resource, headers=bearer(token), timeout=timeout, allow_redirects=False):
            return
    except (aiohttp.ClientError, TimeoutError):
        return


def bearer(token: str | None) -> dict[str, str]:
    """The header that shows the token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}
