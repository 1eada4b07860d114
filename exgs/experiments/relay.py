"""A link between real WebRTC peers on this machine, without any right over its network.

The peers meet at sockets of the relay: it puts its own addresses in the place of theirs in their session
descriptions. What comes in at one socket leaves at the other after an ``EmulatedLink`` has had it; all peer
connections of a session share the two links, one up and one down, as they would share an access line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import EmulatedLink, LinkSettings

Address = tuple[str, int]


class Side(asyncio.DatagramProtocol):
    """One socket of a detour: hears one peer and speaks to it."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        """Where what is heard goes."""
        self.peer: Address | None = None
        """Where the peer is, as last heard or as its description says."""
        self.address: Address = ("", 0)
        """Where this socket is."""
        self.other: Side | None = None
        """The socket at which what is heard here leaves."""
        self.heard_bytes = 0
        """What was heard so far."""
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, host: str) -> None:
        """Listens at a free port of ``host``."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(host, 0))
        self.address = self._transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """See DatagramProtocol."""
        self.peer = addr
        self.heard_bytes += len(data)
        if self.other is not None:
            self.lane.push(self.other, data)

    async def move(self) -> None:
        """Goes on at another port; what is sent to the one before is lost from now on."""
        host, before = self.address[0], self._transport
        await self.open(host)
        if before is not None:
            before.close()

    def speak(self, data: bytes) -> None:
        """Sends to the peer, where its address is known."""
        if self._transport is not None and self.peer is not None and not self._transport.is_closing():
            self._transport.sendto(data, self.peer)

    def close(self) -> None:
        """Lets go of the socket."""
        if self._transport is not None:
            self._transport.close()


class Lane:
    """One direction of all peer connections: an emulated link, driven by the event loop's clock."""

    def __init__(self, settings: LinkSettings) -> None:
        self.link: EmulatedLink[Callable[[], None]] = EmulatedLink(settings)
        """The link itself; its counts are its figures."""
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    def push(self, to: Side, data: bytes) -> None:
        """Takes a packet that shall leave at ``to``."""
        self.carry(lambda: to.speak(data), len(data))

    def carry(self, arrive: Callable[[], None], size_bytes: int) -> None:
        """Takes a packet of that size; ``arrive`` is called when it does."""
        self.link.push(arrive, size_bytes, self._loop.time() - self._start_s)
        if self._timer is None:
            self._set_timer()

    def close(self) -> None:
        """Delivers nothing more."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        due_s = self.link.next_s()
        self._timer = (
            None if due_s is None else self._loop.call_at(self._start_s + due_s, self._deliver)
        )  # fmt: skip

    def _deliver(self) -> None:
        for arrive in self.link.pop(self._loop.time() - self._start_s):
            arrive()
        self._set_timer()


@dataclass
class Detour:
    """The way of one peer connection through the relay."""

    offer: str
    """The offer that the server shall get."""
    to_client: Side
    """Where the client is spoken to."""
    to_server: Side
    """Where the server is spoken to."""

    def answered(self, sdp: str) -> str:
        """The answer that the client shall get, for the one the server gave."""
        self.to_server.peer = _first_candidate(sdp)
        return rewritten(sdp, self.to_client.address)

    async def move(self) -> None:
        """The server sees the client at another address, as after a change of networks."""
        await self.to_server.move()

    def close(self) -> None:
        """Cuts the connection: nothing passes any more."""
        self.to_client.close()
        self.to_server.close()


class UdpRelay:
    """Makes detours; give it to the client as ``WebRtcConfig.route``. Lives on one event loop."""

    def __init__(self, *, up: LinkSettings | None = None, down: LinkSettings | None = None) -> None:
        self.up, self.down = Lane(up or LinkSettings()), Lane(down or LinkSettings())
        self.detours: list[Detour] = []
        """Every one made, in order."""

    async def detour(self, offer: str) -> Detour:
        """A way for the peer connection that the client offers.

        Raises:
            ExperimentError: the offer names no IPv4 address.
        """
        host, port = _first_candidate(offer)
        to_client, to_server = Side(self.up), Side(self.down)
        to_client.other, to_server.other = to_server, to_client
        to_client.peer = (host, port)
        await to_client.open(host)
        await to_server.open(host)
        made = Detour(rewritten(offer, to_server.address), to_client, to_server)
        self.detours.append(made)
        return made

    async def close(self) -> None:
        """Lets go of every socket."""
        for made in self.detours:
            made.close()
        self.up.close()
        self.down.close()
        await asyncio.sleep(0)

    async def __aenter__(self) -> UdpRelay:
        """The relay itself; it is closed at the end of the block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes."""
        await self.close()


def rewritten(sdp: str, address: Address) -> str:
    """The description with ``address`` as its only candidate."""
    lines, done = [], False
    for line in sdp.splitlines():
        if not line.startswith("a=candidate:"):
            lines.append(line)
        elif not done and _address(line) is not None:
            words = line.split()
            words[4:6] = address[0], str(address[1])
            lines.append(" ".join(words))
            done = True
    return "\r\n".join(lines) + "\r\n"


def _first_candidate(sdp: str) -> Address:
    for line in sdp.splitlines():
        if line.startswith("a=candidate:") and (address := _address(line)) is not None:
            return address
    raise ExperimentError("the description names no IPv4 address to send to")


def _address(line: str) -> Address | None:
    """Host and port of a candidate line; None where it is not this machine's own IPv4 UDP address."""
    words = line.split()
    sound = len(words) >= 8 and words[2].lower() == "udp" and words[7] == "host" and words[4].count(".") == 3
    return (words[4], int(words[5])) if sound and words[5].isdecimal() else None
