"""One peer connection by aiortc; the only file that imports it.

Three habits of the library shape this file. It notices a dead peer after half a minute, so nothing here waits
without a time-out of its own. Its data channels all drain through one queue per peer connection, so bulk is
handed over little by little. It asks a public STUN server unless told otherwise, so it is told otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

import aiortc
import aiortc.exceptions

from exgs.protocol.channels import Channel, channels_of_link
from exgs.protocol.drivers.sdp import check_sdp, count_candidates
from exgs.protocol.drivers.settings import Detour, WebRtcConfig
from exgs.protocol.errors import RemoteProtocolError, TransportError
from exgs.protocol.vocabulary import CloseCode

_logger = logging.getLogger(__name__)
_DRAINED_BYTES = 32 << 10
_CLOSE_TIMEOUT_S = 5.0
_BAD_SDP = (
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    aiortc.exceptions.InternalError,
    aiortc.exceptions.InvalidAccessError,
    aiortc.exceptions.InvalidStateError,
    aiortc.exceptions.OperationError,
)
_NO_ADDRESS = (
    "this machine has no network address that WebRTC can use (127.0.0.1 alone does not count): "
    "bring up a network interface, or give the loopback interface a second address "
    "(ip address add 127.0.0.2/8 dev lo)"
)


class LinkOwner(Protocol):
    """Whom a link tells what happens on it."""

    def link_opened(self, link: int) -> None:
        """All its channels are up."""

    def link_message(self, channel: Channel, data: bytes) -> None:
        """One whole message."""

    def link_drained(self, link: int) -> None:
        """A channel that was full has room again."""

    def link_lost(self, link: int, reason: str) -> None:
        """It is down for good; told once."""


class PeerLink:
    """One peer connection, whose channels both ends make by number."""

    def __init__(self, link: int, owner: LinkOwner, config: WebRtcConfig) -> None:
        """Use ``offer`` and ``accept``, or ``answer``. Must run inside the event loop."""
        self.open = False
        """Whether its channels are up."""
        self._link, self._owner, self._config = link, owner, config
        self._loop = asyncio.get_running_loop()
        servers = [
            aiortc.RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
            for server in config.ice_servers
        ]
        self._peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=servers))
        self._channels: dict[Channel, aiortc.RTCDataChannel] = {}
        self._detour: Detour | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._lost = False
        self._peer.on("connectionstatechange", self._on_state)
        self._peer.on("datachannel", self._on_strange_channel)

    async def offer(self) -> str:
        """Client: the SDP offer.

        Raises:
            TransportError: this machine has no address to offer.
        """
        self._make_channels()
        sdp = await self._describe(self._peer.createOffer())
        if not count_candidates(sdp):
            await self.close()
            raise TransportError(_NO_ADDRESS)
        if self._config.route is not None:
            self._detour = await self._config.route.detour(sdp)
            return self._detour.offer
        return sdp

    async def accept(self, answer_sdp: str) -> None:
        """Client: the server's answer.

        Raises:
            RemoteProtocolError: the answer is malformed or does not fit the offer.
        """
        if self._detour is not None:
            answer_sdp = self._detour.answered(answer_sdp)
        await self._hear_sdp(answer_sdp, "answer")
        self._expect_opening()

    async def answer(self, offer_sdp: str) -> str:
        """Server: the SDP answer to an offer.

        Raises:
            RemoteProtocolError: the offer is malformed, too large or has no data channel section.
            TransportError: this machine has no address to answer with.
        """
        await self._hear_sdp(offer_sdp, "offer")
        self._make_channels()
        answer_sdp = await self._describe(self._peer.createAnswer())
        if not count_candidates(answer_sdp):
            await self.close()
            own = PeerLink(self._link, self._owner, self._config)
            await own.offer()  # raises where the fault is this machine's
            await own.close()
            raise RemoteProtocolError(
                "SDP: it leaves no address to answer with", close_code=CloseCode.MALFORMED
            )
        self._expect_opening()
        return answer_sdp

    def send(self, channel: Channel, data: bytes) -> None:
        """Takes one message; never waits. Dropped where the channel is not up."""
        lane = self._channels.get(channel)
        if lane is not None and lane.readyState == "open" and not self._lost:
            lane.send(data)

    def buffered_bytes(self, channel: Channel) -> int:
        """Bytes taken and not yet on the wire."""
        lane = self._channels.get(channel)
        return 0 if lane is None else lane.bufferedAmount

    async def close(self) -> None:
        """Lets go of everything; safe to call twice."""
        self._lose("closed here")
        try:
            await asyncio.wait_for(self._peer.close(), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            _logger.warning("a peer connection did not close in %g s", _CLOSE_TIMEOUT_S)
        if self._detour is not None:
            self._detour.close()

    async def _describe(self, making: Awaitable[aiortc.RTCSessionDescription]) -> str:
        """Takes the description as this side's own, with this machine's addresses in it."""
        try:
            async with asyncio.timeout(self._config.gather_timeout_s):
                await self._peer.setLocalDescription(await making)
        except TimeoutError as error:
            await self.close()
            raise TransportError(
                f"no addresses were found in {self._config.gather_timeout_s:g} s; "
                "does a STUN or TURN server that was named not answer?"
            ) from error
        except _BAD_SDP as error:
            await self.close()
            raise _unfit(error) from error
        return str(self._peer.localDescription.sdp)

    async def _hear_sdp(self, sdp: str, kind: str) -> None:
        try:
            check_sdp(sdp)
            await self._peer.setRemoteDescription(aiortc.RTCSessionDescription(sdp, kind))
        except RemoteProtocolError:
            await self.close()
            raise
        except _BAD_SDP as error:
            await self.close()
            raise _unfit(error) from error

    def _make_channels(self) -> None:
        for spec in channels_of_link(self._link):
            lane = self._peer.createDataChannel(
                spec.label,
                ordered=spec.ordered,
                maxRetransmits=None if spec.reliable else 0,
                negotiated=True,
                id=int(spec.channel),
            )
            lane.bufferedAmountLowThreshold = _DRAINED_BYTES
            lane.on("open", self._on_open)
            lane.on("close", self._on_close)
            lane.on("bufferedamountlow", self._on_drained)
            lane.on("message", self._listener(spec.channel))
            self._channels[spec.channel] = lane

    def _expect_opening(self) -> None:
        timeout_s = self._config.connect_timeout_s
        self._timer = self._loop.call_later(timeout_s, self._on_timeout)

    # What the library tells.

    def _on_open(self) -> None:
        if self.open or any(lane.readyState != "open" for lane in self._channels.values()):
            return
        self.open = True
        if self._timer is not None:
            self._timer.cancel()
        self._owner.link_opened(self._link)

    def _listener(self, channel: Channel) -> Callable[[bytes | str], None]:
        def on_message(data: bytes | str) -> None:
            """Text is no message of this protocol: it counts as empty, which ends the session."""
            self._owner.link_message(channel, data if isinstance(data, bytes) else b"")

        return on_message

    def _on_drained(self) -> None:
        self._owner.link_drained(self._link)

    def _on_close(self) -> None:
        self._lose("a data channel was closed")

    def _on_state(self) -> None:
        if self._peer.connectionState in ("failed", "closed"):
            self._lose(f"the peer connection is {self._peer.connectionState}")

    def _on_timeout(self) -> None:
        self._lose(f"no connection within {self._config.connect_timeout_s:g} s")

    def _on_strange_channel(self, lane: aiortc.RTCDataChannel) -> None:
        self._lose(f"the peer opened a channel of its own: {str(lane.label)[:40]!r}")

    def _lose(self, reason: str) -> None:
        if self._lost:
            return
        self._lost, self.open = True, False
        if self._timer is not None:
            self._timer.cancel()
        self._owner.link_lost(self._link, reason)


def _unfit(error: Exception) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"SDP: {type(error).__name__}: {str(error)[:200]}", close_code=CloseCode.MALFORMED
    )
