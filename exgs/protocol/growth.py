"""When the client proposes a further connection for scene data.

Theory of operation. One association has one window, and each lost packet shrinks it: a link with loss is then
never filled, while the same loss over several associations leaves each its share. A link that is full shows
itself by its queue: round trips grow. So where scene data keeps flowing, round trips are near the quietest
seen, and neither this side nor the user holds the flow back, the windows do, and one more is proposed. The
first is proposed whatever the round trips say: with it, bulk leaves the connection of control and poses. One
that brought nothing, or was refused, makes the next wait longer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from exgs.protocol.config import ConnectionConfig

_QUEUE_FACTOR, _QUEUE_S = 1.5, 0.010
"""Round trips above this times the quietest, plus this, tell of a queue."""
_GAIN = 1.05
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
    held_bytes: int
    """What this side has and has not taken."""
    max_bytes_per_s: int
    """What the user allows; 0 for no bound."""


class LinkGrowth:
    """Decides for one client."""

    def __init__(self, config: ConnectionConfig) -> None:
        self._config = config
        self._up: frozenset[int] = frozenset()
        self._pending: int | None = None
        self._pending_s = 0.0
        self._flowing_s: float | None = None
        self._not_before_s = 0.0
        self._quiet_s = float("inf")
        self._rate_before = 0.0
        self._unanswered: int | None = None
        self._patience_s = _PATIENCE_S

    def set_up(self, links: Iterable[int], now_s: float) -> None:
        """The connections beside the first that are up."""
        up = frozenset(links)
        if up - self._up:
            self._not_before_s = now_s + self._config.settle_s
        if self._pending in up:
            self._pending = None
        self._up = up

    def awaits(self, link: int) -> bool:
        """Whether ``link`` was proposed and not answered; asked once for each answer."""
        awaited, self._unanswered = self._unanswered == link, None
        return awaited

    def failed(self, link: int, now_s: float) -> None:
        """The proposal came to nothing."""
        if self._pending == link:
            self._pending = None
        self._wait(now_s)

    def wanted(self, flow: Flow, now_s: float) -> int | None:
        """The connection to propose now; None for none. Each is given once."""
        if flow.rtt_s is not None:
            self._quiet_s = min(self._quiet_s, flow.rtt_s)
        if not flow.bytes_per_s:
            self._flowing_s = None
            return None
        if self._flowing_s is None:
            self._flowing_s = now_s
        if self._pending is not None and now_s - self._pending_s > _OPENING_S:
            self.failed(self._pending, now_s)
        if self._pending is not None or now_s < self._not_before_s or not self._held_back(flow, now_s):
            return None
        return self._propose(flow, now_s)

    def _held_back(self, flow: Flow, now_s: float) -> bool:
        """Whether a window, rather than the link, this side or the user, is what limits."""
        if len(self._up) >= self._config.max_links or flow.held_bytes > _HELD_BYTES:
            return False
        if self._flowing_s is None or now_s - self._flowing_s < self._config.grow_after_s:
            return False
        if not self._up:
            return True
        if flow.max_bytes_per_s and flow.bytes_per_s > _NEAR_CAP * flow.max_bytes_per_s:
            return False
        return flow.rtt_s is not None and flow.rtt_s <= _QUEUE_FACTOR * self._quiet_s + _QUEUE_S

    def _propose(self, flow: Flow, now_s: float) -> int | None:
        gained = flow.bytes_per_s >= _GAIN * self._rate_before
        self._rate_before = flow.bytes_per_s if gained else 0.0
        if not gained:
            self._wait(now_s)
            return None
        self._pending = min(set(range(1, self._config.max_links + 1)) - self._up)
        self._unanswered = self._pending
        self._pending_s = now_s
        return self._pending

    def _wait(self, now_s: float) -> None:
        self._not_before_s = now_s + self._patience_s
        self._patience_s = min(2 * self._patience_s, _MAX_PATIENCE_S)
