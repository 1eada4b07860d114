"""The shell around a connection and a transport, alike at server and client."""

from __future__ import annotations

from collections.abc import AsyncIterator

from exgs.protocol.channels import Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.events import Event, Opened
from exgs.protocol.messages import Message
from exgs.protocol.transport import Transport
from exgs.protocol.vocabulary import CloseCode, Role, State


class Endpoint:
    """One end of a live session. It lives on one event loop: call it from that loop's thread alone.

    Typical use::

        endpoint = Endpoint(Role.SERVER, transport, config)
        opened = await endpoint.opened()
        async for event in endpoint: ...          # the last one is Closed
        while await endpoint.writable():          # beside it, in a task of its own
            endpoint.send_chunk(scene, chunk, data)
    """

    def __init__(self, role: Role, transport: Transport, config: ConnectionConfig | None = None) -> None:
        """Takes over ``transport`` and closes it when the session ends. Must run inside the event loop."""
        raise NotImplementedError

    async def opened(self) -> Opened:
        """Waits for the greeting.

        Raises:
            SessionClosed: it did not come about; the error has the close code.
        """
        raise NotImplementedError

    async def next_event(self) -> Event:
        """The next event; after Closed, SessionClosed is raised. Opened comes here too."""
        raise NotImplementedError

    def __aiter__(self) -> AsyncIterator[Event]:
        """Every event up to and with Closed."""
        raise NotImplementedError

    def send(self, message: Message) -> None:
        """Says ``message``; never waits. Silently nothing once the session is closing or closed.

        Raises:
            LocalProtocolError: this side may not say it, or a field is out of its range.
        """
        raise NotImplementedError

    def send_manifest(self, scene: int, data: bytes) -> None:
        """Queues a scene's preamble, ahead of its chunks."""
        raise NotImplementedError

    def send_chunk(self, scene: int, chunk: int, data: bytes) -> None:
        """Queues one chunk; wait for ``writable`` before each."""
        raise NotImplementedError

    async def writable(self) -> bool:
        """Waits until one more chunk has room; True then, False once the session is over."""
        raise NotImplementedError

    def wants_chunk(self) -> bool:
        """Whether one more chunk has room right now."""
        raise NotImplementedError

    async def close(self, code: CloseCode = CloseCode.NORMAL, reason: str = "") -> None:
        """Says goodbye, lets it leave (a second at most), closes the transport. Safe to call twice."""
        raise NotImplementedError

    @property
    def state(self) -> State:
        """Where the connection stands."""
        raise NotImplementedError

    @property
    def rtt_s(self) -> float | None:
        """Smoothed round trip; None before it was measured."""
        raise NotImplementedError

    @property
    def delivered_bytes_per_s(self) -> float:
        """Goodput of scene bytes over the last second."""
        raise NotImplementedError

    @property
    def unacknowledged_bytes(self) -> int:
        """Scene bytes sent or queued and not yet receipted (server)."""
        raise NotImplementedError

    @property
    def buffered_bytes(self) -> int:
        """Bytes the transport holds unsent, over all channels."""
        raise NotImplementedError

    @property
    def bytes_sent(self) -> dict[Channel, int]:
        """Message bytes handed to the transport, by channel."""
        raise NotImplementedError

    @property
    def bytes_received(self) -> dict[Channel, int]:
        """Message bytes that arrived, by channel."""
        raise NotImplementedError
