"""When the client proposes a further connection for scene data.

Theory of operation. One association has one window, and each lost packet shrinks it: a link with loss is then
never filled, while the same loss over several associations leaves each its share. A link that is full shows
itself by its queue: round trips grow. So where scene data keeps flowing, round trips are near the quietest
seen, no queue was seen lately at such a rate, and neither this side nor the user holds the flow back, the
windows do, and one more is proposed. The first is proposed whatever the round trips say: with it, bulk leaves
the connection of control and poses. One that did harm, or was refused, makes the next wait longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exgs.protocol.config import ConnectionConfig

_QUEUE_FACTOR, _QUEUE_S = 1.35, 0.008
"""Round trips above this times the quietest, plus this, tell of a queue."""
_FULL_SHARE, _FULL_MEMORY_S, _QUEUE_MEMORY_S = 0.6, 8.0, 2.0
"""What comes at this share of a rate that filled the link so lately fills it still, between two queues; and
soon after a queue a window may be small because it was too large."""
_GAIN = 0.85
"""Less than this share of the rate before, and the newest did harm. Under loss, windows vary by much."""
_PATIENCE_S = 3.0
_MAX_PATIENCE_S = 30.0
_OPENING_S = 12.0
"""A proposal that has not become a connection by then is forgotten."""
_HELD_BYTES = 1 << 20
_NEAR_CAP = 0.85


@dataclass(frozen=True)
class Flow:
    """How scene data arrives."""

    bytes_per_s: float
    """Over the last second."""
    rtt_s: float | None
    """Smoothed round trip."""
    quietest_s: float | None
    """Quickest round trip of all."""
    held_bytes: int
    """What this side has and has not taken."""
    max_bytes_per_s: int
    """What the user allows; 0 for no bound."""


class LinkGrowth:
    """Decides for one client."""

    def __init__(self, config: ConnectionConfig) -> None:
        self._config = config
        self._up: frozenset[int] = frozenset()
        self._pending: dict[int, float] = {}
        self._flowing_s: float | None = None
        self._not_before_s = 0.0
        self._full_rate, self._full_s = 0.0, float("-inf")
        self._rate_before = 0.0
        self._unanswered: set[int] = set()
        self._patience_s = _PATIENCE_S

    def set_up(self, links: Iterable[int], now_s: float) -> None:
        """The connections beside the first that are up."""
        up = frozenset(links)
        if up - self._up:
            self._not_before_s = max(self._not_before_s, now_s + self._config.settle_s)
        self._pending = {link: at_s for link, at_s in self._pending.items() if link not in up}
        self._up = up

    def awaits(self, link: int) -> bool:
        """Whether ``link`` was proposed and not answered; asked once for each answer."""
        awaited = link in self._unanswered
        self._unanswered.discard(link)
        return awaited

    def failed(self, link: int, now_s: float) -> None:
        """The proposal came to nothing."""
        self._pending.pop(link, None)
        self._wait(now_s)

    def wanted(self, flow: Flow, now_s: float) -> int | None:
        """The connection to propose now; None for none. Each is given once."""
        self._note_queue(flow, now_s)
        if not flow.bytes_per_s:
            self._flowing_s = None
            return None
        if self._flowing_s is None:
            self._flowing_s = now_s
        for link in [link for link, at_s in self._pending.items() if now_s - at_s > _OPENING_S]:
            self.failed(link, now_s)
        if now_s < self._not_before_s or not self._held_back(flow, now_s):
            return None
        return self._propose(flow, now_s)

    def _held_back(self, flow: Flow, now_s: float) -> bool:
        """Whether a window, rather than the link, this side or the user, is what limits."""
        if len(self._up) + len(self._pending) >= self._config.max_links or flow.held_bytes > _HELD_BYTES:
            return False
        if self._flowing_s is None or now_s - self._flowing_s < self._config.grow_after_s:
            return False
        if not self._up:
            return not self._pending
        if flow.max_bytes_per_s and flow.bytes_per_s > _NEAR_CAP * flow.max_bytes_per_s:
            return False
        if flow.rtt_s is None or _queued(flow):
            return False
        since_s = now_s - self._full_s
        far = flow.bytes_per_s < _FULL_SHARE * self._full_rate
        return since_s > _FULL_MEMORY_S or (far and since_s > _QUEUE_MEMORY_S)

    def _note_queue(self, flow: Flow, now_s: float) -> None:
        """Remembers the rate at which the link was full."""
        if _queued(flow):
            recent = now_s - self._full_s <= _FULL_MEMORY_S
            self._full_rate = max(flow.bytes_per_s, self._full_rate if recent else 0.0)
            self._full_s = now_s

    def _propose(self, flow: Flow, now_s: float) -> int | None:
        harmed = flow.bytes_per_s < _GAIN * self._rate_before
        self._rate_before = flow.bytes_per_s if self._up and not harmed else 0.0
        if harmed:
            self._wait(now_s)
            return None
        link = min(set(range(1, self._config.max_links + 1)) - self._up - set(self._pending))
        self._pending[link] = now_s
        self._unanswered.add(link)
        self._not_before_s = now_s + self._config.settle_s
        return link

    def _wait(self, now_s: float) -> None:
        self._not_before_s = now_s + self._patience_s
        self._patience_s = min(2 * self._patience_s, _MAX_PATIENCE_S)


def _queued(flow: Flow) -> bool:
    """Whether round trips tell of a queue."""
    if flow.rtt_s is None or flow.quietest_s is None:
        return False
    return flow.rtt_s > _QUEUE_FACTOR * flow.quietest_s + _QUEUE_S
