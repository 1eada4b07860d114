"""What a session tells while it goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from exgs.client.clock import Clock
from exgs.client.snapshots import Snapshot
from exgs.codec import Preamble

Kind = Literal[
    "compiling",
    "connecting",
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


@dataclass(frozen=True)
class Status:
    """Where a session stands; told a few times a second."""

    at_s: float
    """Seconds since the offer was sent."""
    bytes_received: int
    """Bytes of the scene, manifest included."""
    bytes_expected: int
    """Bytes of the whole scene."""
    splats: int
    """Splats that are drawn."""
    frames_shown: int
    """Pictures shown."""
    frames_late: int
    """Of those, how many were late."""
    frames_dropped: int
    """Ticks without a picture of their own."""
    frame_ms: float
    """Median time from pose to display."""
    goodput_bytes_per_s: float
    """Over the last second."""
    rtt_ms: float | None
    """Round trip; None before it was measured."""
    jitter_ms: float = 0.0
    """How much one round trip differs from the next."""
    loss: float = 0.0
    """Share of the server's beats that did not arrive."""
    links: int = 0
    """Connections for scene data beside the first."""
    redundant_bytes: int = 0
    """Scene bytes that arrived twice."""
    limiter: str = ""
    """What holds the scene back: link, cpu, cap, or complete."""

    def measures(self) -> dict[str, float]:
        """The figures by name, as they go to the server."""
        values = asdict(self)
        return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}


Listener = Callable[[Milestone | Status], None]
"""Called on the event loop's thread."""


class Teller:
    """Tells a listener, with the time since the offer. Call it on the event loop's thread."""

    def __init__(self, listen: Listener, clock: Clock) -> None:
        self._listen, self._clock = listen, clock
        self._offered_s: float | None = None
        self._levels: set[int] = set()

    def offered(self) -> None:
        """The offer is on its way: time counts from here."""
        self._offered_s = self._clock.now()

    def since_offer_s(self, time_s: float | None) -> float | None:
        """``time_s`` on the clock as seconds since the offer; None stays None."""
        return None if time_s is None or self._offered_s is None else time_s - self._offered_s

    def say(self, kind: Kind, text: str) -> None:
        """Tells of something that happened now."""
        self._listen(Milestone(kind, self.since_offer_s(self._clock.now()), text))

    def status(self, status: Status) -> None:
        """Tells where the session stands."""
        self._listen(status)

    def follow(self, snapshot: Snapshot, preamble: Preamble) -> None:
        """Tells of every level that ``snapshot`` is the first to have in full, and of the last chunk."""
        totals = Counter(chunk.level for chunk in preamble.chunks)
        for level in sorted(set(totals) - self._levels, reverse=True):
            if snapshot.chunks_by_level[level] == totals[level]:
                self._levels.add(level)
                self.say("level", f"level {level} complete: {_amount(snapshot)}")
                if len(self._levels) == len(totals):
                    self.say("complete", f"scene complete: {_amount(snapshot)}")


def _amount(snapshot: Snapshot) -> str:
    return f"{snapshot.bytes_received:,} bytes received, {snapshot.splats:,} splats drawn"
