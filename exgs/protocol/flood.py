"""How often a peer may speak."""

from __future__ import annotations

from exgs.protocol.channels import Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.vocabulary import CloseCode

_BURST_S = 5.0
_LINK_BURST = 8.0
_LINK_RATE_HZ = 0.2


class FloodGate:
    """A bucket of messages for each of control and pose: it holds five seconds' worth."""

    def __init__(self, config: ConnectionConfig) -> None:
        self._rates = {Channel.CONTROL: config.control_rate_hz, Channel.POSE: config.pose_rate_hz}
        self._left = {channel: rate * _BURST_S for channel, rate in self._rates.items()}
        self._filled_s = dict.fromkeys(self._rates, float("-inf"))

    def pass_one(self, channel: Channel, now_s: float) -> None:
        """Lets one message through; scene channels are bounded by credit instead.

        Raises:
            RemoteProtocolError: the bucket of ``channel`` is empty.
        """
        if channel not in self._rates:
            return
        rate = self._rates[channel]
        elapsed_s = min(max(0.0, now_s - self._filled_s[channel]), _BURST_S)
        self._left[channel] = min(self._left[channel] + elapsed_s * rate, rate * _BURST_S)
        self._filled_s[channel] = max(now_s, self._filled_s[channel])
        if self._left[channel] < 1:
            raise RemoteProtocolError(
                f"more than {rate:g} messages a second on channel {channel.name}", close_code=CloseCode.FLOOD
            )
        self._left[channel] -= 1


class LinkGate:
    """Lets proposals of connections in: each costs the server a peer connection and packets to strangers."""

    def __init__(self, max_links: int) -> None:
        self._max_links = max_links
        self._left, self._filled_s = _LINK_BURST, 0.0

    def lets_in(self, link: int, now_s: float) -> bool:
        """Whether this one may be answered: eight at once, and one more every five seconds."""
        self._left = min(self._left + max(0.0, now_s - self._filled_s) * _LINK_RATE_HZ, _LINK_BURST)
        self._filled_s = now_s
        if link > self._max_links or self._left < 1:
            return False
        self._left -= 1
        return True
