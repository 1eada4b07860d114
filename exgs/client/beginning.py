"""The beginning of a scene by plain HTTP, to be looked at while the connection is being made.

A peer connection takes four or five round trips until it carries anything, and then begins slowly. The first
bytes of the file, which show all of it coarsely, are here after two.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import unquote

import aiohttp

from exgs.client.address import beside
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.signalling import bearer
from exgs.codec import DecodeError, Preamble, parse_preamble

MAX_BEGINNING_BYTES = 1 << 20
"""More is not read, whatever the server sends."""
BEGINNING_PATH, SCENE_HEADER = "/beginning", "Exgs-Scene"


@dataclass(frozen=True, eq=False)
class Beginning:
    """What came before the session."""

    name: str
    """Of the scene, as the server calls it."""
    preamble: Preamble
    """Its header and manifest."""
    digest: bytes
    """SHA-256 of the preamble's bytes."""
    chunks: tuple[tuple[int, bytes], ...]
    """Ids and bytes of the chunks that are whole."""


Begin = Callable[[PlayConfig], Awaitable[Beginning | None]]
"""Fetches the beginning that a playing asks for; None where there is none to be had. Never fails."""


async def fetch_beginning(config: PlayConfig) -> Beginning | None:
    """Asks the server for it. Whatever goes wrong, the session will tell: here it gives None."""
    try:
        url = beginning_url(config.url, config.scene)
        timeout = aiohttp.ClientTimeout(total=config.connect_timeout_s)
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.get(url, headers=bearer(config.token), allow_redirects=False) as response,
        ):
            name = unquote(response.headers.get(SCENE_HEADER, ""))
            if response.status != 200 or not name:
                return None
            return parse_beginning(name, await _body(response))
    except (ClientError, aiohttp.ClientError, DecodeError, TimeoutError, OSError):
        return None


def parse_beginning(name: str, data: bytes) -> Beginning:
    """What the first bytes of a file hold.

    Raises:
        DecodeError: not even the preamble is whole and sound.
    """
    preamble = parse_preamble(data)
    ends = ((chunk, chunk.offset + chunk.size_bytes) for chunk in preamble.chunks)
    chunks = tuple((chunk.id, data[chunk.offset : end]) for chunk, end in ends if end <= len(data))
    return Beginning(name, preamble, sha256(data[: preamble.size_bytes]).digest(), chunks)


def beginning_url(url: str, scene: str | None) -> str:
    """Where the beginning is, beside the WHEP endpoint of ``url``; ``scene`` None for what that one names.

    Raises:
        ClientError: it is no http address, or no WHEP endpoint as servers here have them.
    """
    found = beside(url, BEGINNING_PATH, scene)
    if found is None:
        raise ClientError(f"{url}: no beginning is known beside it")
    return found


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    while len(body) < MAX_BEGINNING_BYTES and (piece := await response.content.read(MAX_BEGINNING_BYTES)):
        body += piece
    return bytes(body[:MAX_BEGINNING_BYTES])
