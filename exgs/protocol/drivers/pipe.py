"""One direction of an imagined link, on whatever clock it is told."""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass

from exgs.protocol.channels import Channel, spec_of


@dataclass(frozen=True)
class LinkModel:
    """How one direction of a link behaves."""

    delay_s: float = 0.0
    """One way."""
    bytes_per_s: float = float("inf")
    """Rate; what does not fit waits."""
    loss: float = 0.0
    """Share of messages lost: gone on the pose channel, late by ``retransmit_s`` on the others."""
    retransmit_s: float = 0.2
    """How much later a lost message of a reliable channel arrives."""
    seed: int = 0
    """Of the losses."""


class Pipe:
    """Messages on their way. All channels share the rate; control keeps its order."""

    def __init__(self, model: LinkModel | None = None) -> None:
        self.model = model or LinkModel()
        """May be replaced at any time: what is under way already keeps its times."""
        self._random = random.Random(self.model.seed)
        self._arrivals: list[tuple[float, int, Channel, bytes]] = []
        self._departures: list[tuple[float, int, Channel, int]] = []
        self._pushed = 0
        self._free_s = float("-inf")
        self._ordered_s = float("-inf")

    def push(self, channel: Channel, data: bytes, now_s: float) -> None:
        """Takes a message."""
        model, spec = self.model, spec_of(channel)
        left_s = max(now_s, self._free_s) + len(data) / model.bytes_per_s
        self._free_s = left_s
        self._pushed += 1
        heapq.heappush(self._departures, (left_s, self._pushed, channel, len(data)))
        arrives_s = left_s + model.delay_s
        if self._random.random() < model.loss:
            if not spec.reliable:
                return
            arrives_s += model.retransmit_s
        if spec.ordered:
            arrives_s = self._ordered_s = max(arrives_s, self._ordered_s)
        heapq.heappush(self._arrivals, (arrives_s, self._pushed, channel, data))

    def pop(self, now_s: float) -> list[tuple[Channel, bytes]]:
        """What has arrived by ``now_s``, in order of arrival."""
        arrived = []
        while self._arrivals and self._arrivals[0][0] <= now_s:
            _, _, channel, data = heapq.heappop(self._arrivals)
            arrived.append((channel, data))
        return arrived

    def next_s(self, now_s: float, *, heard: bool = True) -> float | None:
        """When something next arrives (where it is heard) or leaves the buffer; None when nothing will."""
        self._forget_left(now_s)
        heaps = (self._arrivals, self._departures) if heard else (self._departures,)
        return min((heap[0][0] for heap in heaps if heap), default=None)

    def buffered_bytes(self, channel: Channel, now_s: float) -> int:
        """Bytes of ``channel`` that have not left yet."""
        self._forget_left(now_s)
        return sum(size for _, _, of, size in self._departures if of is channel)

    def _forget_left(self, now_s: float) -> None:
        while self._departures and self._departures[0][0] <= now_s:
            heapq.heappop(self._departures)
