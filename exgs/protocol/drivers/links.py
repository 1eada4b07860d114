"""WebRTC as a Transport: one peer connection for everything, and up to four more for scenes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from exgs.protocol.channels import Channel, channels_of_link, spec_of
from exgs.protocol.drivers.sdp import check_sdp
from exgs.protocol.drivers.settings import WebRtcConfig
from exgs.protocol.drivers.webrtc import PeerLink
from exgs.protocol.errors import TransportError
from exgs.protocol.transport import Receiver

_MAX_EARLY = 256


class WebRtcTransport:
    """Peer connection 0, which is up as long as the session, and those that come and go beside it."""

    def __init__(self, config: WebRtcConfig | None = None) -> None:
        """Use ``offer`` or ``answer``. Must run inside the event loop."""
        self._config = config or WebRtcConfig()
        self._links = {0: PeerLink(0, self, self._config)}
        self._receiver: Receiver | None = None
        self._early: list[tuple[Channel, bytes]] = []
        self._lost: str | None = None
        self._opened = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()

    @classmethod
    async def offer(cls, config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, str]:
        """Client: a transport and the SDP offer to POST.

        Raises:
            TransportError: this machine has no address to offer.
        """
        transport = cls(config)
        return transport, await transport._begun(transport._links[0].offer())

    async def accept(self, answer_sdp: str) -> None:
        """Client: the server's answer.

        Raises:
            RemoteProtocolError: the answer is malformed or does not fit the offer.
        """
        await self._links[0].accept(answer_sdp)

    @classmethod
    async def answer(cls, offer_sdp: str, config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, str]:
        """Server: a transport and the SDP answer to an offer.

        Raises:
            RemoteProtocolError: the offer is malformed, too large or has no data channel section.
            TransportError: this machine has no address to answer with.
        """
        check_sdp(offer_sdp)
        transport = cls(config)
        return transport, await transport._begun(transport._links[0].answer(offer_sdp))

    async def is_open(self, timeout_s: float) -> bool:
        """Waits until connection 0 is up; False where it is lost before, or not up in time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._opened.wait()
        except TimeoutError:
            return False
        return self._lost is None

    # The seam.

    def attach(self, receiver: Receiver) -> None:
        """See Transport."""
        self._receiver = receiver
        if self._opened.is_set() and self._lost is None:
            receiver.transport_opened()
        early, self._early = self._early, []
        for channel, data in early:
            receiver.message_arrived(channel, data)
        if self._lost is not None:
            receiver.transport_lost(self._lost)

    def send(self, channel: Channel, data: bytes) -> None:
        """See Transport."""
        link = self._links.get(spec_of(channel).link)
        if link is not None:
            link.send(channel, data)

    def buffered_bytes(self, channel: Channel) -> int:
        """See Transport."""
        link = self._links.get(spec_of(channel).link)
        return 0 if link is None else link.buffered_bytes(channel)

    def scene_channels(self) -> tuple[Channel, ...]:
        """See Transport. Connection 0 carries scenes while no other is up."""
        up = sorted(number for number, link in self._links.items() if number and link.open)
        return tuple(channels_of_link(number)[0].channel for number in up) or (Channel.SCENE_0,)

    async def close(self) -> None:
        """See Transport."""
        links = [self._links[number] for number in sorted(self._links)]
        await asyncio.gather(*(link.close() for link in links))
        await asyncio.gather(*self._closing)

    # Further links, see LinkCarrier.

    async def offer_link(self, link: int) -> str:
        """See LinkCarrier."""
        made = self._make(link)
        return await self._guarded(link, made.offer())

    async def accept_link(self, link: int, sdp: str) -> None:
        """See LinkCarrier."""
        if link in self._links and sdp:
            await self._guarded(link, self._links[link].accept(sdp))
        elif link in self._links:
            self._drop(link)

    async def answer_link(self, link: int, sdp: str) -> str:
        """See LinkCarrier."""
        check_sdp(sdp)
        made = self._make(link)
        return await self._guarded(link, made.answer(sdp))

    def _make(self, link: int) -> PeerLink:
        if self._lost is not None:
            raise TransportError(f"link {link}: the transport is down")
        self._drop(link)
        self._links[link] = PeerLink(link, self, self._config)
        return self._links[link]

    async def _begun(self, work: Coroutine[Any, Any, str]) -> str:
        """Does what a transport begins with; where that fails, or is given up, nothing is left of it."""
        try:
            return await work
        except BaseException:
            await self.close()
            raise

    async def _guarded(self, link: int, work: Coroutine[Any, Any, Any]) -> Any:
        """Does ``work`` on a link, which is dropped where it fails."""
        try:
            return await work
        except BaseException:
            self._drop(link)
            raise

    def _drop(self, link: int) -> None:
        made = self._links.pop(link, None)
        if made is not None:
            task = asyncio.get_running_loop().create_task(made.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    # What links tell, see LinkOwner.

    def link_opened(self, link: int) -> None:
        """See LinkOwner."""
        if link:
            self.link_drained(link)
            return
        self._opened.set()
        if self._receiver is not None:
            self._receiver.transport_opened()

    def link_message(self, channel: Channel, data: bytes) -> None:
        """See LinkOwner."""
        if self._receiver is not None:
            self._receiver.message_arrived(channel, data)
        elif len(self._early) < _MAX_EARLY:
            self._early.append((channel, data))
        else:
            self._lose("messages came before anybody listened")

    def link_drained(self, link: int) -> None:
        """See LinkOwner."""
        if self._receiver is not None:
            self._receiver.transport_drained()

    def link_lost(self, link: int, reason: str) -> None:
        """See LinkOwner. What a further link carried goes by the others; without connection 0 all is over."""
        if link:
            self._drop(link)
            self.link_drained(link)
        else:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = reason
        self._opened.set()
        if self._receiver is not None:
            self._receiver.transport_lost(reason)
