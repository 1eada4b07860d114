"""WebRTC by aiortc; the only file that imports it.

Three habits of the library shape this file. It notices a dead peer after half a minute, so nothing here waits
without a time-out of its own. Its data channels all drain through one queue per peer connection, so bulk is
handed over little by little. It asks a public STUN server unless told otherwise, so it is told otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiortc
import aiortc.exceptions

from exgs.protocol.channels import Channel, channels_of_link
from exgs.protocol.drivers.sdp import check_sdp, count_candidates
from exgs.protocol.drivers.settings import WebRtcConfig
from exgs.protocol.errors import RemoteProtocolError, TransportError
from exgs.protocol.transport import Receiver
from exgs.protocol.vocabulary import CloseCode

_logger = logging.getLogger(__name__)
_DRAINED_BYTES = 32 << 10
_CLOSE_TIMEOUT_S = 5.0
_MAX_EARLY = 256
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


class WebRtcTransport:
    """A Transport over one peer connection, whose channels both ends make by number."""

    def __init__(self, config: WebRtcConfig | None = None) -> None:
        """Use ``offer`` or ``answer``. Must run inside the event loop."""
        self._config = config or WebRtcConfig()
        self._loop = asyncio.get_running_loop()
        servers = [
            aiortc.RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
            for server in self._config.ice_servers
        ]
        self._peer = aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=servers))
        self._channels: dict[Channel, aiortc.RTCDataChannel] = {}
        self._receiver: Receiver | None = None
        self._early: list[tuple[Channel, bytes]] = []
        self._timer: asyncio.TimerHandle | None = None
        self._opened = False
        self._lost: str | None = None
        self._peer.on("connectionstatechange", self._on_state)
        self._peer.on("datachannel", self._on_strange_channel)

    @classmethod
    async def offer(cls, config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, str]:
        """Client: a transport and the SDP offer to POST.

        Raises:
            TransportError: this machine has no address to offer.
        """
        transport = cls(config)
        transport._make_channels()
        offer_sdp = await transport._describe(transport._peer.createOffer())
        if not count_candidates(offer_sdp):
            await transport.close()
            raise TransportError(_NO_ADDRESS)
        return transport, offer_sdp

    async def accept(self, answer_sdp: str) -> None:
        """Client: the server's answer.

        Raises:
            RemoteProtocolError: the answer is malformed or does not fit the offer.
        """
        await self._hear_sdp(answer_sdp, "answer")
        self._expect_opening()

    @classmethod
    async def answer(cls, offer_sdp: str, config: WebRtcConfig | None = None) -> tuple[WebRtcTransport, str]:
        """Server: a transport and the SDP answer to an offer.

        Raises:
            RemoteProtocolError: the offer is malformed, too large or has no data channel section.
            TransportError: this machine has no address to answer with.
        """
        check_sdp(offer_sdp)
        transport = cls(config)
        await transport._hear_sdp(offer_sdp, "offer")
        transport._make_channels()
        answer_sdp = await transport._describe(transport._peer.createAnswer())
        if not count_candidates(answer_sdp):
            await transport.close()
            own, _ = await cls.offer(config)  # raises where the fault is this machine's
            await own.close()
            raise RemoteProtocolError(
                "SDP: it leaves no address to answer with", close_code=CloseCode.MALFORMED
            )
        transport._expect_opening()
        return transport, answer_sdp

    # The seam.

    def attach(self, receiver: Receiver) -> None:
        """See Transport."""
        self._receiver = receiver
        if self._opened:
            receiver.transport_opened()
        early, self._early = self._early, []
        for channel, data in early:
            receiver.message_arrived(channel, data)
        if self._lost is not None:
            receiver.transport_lost(self._lost)

    def send(self, channel: Channel, data: bytes) -> None:
        """See Transport."""
        lane = self._channels.get(channel)
        if lane is not None and lane.readyState == "open" and self._lost is None:
            lane.send(data)

    def buffered_bytes(self, channel: Channel) -> int:
        """See Transport."""
        lane = self._channels.get(channel)
        return 0 if lane is None else lane.bufferedAmount

    def scene_channels(self) -> tuple[Channel, ...]:
        """See Transport."""
        return (Channel.SCENE_0,)

    async def close(self) -> None:
        """See Transport."""
        self._lose("closed here")
        try:
            await asyncio.wait_for(self._peer.close(), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            _logger.warning("a peer connection did not close in %g s", _CLOSE_TIMEOUT_S)

    # Signalling.

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
        for spec in channels_of_link(0):
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
        if self._opened or any(lane.readyState != "open" for lane in self._channels.values()):
            return
        self._opened = True
        if self._timer is not None:
            self._timer.cancel()
        if self._receiver is not None:
            self._receiver.transport_opened()

    def _listener(self, channel: Channel) -> Callable[[bytes | str], None]:
        def on_message(data: bytes | str) -> None:
            """Text is no message of this protocol: it counts as empty, which ends the session."""
            message = data if isinstance(data, bytes) else b""
            if self._receiver is not None:
                self._receiver.message_arrived(channel, message)
            elif len(self._early) < _MAX_EARLY:
                self._early.append((channel, message))
            else:
                self._lose("messages came before anybody listened")

        return on_message

    def _on_drained(self) -> None:
        if self._receiver is not None:
            self._receiver.transport_drained()

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
        if self._lost is not None:
            return
        self._lost = reason
        if self._timer is not None:
            self._timer.cancel()
        if self._receiver is not None:
            self._receiver.transport_lost(reason)


def _unfit(error: Exception) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"SDP: {type(error).__name__}: {str(error)[:200]}", close_code=CloseCode.MALFORMED
    )
