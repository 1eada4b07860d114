"""The seam between an endpoint and what carries its messages."""

from __future__ import annotations

from typing import Protocol

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
