"""How long scene bytes take on each connection, as the server sees it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from exgs.protocol.channels import SCENE_CHANNELS, Channel

_MOST_UNDER_WAY = 4096
"""Fragments that are kept in mind on each channel: more than credit allows."""


class Delays:
    """Smoothed times from a fragment's leaving to the receipt that says it is there.

    That is the round trip of the connection with all queues in it, and the time until the client's next
    receipt.
    """

    def __init__(self) -> None:
        self._sent: dict[Channel, deque[tuple[int, float]]] = {
            channel: deque(maxlen=_MOST_UNDER_WAY) for channel in SCENE_CHANNELS
        }
        self._totals = dict.fromkeys(SCENE_CHANNELS, 0)
        self._smoothed: dict[Channel, float] = {}

    def sent(self, channel: Channel, size: int, now_s: float) -> None:
        """A fragment was handed out."""
        self._totals[channel] += size
        self._sent[channel].append((self._totals[channel], now_s))

    def arrived(self, counts: Sequence[int], now_s: float) -> None:
        """What the client says has arrived on each channel, SCENE_0 first."""
        for channel, count in zip(SCENE_CHANNELS, counts, strict=False):
            sent, left_s = self._sent[channel], None
            while sent and sent[0][0] <= count:
                left_s = sent.popleft()[1]
            if left_s is not None:
                before = self._smoothed.get(channel, now_s - left_s)
                self._smoothed[channel] = before + (now_s - left_s - before) / 8

    def known(self) -> tuple[float | None, ...]:
        """In seconds, of connection 0 and those that follow; None where nothing has arrived."""
        return tuple(self._smoothed.get(channel) for channel in SCENE_CHANNELS)
