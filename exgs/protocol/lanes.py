"""Which scene channel takes the next fragment, and which has stopped carrying any."""

from __future__ import annotations

from collections.abc import Sequence

from exgs.protocol.channels import SCENE_CHANNELS, Channel, channels_of_link, spec_of
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.vocabulary import CloseCode
from exgs.protocol.window import Window


class Lanes:
    """The server's account of each scene channel: up, full, sent, arrived, stalled.

    A link is full from ``high_water_bytes`` unsent until it is back below ``low_water_bytes``; the count is
    the transport's, plus what was handed out since it was told. A channel is stalled where nothing of what
    was sent on it arrives for ``stall_s``, although the peer is heard on connection 0.

    A channel also has a window (window.py). Where several channels take fragments, loss holds each of them
    back, and their windows are not asked.
    """

    def __init__(self, config: ConnectionConfig) -> None:
        self.up: tuple[Channel, ...] = (Channel.SCENE_0,)
        """Scene channels that the transport has."""
        self.stalled: set[Channel] = set()
        """Of these, those that carry nothing at the moment."""
        self._config = config
        self._buffered: dict[Channel, int] = dict.fromkeys(Channel, 0)
        self._full_links: set[int] = set()
        self._sent = dict.fromkeys(SCENE_CHANNELS, 0)
        self._arrived = dict.fromkeys(SCENE_CHANNELS, 0)
        self._lost = dict.fromkeys(SCENE_CHANNELS, 0)
        self._moved_s = dict.fromkeys(SCENE_CHANNELS, 0.0)
        self._windows = {channel: Window(config.min_window_bytes) for channel in SCENE_CHANNELS}

    def set_up(self, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        """What the transport has now; gives the channels that are gone."""
        gone = tuple(channel for channel in self.up if channel not in channels)
        self.up = channels
        self.stalled.intersection_update(channels)
        for channel in gone:
            self._full_links.discard(spec_of(channel).link)
            self._buffered[channel] = 0
        return gone

    def set_buffered(self, channel: Channel, n_bytes: int) -> None:
        """What the transport holds unsent."""
        self._buffered[channel] = n_bytes
        self._mark(spec_of(channel).link)

    def sent(self, channel: Channel, size: int, now_s: float) -> None:
        """A fragment was handed out."""
        if not self.missing_bytes(channel):
            self._moved_s[channel] = now_s
        self._sent[channel] += size
        self._buffered[channel] += size
        self._mark(spec_of(channel).link)

    def arrived(self, counts: Sequence[int], now_s: float, *, quiet_s: float | None = None) -> int:
        """What the client says has arrived on each channel, SCENE_0 first; gives what was thought lost of it.

        ``quiet_s`` is the quietest round trip, None where it is not known.

        Raises:
            RemoteProtocolError: more than was sent, or less than it said before.
        """
        found, trip_s = 0, (quiet_s or 0.0) + self._config.busy_receipt_s
        for channel, count in zip(SCENE_CHANNELS, counts, strict=False):
            if not self._arrived[channel] <= count <= self._sent[channel]:
                raise RemoteProtocolError(
                    f"{count} bytes arrived on {channel.name} after {self._arrived[channel]}, "
                    f"with {self._sent[channel]} sent",
                    close_code=CloseCode.VIOLATION,
                )
            self._windows[channel].arrived(count, now_s, trip_s=trip_s)
            if count > self._arrived[channel]:
                self._arrived[channel] = count
                self._moved_s[channel] = now_s
                self.stalled.discard(channel)
                back = max(0, count + self._lost[channel] - self._sent[channel])
                self._lost[channel] -= back
                found += back
        return found

    def missing_bytes(self, channel: Channel) -> int:
        """Sent on ``channel``, not reported as arrived and not given up."""
        return self._sent[channel] - self._lost[channel] - self._arrived[channel]

    def give_up(self, channel: Channel) -> int:
        """The channel is gone or stalled: what is missing may never arrive. Gives how much that is."""
        missing = self.missing_bytes(channel)
        self._lost[channel] += missing
        return missing

    def newly_stalled(self, now_s: float) -> list[Channel]:
        """Channels that have just been found to carry nothing."""
        late: list[Channel] = [
            channel
            for channel in self.up
            if channel not in self.stalled
            and channel is not Channel.SCENE_0
            and self.missing_bytes(channel)
            and now_s - self._moved_s[channel] >= self._config.stall_s
        ]
        self.stalled.update(late)
        return late

    def awake(self, now_s: float) -> None:
        """The peer was silent, or this side asleep: nobody is late from before that."""
        self._moved_s = dict.fromkeys(SCENE_CHANNELS, now_s)

    @property
    def in_use(self) -> tuple[Channel, ...]:
        """Channels that take fragments; SCENE_0 where no other does."""
        return tuple(channel for channel in self.up if channel not in self.stalled) or (Channel.SCENE_0,)

    def roomiest(self) -> Channel | None:
        """The channel whose link has the most room; None where all are full."""
        several = len(self.in_use) > 1
        open_channels = [
            channel
            for channel in self.in_use
            if spec_of(channel).link not in self._full_links
            and (several or self.missing_bytes(channel) < self._windows[channel].bytes)
        ]
        return min(open_channels, key=lambda channel: self._unsent(spec_of(channel).link), default=None)

    def _mark(self, link: int) -> None:
        unsent = self._unsent(link)
        if unsent >= self._config.high_water_bytes:
            self._full_links.add(link)
        elif unsent < self._config.low_water_bytes:
            self._full_links.discard(link)

    def _unsent(self, link: int) -> int:
        return sum(self._buffered[spec.channel] for spec in channels_of_link(link))
