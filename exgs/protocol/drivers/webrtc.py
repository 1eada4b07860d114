"""WebRTC by aiortc; the only file that imports it."""

from __future__ import annotations

from dataclasses import dataclass

from exgs.protocol.channels import Channel
from exgs.protocol.transport import Receiver


@dataclass(frozen=True)
class WebRtcConfig:
    """How peer connections are made."""

    ice_servers: tuple[str, ...] = ()
    """URLs of STUN and TURN servers; none by default: nobody outside is asked."""
    gather_timeout_s: float = 5.0
    """How long finding this machine's addresses may take."""
    connect_timeout_s: float = 10.0
    """How long after the answer the channels must be up."""


class WebRtcTransport:
    """A Transport over peer connections."""

    @classmethod
    async def offer(cls, config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, str]:
        """Client: a transport and the SDP offer to POST.

        Raises:
            TransportError: this machine has no address to offer.
        """
        raise NotImplementedError

    async def accept(self, answer_sdp: str) -> None:
        """Client: the server's answer.

        Raises:
            RemoteProtocolError: the answer is malformed or does not fit the offer.
        """
        raise NotImplementedError

    @classmethod
    async def answer(cls, offer_sdp: str, config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, str]:
        """Server: a transport and the SDP answer to an offer.

        Raises:
            RemoteProtocolError: the offer is malformed, too large or has no data channel section.
            TransportError: this machine has no address to answer with.
        """
        raise NotImplementedError

    def attach(self, receiver: Receiver) -> None:
        """See Transport."""
        raise NotImplementedError

    def send(self, channel: Channel, data: bytes) -> None:
        """See Transport."""
        raise NotImplementedError

    def buffered_bytes(self, channel: Channel) -> int:
        """See Transport."""
        raise NotImplementedError

    def scene_channels(self) -> tuple[Channel, ...]:
        """See Transport."""
        raise NotImplementedError

    async def close(self) -> None:
        """See Transport."""
        raise NotImplementedError
