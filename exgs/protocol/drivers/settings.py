"""How peer connections are made; apart from the library that makes them, which is slow to import."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

_URL = re.compile(
    r"(?P<scheme>stun|turns?):(?:(?P<user>[^:@\s]+):(?P<secret>[^@\s]+)@)?"
    r"(?P<host>[^?:@\s]+(?::\d{1,5})?)(?P<query>\?transport=(?:udp|tcp))?"
)


@dataclass(frozen=True)
class IceServer:
    """A server that helps through NAT."""

    url: str
    """Such as ``stun:host:3478`` or ``turn:host:3478?transport=udp``."""
    username: str = ""
    """For TURN."""
    credential: str = field(default="", repr=False)
    """For TURN."""

    @staticmethod
    def from_url(url: str) -> IceServer:
        """The server at ``url``, which for TURN has the credentials in it: ``turn:user:secret@host:3478``.

        Raises:
            ValueError: it is no such address.
        """
        match = _URL.fullmatch(url)
        stun = match is not None and match["scheme"] == "stun"
        if match is None or stun != (match["user"] is None) or (stun and match["query"]):
            raise ValueError("expected stun:HOST:PORT or turn:USER:SECRET@HOST:PORT")
        bare = f"{match['scheme']}:{match['host']}{match['query'] or ''}"
        return IceServer(bare, match["user"] or "", match["secret"] or "")


class Detour(Protocol):
    """The way of one peer connection through something that stands between the peers."""

    @property
    def offer(self) -> str:
        """The offer that the server shall get."""

    def answered(self, sdp: str) -> str:
        """The answer that the client shall get, for the one the server gave."""

    def close(self) -> None:
        """Nothing passes any more."""


class Route(Protocol):
    """Makes detours: an emulated link, a relay of one's own."""

    async def detour(self, offer: str) -> Detour:
        """A way for the peer connection that is offered."""


@dataclass(frozen=True)
class WebRtcConfig:
    """How peer connections are made."""

    ice_servers: tuple[IceServer, ...] = ()
    """None by default: nobody outside is asked."""
    gather_timeout_s: float = 8.0
    """How long finding this machine's addresses may take; a STUN server that is silent costs 5 s of it."""
    connect_timeout_s: float = 10.0
    """How long after the answer the channels must be up."""
    route: Route | None = None
    """Client: what stands between the peers; None for nothing."""
