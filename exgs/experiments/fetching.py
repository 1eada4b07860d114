"""The beginning of a scene on its way by HTTP, beside the connection that is being made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from exgs.codec import Container
from exgs.experiments.habits import TCP
from exgs.experiments.handshake import PIECE_BYTES, REQUEST, RESPONSE_BYTES
from exgs.experiments.peering import Parcel, Peering, Ways
from exgs.experiments.relay import UdpRelay
from exgs.protocol import Role
from exgs.protocol.channels import Channel
from exgs.server.beginning import beginning_bytes

OnWhole = Callable[[Sequence[int], float, float], None]
"""Called with the ids of the chunks, with when the request arrived, and with the time."""


class Fetch:
    """A request over one TCP connection, and its answer. Of no use before it is whole."""

    def __init__(self, container: Container, ways: Ways, now_s: float, *, on_whole: OnWhole) -> None:
        """It goes over ``ways``, which it may share."""
        size = beginning_bytes(container)
        self._chunks = [info.id for info in container.manifest if info.offset + info.size_bytes <= size]
        self._left_bytes = RESPONSE_BYTES + size
        self._on_whole, self._requested_s = on_whole, now_s
        self._peering = Peering(ways, REQUEST, now_s, habits=TCP)

    def owns(self, parcel: Parcel) -> bool:
        """Whether the parcel belongs to this connection."""
        return parcel.peering is self._peering

    def next_s(self) -> float | None:
        """When ``keep`` wants to be called; None for never."""
        return self._peering.next_s()

    def keep(self, now_s: float) -> None:
        """Does what is due. Harmless when called early."""
        if self._peering.closed:
            return
        self._peering.handle_timers(now_s)
        if Role.SERVER in self._peering.newly_up():
            self._requested_s = now_s
            for start in range(0, self._left_bytes, PIECE_BYTES):
                piece = bytes(min(PIECE_BYTES, self._left_bytes - start))
                self._peering.send(Role.SERVER, Channel.CONTROL, piece, now_s)

    def take(self, size_bytes: int, now_s: float) -> None:
        """So much has arrived."""
        self._left_bytes -= size_bytes
        if self._left_bytes <= 0:
            self.stop()
            if self._chunks:
                self._on_whole(self._chunks, self._requested_s, now_s)

    def stop(self) -> None:
        """Nobody waits for it any more."""
        self._peering.closed = True


class LiveFetch:
    """The same over the links of a relay, on the clock of the event loop that it lives on."""

    def __init__(self, container: Container, relay: UdpRelay, now: Callable[[], float]) -> None:
        """``now`` tells the time that the ledger is kept in."""
        self.requested_s = 0.0
        """When the request had arrived."""
        self._loop, self._now = asyncio.get_running_loop(), now
        self._whole = self._loop.create_future()
        self._lanes = {Role.CLIENT: relay.up, Role.SERVER: relay.down}
        self._timer: asyncio.TimerHandle | None = None
        ways = {role: _Way(self, role) for role in Role}
        self._fetch = Fetch(container, ways, now(), on_whole=self._done)

    async def whole(self) -> None:
        """Waits until the answer is here."""
        try:
            self._keep()
            await self._whole
        finally:
            self._fetch.stop()
            if self._timer is not None:
                self._timer.cancel()

    def push(self, role: Role, parcel: Parcel, size_bytes: int) -> None:
        """``role`` sends a parcel."""
        self._lanes[role].carry(lambda: self._arrive(parcel), size_bytes)

    def _arrive(self, parcel: Parcel) -> None:
        for _, data in parcel.peering.arrive(parcel, self._now()):
            self._fetch.take(len(data), self._now())
        self._keep()

    def _keep(self) -> None:
        self._fetch.keep(self._now())
        if self._timer is not None:
            self._timer.cancel()
        due_s = self._fetch.next_s()
        self._timer = (
            None if due_s is None else self._loop.call_later(max(0.0, due_s - self._now()), self._keep)
        )

    def _done(self, chunks: Sequence[int], requested_s: float, now_s: float) -> None:
        self.requested_s = requested_s
        if not self._whole.done():
            self._whole.set_result(None)


class _Way:
    """One direction."""

    def __init__(self, owner: LiveFetch, sender: Role) -> None:
        self._owner, self._sender = owner, sender

    def push(self, packet: Parcel, size_bytes: int, now_s: float) -> None:
        """See Line."""
        self._owner.push(self._sender, packet, size_bytes)
