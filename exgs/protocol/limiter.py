"""What holds scene data back."""

from __future__ import annotations

import enum
from dataclasses import dataclass

_MEMORY_S = 1.0


@dataclass(frozen=True)
class PathFigures:
    """What one end knows of the way to the other."""

    rtt_s: float | None
    """Smoothed round trip of connection 0; None before it was measured."""
    jitter_s: float
    """Smoothed difference between one round trip and the next."""
    loss: float
    """Share of the peer's last 256 beats that did not arrive on connection 0."""
    links: int
    """Connections for scene data that are up beside the first."""
    repeated_bytes: int
    """Scene bytes sent twice (server), or that arrived twice (client)."""
    link_delays_s: tuple[float | None, ...] = ()
    """Server: from a fragment's leaving to the receipt for it, on connection 0 and those that follow."""


class Limiter(enum.Enum):
    """Why no more is sent than is."""

    LINK = "link"
    """Every link has as much unsent as it may have: the network is what it waits for."""
    CREDIT = "credit"
    """The client has not taken what was sent: it is slow, or far away."""
    CAP = "cap"
    """The rate that the client allows."""
    SILENCE = "silence"
    """Nothing is heard of the client."""
    OWNER = "owner"
    """None of these: nothing is left to send, or this side is too slow."""


class LimiterMeter:
    """Which limiter acted longest lately: time counts for less the longer ago it is."""

    def __init__(self) -> None:
        self._weights = dict.fromkeys(Limiter, 0.0)
        self._current = Limiter.OWNER
        self._at_s: float | None = None

    def note(self, limiter: Limiter, now_s: float) -> None:
        """From now on ``limiter`` acts."""
        elapsed_s = 0.0 if self._at_s is None else max(0.0, now_s - self._at_s)
        fade = _MEMORY_S / (_MEMORY_S + elapsed_s)
        for name in self._weights:
            self._weights[name] *= fade
        self._weights[self._current] += elapsed_s
        self._current, self._at_s = limiter, now_s

    @property
    def longest(self) -> Limiter:
        """The one that acted most; OWNER before anything happened."""
        return max(self._weights, key=lambda name: (self._weights[name], name is self._current))
