"""One direction of a link, packet by packet, on whatever clock it is told.

A packet waits in a queue of bounded length, leaves at the rate of the link, may be lost on its way, and
arrives after the delay. The queue drops what does not fit (drop tail), as routers do.
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from exgs.experiments.errors import ExperimentError
from exgs.experiments.rates import Rate

Packet = TypeVar("Packet")


@dataclass(frozen=True)
class BurstLoss:
    """Losses that come together (Gilbert's model): a good state loses nothing, a bad one loses all."""

    enter: float
    """Chance, at each packet, that a good link turns bad."""
    leave: float
    """Chance, at each packet, that a bad link turns good; a burst is 1 / leave packets long on average."""

    def __post_init__(self) -> None:
        if not (0 <= self.enter <= 1 and 0 < self.leave <= 1):
            raise ExperimentError(f"{self}: expected chances from 0 to 1, leave above 0")


@dataclass(frozen=True)
class LinkSettings:
    """How one direction behaves. The defaults are a perfect link."""

    rate: Rate | None = None
    """What it carries; None for no bound."""
    delay_s: float = 0.0
    """One way, of every packet."""
    jitter_s: float = 0.0
    """A packet is late by up to this, evenly; packets keep their order."""
    loss: float = 0.0
    """Share of packets lost, each by itself."""
    burst_loss: BurstLoss | None = None
    """Losses that come together, besides."""
    queue_bytes: int = 256 << 10
    """What waits for the link beyond this is dropped."""
    overhead_bytes: int = 28
    """What each packet weighs beyond its data: IPv4 and UDP headers."""
    seed: int = 0
    """Of losses and jitter."""

    def __post_init__(self) -> None:
        if not (0 <= self.delay_s <= 60 and 0 <= self.jitter_s <= 60):
            raise ExperimentError(f"delay {self.delay_s:g} s, jitter {self.jitter_s:g} s: expected 0 to 60")
        if not 0 <= self.loss <= 1:
            raise ExperimentError(f"loss {self.loss:g}: expected 0 to 1")
        if self.queue_bytes < 1 or self.overhead_bytes < 0:
            raise ExperimentError(f"queue of {self.queue_bytes} bytes: expected at least 1")


@dataclass
class LinkCounts:
    """What became of the packets so far."""

    packets: int = 0
    """Offered."""
    bytes: int = 0
    """Offered, headers included."""
    dropped: int = 0
    """Packets for which the queue had no room."""
    lost: int = 0
    """Packets lost on the way."""


@dataclass(order=True)
class _Arrival(Generic[Packet]):
    at_s: float
    number: int
    packet: Packet = field(compare=False)


class EmulatedLink(Generic[Packet]):
    """Packets in with the time, packets out with the time. Times only grow, and the rate begins at 0 s."""

    def __init__(self, settings: LinkSettings | None = None) -> None:
        self.settings = settings or LinkSettings()
        """May be replaced at any time: what is under way already keeps its times."""
        self.counts = LinkCounts()
        """What became of the packets so far."""
        self._random = random.Random(self.settings.seed)
        self._arrivals: list[_Arrival[Packet]] = []
        self._queue: deque[tuple[float, int]] = deque()
        self._queued_bytes = 0
        self._free_s = self._newest_s = 0.0
        self._bad = False

    def push(self, packet: Packet, size_bytes: int, now_s: float) -> None:
        """Takes a packet, or drops it."""
        settings, counts = self.settings, self.counts
        weight = size_bytes + settings.overhead_bytes
        counts.packets += 1
        counts.bytes += weight
        if self.waiting_bytes(now_s) + weight > settings.queue_bytes and settings.rate is not None:
            counts.dropped += 1
            return
        left_s = self._leave(weight, now_s)
        if self._is_lost():
            counts.lost += 1
            return
        late_s = self._random.random() * settings.jitter_s
        self._newest_s = max(self._newest_s, left_s + settings.delay_s + late_s)
        heapq.heappush(self._arrivals, _Arrival(self._newest_s, counts.packets, packet))

    def pop(self, now_s: float) -> list[Packet]:
        """What has arrived by ``now_s``, in order of arrival."""
        arrived = []
        while self._arrivals and self._arrivals[0].at_s <= now_s:
            arrived.append(heapq.heappop(self._arrivals).packet)
        return arrived

    def next_s(self) -> float | None:
        """When something next arrives; None when nothing is under way."""
        return self._arrivals[0].at_s if self._arrivals else None

    def waiting_bytes(self, now_s: float) -> int:
        """Bytes in the queue, headers included; the packet that is leaving counts until it has left."""
        while self._queue and self._queue[0][0] <= now_s:
            self._queued_bytes -= self._queue.popleft()[1]
        return self._queued_bytes

    def _leave(self, weight: int, now_s: float) -> float:
        """When the packet has left the queue."""
        rate = self.settings.rate
        if rate is None:
            return now_s
        self._free_s = rate.finished_s(max(now_s, self._free_s), weight)
        self._queue.append((self._free_s, weight))
        self._queued_bytes += weight
        return self._free_s

    def _is_lost(self) -> bool:
        """Draws as often for a lost packet as for another, so that one loss moves no other."""
        burst, chance, turn = self.settings.burst_loss, self._random.random(), self._random.random()
        if burst is None:
            return chance < self.settings.loss
        self._bad = turn >= burst.leave if self._bad else turn < burst.enter
        return self._bad or chance < self.settings.loss
