"""The seam between an endpoint and what carries its messages."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from exgs.protocol.channels import Channel


class Receiver(Protocol):
    """What a transport calls, on the event loop's thread."""

    def transport_opened(self) -> None:
        """Control, pose and the first scene channel are up."""

    def message_arrived(self, channel: Channel, data: bytes) -> None:
        """One whole message."""

    def transport_drained(self) -> None:
        """A channel that was full has room again."""

    def transport_lost(self, reason: str) -> None:
        """The transport is down for good."""


class Transport(Protocol):
    """Carries whole messages over the channels of the table."""

    def attach(self, receiver: Receiver) -> None:
        """From now on ``receiver`` is called; what happened before is told at once."""

    def send(self, channel: Channel, data: bytes) -> None:
        """Takes one message; never waits. Dropped silently when the channel is not up."""

    def buffered_bytes(self, channel: Channel) -> int:
        """Bytes of ``channel`` taken and not yet on the wire."""

    def scene_channels(self) -> tuple[Channel, ...]:
        """The scene channels that are up and should carry fragments."""

    async def close(self) -> None:
        """Lets go of everything; safe to call twice."""


@runtime_checkable
class LinkCarrier(Protocol):
    """A transport that can have further connections for scene data, 1 to 4.

    They come and go: ``scene_channels`` has the channel of each while it is up. Each method may raise
    TransportError or RemoteProtocolError; the connection in question is then dropped, and nothing else.
    """

    async def offer_link(self, link: int) -> str:
        """Client: begins connection ``link``, in the place of one that was there; its SDP offer."""

    async def accept_link(self, link: int, sdp: str) -> None:
        """Client: the server's answer to that; an empty one drops the connection."""

    async def answer_link(self, link: int, sdp: str) -> str:
        """Server: takes the client's offer for connection ``link``; the SDP answer."""
