"""What carries a session: WebRTC, or a WebSocket where no UDP gets through."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import aiohttp

from exgs.client import signalling
from exgs.client.address import beside
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError, NoRoute
from exgs.client.signalling import Answered, Link
from exgs.protocol import Endpoint, Role
from exgs.protocol.drivers.websocket import MAX_MESSAGE_BYTES, WebSocketTransport

SOCKET_PATH = "/ws"


async def connect(config: PlayConfig, answered: Answered = lambda carrier: None) -> Link:
    """Opens a session by what ``config.transport`` says; ``answered`` hears when the server answers.

    Raises:
        ClientError: the server cannot be reached, refuses, or no route leads there.
    """
    if config.transport == "websocket":
        return await connect_socket(config, answered)
    if config.transport == "webrtc":
        return await signalling.connect(config, answered)
    try:
        return await signalling.connect(config, answered, opens_within_s=config.udp_timeout_s)
    except NoRoute as error:
        try:
            return await connect_socket(config, answered)
        except ClientError as other:
            raise ClientError(f"no session: {error}; nor over a WebSocket: {other}") from error


async def connect_socket(config: PlayConfig, answered: Answered = lambda carrier: None) -> Link:
    """Opens a session over a WebSocket on the signalling port.

    Raises:
        ClientError: the server cannot be reached, or refuses.
    """
    url = socket_url(config.url)
    async with AsyncExitStack() as undoing:
        http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        undoing.push_async_callback(http.close)
        with _explained(url):
            async with asyncio.timeout(config.connect_timeout_s):
                opened = await http.ws_connect(
                    url, headers=signalling.bearer(config.token), max_msg_size=MAX_MESSAGE_BYTES, compress=0
                )
        answered("websocket")
        undoing.pop_all()
    endpoint = Endpoint(Role.CLIENT, WebSocketTransport(opened), signalling.connection_of(config))

    async def hang_up() -> None:
        await endpoint.close()
        await http.close()

    return Link(endpoint, hang_up, carrier="websocket")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Says what a WebSocket fails with as the client's own errors."""
    try:
        yield
    except aiohttp.WSServerHandshakeError as error:
        raise ClientError(signalling.refusal(url, error.status, error.headers or {})) from error
    except TimeoutError as error:
        raise ClientError(f"{url} does not answer; is the server running?") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ClientError(signalling.failure(url, error)) from error


def socket_url(url: str) -> str:
    """The WebSocket beside the WHEP endpoint of ``url``.

    Raises:
        ClientError: it is no http address, or no WHEP endpoint as servers here have them.
    """
    found = beside(url, SOCKET_PATH)
    if found is None:
        raise ClientError(f"{url}: no WebSocket is known beside it")
    return found
