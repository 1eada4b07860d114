"""The shell around a connection and a transport, alike at server and client.

It has no task of its own while the session lasts: the transport's calls, a timer for the next deadline and
the owner's calls each end in ``_pump``, which moves what is due and wakes whoever waits. The end of the
session, whoever brings it about, starts the one task that hangs up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

from exgs.protocol.channels import Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.connection import Connection
from exgs.protocol.drivers.linking import Linking
from exgs.protocol.drivers.pumping import next_pump_s, pump
from exgs.protocol.errors import SessionClosed
from exgs.protocol.events import Closed, Event, Opened
from exgs.protocol.limiter import Limiter, PathFigures
from exgs.protocol.messages import Message, ViewUpdate
from exgs.protocol.transport import LinkCarrier, Transport
from exgs.protocol.vocabulary import CloseCode, Role, State


class Endpoint:
    """One end of a live session. It lives on one event loop: call it from that loop's thread alone.

    Typical use::

        async with Endpoint(Role.SERVER, transport, config) as endpoint:
            opened = await endpoint.opened()
            async for event in endpoint: ...          # the last one is Closed
            while await endpoint.writable():          # beside it, in a task of its own
                endpoint.send_chunk(scene, chunk, data)
    """

    def __init__(self, role: Role, transport: Transport, config: ConnectionConfig | None = None) -> None:
        """Takes over ``transport`` and closes it when the session ends. Must run inside the event loop."""
        carrier = transport if isinstance(transport, LinkCarrier) else None
        config = config or ConnectionConfig()
        self._config = config if carrier is not None else replace(config, max_links=0)
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._connection = Connection(role, self._config)
        self._linking = None if carrier is None else Linking(carrier, self._connection, self._pump)
        self._timer: asyncio.TimerHandle | None = None
        self._waiters: set[asyncio.Future[None]] = set()
        self._first: Opened | None = None
        self._closed_taken = False
        self._down = False
        self._hanging_up: asyncio.Task[None] | None = None
        self._sent, self._received = [0] * len(Channel), [0] * len(Channel)
        transport.attach(self)

    # What the owner calls.

    async def opened(self) -> Opened:
        """Waits for the greeting; call it before the first ``next_event``.

        Raises:
            SessionClosed: it did not come about; the error has the close code.
        """
        if self._first is None:
            event = await self.next_event()
            if isinstance(event, Closed):
                raise _closed(event)
        assert self._first is not None
        return self._first

    async def next_event(self) -> Event:
        """The next event. Opened comes here too, unless ``opened`` took it.

        Raises:
            SessionClosed: Closed was taken before.
        """
        while True:
            if self._closed_taken and self._connection.closed is not None:
                raise _closed(self._connection.closed)
            event = self._connection.next_event(self._loop.time())
            if event is not None:
                self._note(event)
                self._pump()
                return event
            await self._change()

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Every event up to and with Closed."""
        while not self._closed_taken:
            yield await self.next_event()

    def send(self, message: Message) -> None:
        """Says ``message``; never waits. Does nothing once the session is closing or closed.

        Raises:
            LocalProtocolError: this side may not say it, not before Opened, or a field is out of its range.
        """
        self._connection.send(message, self._loop.time())
        self._pump()

    def send_manifest(self, scene: int, data: bytes) -> bool:
        """Queues a scene's preamble, ahead of its chunks. See ``Connection.send_manifest``."""
        queued = self._connection.send_manifest(scene, data, self._loop.time())
        self._pump()
        return queued

    def keep_manifest(self, scene: int) -> bool:
        """In the place of ``send_manifest``, where the client has it. See ``Connection.keep_manifest``."""
        kept = self._connection.keep_manifest(scene)
        self._pump()
        return kept

    def send_chunk(self, scene: int, chunk: int, data: bytes) -> bool:
        """Queues one chunk; wait for ``writable`` before each. See ``Connection.send_chunk``."""
        queued = self._connection.send_chunk(scene, chunk, data, self._loop.time())
        self._pump()
        return queued

    def wants_chunk(self) -> bool:
        """Whether one more chunk has room right now."""
        return self._connection.wants_chunk(self._loop.time())

    async def writable(self) -> bool:
        """Waits until one more chunk has room; True then, False once the session is over."""
        while not self._is_over():
            if self.wants_chunk():
                return True
            await self._change()
        return False

    async def close(self, code: CloseCode = CloseCode.NORMAL, reason: str = "") -> None:
        """Ends the session and waits until the transport is closed; twice does no harm.

        Where this side says goodbye, the peer has a second to hear it and to hang up.
        """
        self._connection.close(code, reason, self._loop.time())
        self._pump()
        if self._hanging_up is not None:
            await asyncio.shield(self._hanging_up)

    async def __aenter__(self) -> Endpoint:
        """The endpoint itself; it is closed at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes."""
        await self.close()

    # Figures.

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._connection.state

    @property
    def view(self) -> ViewUpdate | None:
        """Server: where the client's head was last heard to be."""
        return self._connection.view

    @property
    def rtt_s(self) -> float | None:
        """Smoothed round trip; None before it was measured."""
        return self._connection.rtt_s

    @property
    def delivered_bytes_per_s(self) -> float:
        """Goodput of scene bytes over the last second."""
        return self._connection.delivered_bytes_per_s

    @property
    def unacknowledged_bytes(self) -> int:
        """Scene bytes sent or queued and not yet receipted (server)."""
        return self._connection.unacknowledged_bytes

    @property
    def credit_bytes(self) -> int:
        """How many bytes may be un-acknowledged now (server)."""
        return self._connection.credit_bytes

    @property
    def path(self) -> PathFigures:
        """What is known of the way to the peer."""
        return self._connection.path

    @property
    def limiter(self) -> Limiter:
        """What held scene data back most over the last second or so (server)."""
        return self._connection.limiter

    @property
    def buffered_bytes(self) -> int:
        """Bytes the transport holds unsent, over all channels."""
        return sum(self._transport.buffered_bytes(channel) for channel in Channel)

    @property
    def bytes_sent(self) -> dict[Channel, int]:
        """Message bytes handed to the transport, by channel."""
        return {channel: self._sent[channel] for channel in Channel}

    @property
    def bytes_received(self) -> dict[Channel, int]:
        """Message bytes that arrived, by channel."""
        return {channel: self._received[channel] for channel in Channel}

    # What the transport calls.

    def transport_opened(self) -> None:
        """See Receiver."""
        self._connection.start(self._loop.time())
        self._pump()

    def message_arrived(self, channel: Channel, data: bytes) -> None:
        """See Receiver."""
        self._received[channel] += len(data)
        if self._connection.receive(channel, data, self._loop.time()):
            self._pump()

    def transport_drained(self) -> None:
        """See Receiver."""
        self._pump()

    def transport_lost(self, reason: str) -> None:
        """See Receiver."""
        self._down = True
        self._connection.transport_lost(reason, self._loop.time())
        self._pump()

    # How it works inside.

    def _pump(self) -> None:
        connection, transport = self._connection, self._transport
        now_s = self._loop.time()
        for channel, data in pump(
            connection, now_s,
            scene_channels=transport.scene_channels(), buffered_bytes=transport.buffered_bytes,
        ):  # fmt: skip
            self._sent[channel] += len(data)
            transport.send(channel, data)
        if self._linking is not None:
            self._linking.look(now_s)
        self._set_timer(now_s)
        if connection.closed is not None and self._hanging_up is None:
            self._hanging_up = self._loop.create_task(self._hang_up())
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _hang_up(self) -> None:
        """Closes the transport; where this side said goodbye, the peer may do so first."""
        give_up_s = self._loop.time() + self._config.closing_timeout_s
        while (
            not (self._down or self._connection.peer_left) and (left_s := give_up_s - self._loop.time()) > 0
        ):
            await self._change(left_s)
        if self._linking is not None:
            self._linking.stop()
        await self._transport.close()
        self.transport_lost("closed here")

    def _set_timer(self, now_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due_s = next_pump_s(self._connection, now_s)
        if not self._down and due_s is not None:
            self._timer = self._loop.call_at(due_s, self._pump)

    async def _change(self, timeout_s: float | None = None) -> None:
        """Returns at the next pump, or after ``timeout_s``."""
        waiter = self._loop.create_future()
        self._waiters.add(waiter)
        try:
            await asyncio.wait((waiter,), timeout=timeout_s)
        finally:
            self._waiters.discard(waiter)

    def _note(self, event: Event) -> None:
        if isinstance(event, Opened):
            self._first = event
        elif isinstance(event, Closed):
            self._closed_taken = True

    def _is_over(self) -> bool:
        return self._connection.state in (State.CLOSING, State.CLOSED)


def _closed(event: Closed) -> SessionClosed:
    return SessionClosed(f"session closed: {event.code.name} {event.reason}".rstrip(), close_code=event.code)
