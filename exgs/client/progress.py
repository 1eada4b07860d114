"""What a session tells while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from exgs.client.clock import Clock
from exgs.client.snapshots import Snapshot
from exgs.client.status import Status
from exgs.codec import Preamble

Kind = Literal[
    "compiling",
    "restorer",
    "connecting",
    "answered",
    "opened",
    "preparing",
    "manifest",
    "first_chunk",
    "first_frame",
    "level",
    "complete",
    "corrupt",
    "silent",
    "reconnecting",
    "reconnected",
    "lost",
]


@dataclass(frozen=True)
class Milestone:
    """Something that happens once, or once per level."""

    kind: Kind
    """What it is."""
    at_s: float | None
    """Seconds since the offer was sent; None before."""
    text: str
    """A line for a person."""


Listener = Callable[[Milestone | Status], None]
"""Called on the event loop's thread."""


class Teller:
    """Tells a listener, with the time since the offer. Call it on the event loop's thread."""

    def __init__(self, listen: Listener, clock: Clock) -> None:
        self._listen, self._clock = listen, clock
        self.first_s: dict[Kind, float] = {}
        """When each kind of milestone was told first, in seconds since the offer."""
        self._offered_s: float | None = None
        self._levels: set[int] = set()
        self._totals: Counter[int] = Counter()

    def offered(self) -> None:
        """The offer is on its way: time counts from here."""
        self._offered_s = self._clock.now()

    def since_offer_s(self, time_s: float | None) -> float | None:
        """``time_s`` on the clock as seconds since the offer; None stays None."""
        return None if time_s is None or self._offered_s is None else time_s - self._offered_s

    def say(self, kind: Kind, text: str) -> None:
        """Tells of something that happened now."""
        at_s = self.since_offer_s(self._clock.now())
        if at_s is not None:
            self.first_s.setdefault(kind, at_s)
        self._listen(Milestone(kind, at_s, text))

    def status(self, status: Status) -> None:
        """Tells where the session stands."""
        self._listen(status)

    def follow(self, snapshot: Snapshot, preamble: Preamble) -> None:
        """Tells of every level that ``snapshot`` is the first to have in full, and of the last chunk."""
        totals = self._totals = self._totals or Counter(chunk.level for chunk in preamble.chunks)
        for level in sorted(set(totals) - self._levels, reverse=True):
            if snapshot.chunks_by_level[level] == totals[level]:
                self._levels.add(level)
                self.say("level", f"level {level} complete: {_amount(snapshot)}")
                if len(self._levels) == len(totals):
                    self.say("complete", f"scene complete: {_amount(snapshot)}")


def _amount(snapshot: Snapshot) -> str:
    return f"{snapshot.bytes_received:,} bytes received, {snapshot.splats:,} splats drawn"
