"""An in-memory pair of transports on the event loop, as good or bad as its links."""

from __future__ import annotations

import asyncio

from exgs.protocol.channels import Channel
from exgs.protocol.drivers.pipe import LinkModel, Pipe
from exgs.protocol.transport import Receiver


def loopback_pair(
    up: LinkModel | None = None, down: LinkModel | None = None
) -> tuple[LoopbackTransport, LoopbackTransport]:
    """(client's, server's) transports on the running event loop; perfect links where none are given."""
    client, server = LoopbackTransport(Pipe(up)), LoopbackTransport(Pipe(down))
    client.peer, server.peer = server, client
    return client, server


class LoopbackTransport:
    """One end of the pair."""

    def __init__(self, outgoing: Pipe) -> None:
        self.peer: LoopbackTransport | None = None
        """The other end."""
        self._loop = asyncio.get_running_loop()
        self._outgoing = outgoing
        self._receiver: Receiver | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def attach(self, receiver: Receiver) -> None:
        """See Transport. The channels are up once both ends are attached."""
        self._receiver = receiver
        peer = self.peer
        if peer is not None and peer._receiver is not None:
            for end in (self, peer):
                assert end._receiver is not None
                self._loop.call_soon(end._receiver.transport_opened)

    def send(self, channel: Channel, data: bytes) -> None:
        """See Transport."""
        if not self._closed:
            self._outgoing.push(channel, data, self._loop.time())
            self._set_timer()

    def buffered_bytes(self, channel: Channel) -> int:
        """See Transport."""
        return self._outgoing.buffered_bytes(channel, self._loop.time())

    def scene_channels(self) -> tuple[Channel, ...]:
        """See Transport."""
        return (Channel.SCENE_0,)

    async def close(self) -> None:
        """See Transport. The other end learns it after what is under way."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._receiver is not None:
            self._loop.call_soon(self._receiver.transport_lost, "closed here")
        self._loop.call_later(self._outgoing.model.delay_s, self._part)

    def _part(self) -> None:
        peer = self.peer
        if peer is None or peer._closed or peer._receiver is None:
            return
        for channel, data in self._outgoing.pop(float("inf")):
            peer._receiver.message_arrived(channel, data)
        peer._closed = True
        peer._receiver.transport_lost("closed by the peer")

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        due_s = self._outgoing.next_s(self._loop.time())
        self._timer = None if due_s is None else self._loop.call_at(due_s, self._deliver)

    def _deliver(self) -> None:
        peer = self.peer
        now_s = self._loop.time()
        for channel, data in self._outgoing.pop(now_s):
            if peer is not None and peer._receiver is not None and not peer._closed:
                peer._receiver.message_arrived(channel, data)
        if self._receiver is not None and not self._closed:
            self._receiver.transport_drained()
        if not self._closed:
            self._set_timer()
