"""Who of many viewers is sent to next, and when: shares of one upload, decided without a clock.

Start-time fair queueing (Goyal, Vin and Cheng 1996). Each viewer has a tag that grows by the bytes it was
sent; of those that wait, the one with the least tag has its turn. Who asks for less than its share gets all
that it asks for, and the others share the rest evenly: over any time, two viewers that always ask differ by
at most one sending of each. Who was away does not save up. Who is new goes before its equals.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable

SLACK_S = 0.25
"""What was left unused for so long may be made up for: a busy machine's timers are late."""
RECENT_S = 2.0
"""Who was sent something within this counts as active."""


class Turns:
    """The turns of one upload."""

    def __init__(self, bytes_per_s: float = 0.0) -> None:
        self.bytes_per_s = bytes_per_s
        """Rate of the upload, 0 for no bound; may be changed at any time."""
        self._waiting: list[tuple[float, bool, int, Hashable]] = []
        self._tags: dict[Hashable, float] = {}
        self._spent_s: dict[Hashable, float] = {}
        self._reached = 0.0
        self._asked = 0
        self._debt_bytes = 0.0
        self._now_s = float("-inf")

    def ask(self, key: Hashable) -> None:
        """``key`` has something to send, once: asking twice counts twice."""
        start = max(self._reached, self._tags.get(key, 0.0))
        self._asked += 1
        heapq.heappush(self._waiting, (start, key in self._tags, self._asked, key))

    def next(self, now_s: float) -> Hashable | None:
        """Whose turn it is, which ends its waiting; None where nobody waits or the rate forbids it."""
        self._drain(now_s)
        if not self._waiting or (self.bytes_per_s and self._debt_bytes > 0):
            return None
        start, _, _, key = heapq.heappop(self._waiting)
        self._reached, self._tags[key] = max(self._reached, start), start
        return key

    def spend(self, key: Hashable, size_bytes: int, now_s: float) -> None:
        """``key`` used its turn for so many bytes."""
        self._drain(now_s)
        self._tags[key] = max(self._tags.get(key, 0.0), self._reached) + size_bytes
        self._spent_s[key] = now_s
        self._debt_bytes += size_bytes

    def withdraw(self, key: Hashable) -> None:
        """``key`` waits no more."""
        self._waiting = [entry for entry in self._waiting if entry[3] != key]
        heapq.heapify(self._waiting)

    def leave(self, key: Hashable) -> None:
        """``key`` waits no more and is forgotten."""
        self.withdraw(key)
        self._tags.pop(key, None)
        self._spent_s.pop(key, None)

    def wait_s(self, now_s: float) -> float | None:
        """How long until somebody's turn comes by time alone; None where nobody waits."""
        self._drain(now_s)
        if not self._waiting:
            return None
        return max(0.0, self._debt_bytes / self.bytes_per_s) if self.bytes_per_s else 0.0

    def active(self, now_s: float) -> int:
        """How many were sent something lately."""
        return sum(at_s >= now_s - RECENT_S for at_s in self._spent_s.values())

    def _drain(self, now_s: float) -> None:
        """Lets the rate pay off what was sent."""
        if not self.bytes_per_s:
            self._debt_bytes = 0.0
        elif now_s > self._now_s > float("-inf"):
            paid = (now_s - self._now_s) * self.bytes_per_s
            self._debt_bytes = max(self._debt_bytes - paid, -SLACK_S * self.bytes_per_s)
        self._now_s = max(now_s, self._now_s)
