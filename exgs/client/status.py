"""Where a session stands: the figures of its live display, of its log and of the server's dashboard."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from exgs.client.levels import LevelShare
from exgs.painter import Verdict

State = Literal["connecting", "open", "silent", "reconnecting", "lost", "ended"]


@dataclass(frozen=True)
class LinkShare:
    """What one connection brings of the scene."""

    link: int
    """Number of the connection: 0 has control and poses too, 1 to 4 are for scene data."""
    bytes_received: int
    """Scene messages that arrived on it."""
    bytes_per_s: float
    """Of these, over the last second or so."""


@dataclass(frozen=True)
class Status:
    """Where a session stands; told a few times a second."""

    at_s: float
    """Seconds since the offer was sent."""
    scene: str = ""
    """Name of the scene."""
    state: State = "open"
    """``connecting`` (what there is to see came before), ``open``, ``silent`` (nothing is heard of the
    server), ``reconnecting``, ``lost`` for good, or ``ended`` as was wanted."""
    carrier: str = ""
    """What carries the session: webrtc or websocket."""
    reconnects: int = 0
    """How often a lost connection was made again."""
    answered_s: float | None = None
    """When the server had answered the offer; None where that was not noticed."""
    connected_s: float | None = None
    """When the session was open."""
    manifest_s: float | None = None
    """When the list of chunks was there."""
    first_chunk_s: float | None = None
    """When the first chunk had arrived; None before."""
    first_frame_s: float | None = None
    """When the first picture was shown; None before."""
    complete_s: float | None = None
    """When the last chunk had been decoded; None before."""
    bytes_received: int = 0
    """Bytes of the scene, manifest included."""
    bytes_expected: int = 0
    """Bytes of the whole scene."""
    redundant_bytes: int = 0
    """Scene bytes that arrived twice."""
    goodput_bytes_per_s: float = 0.0
    """Scene bytes delivered over the last second."""
    limiter: str = ""
    """What holds the scene back: link, cpu, cap, budget, silence or complete."""
    rtt_ms: float | None = None
    """Round trip of connection 0; None before it was measured."""
    jitter_ms: float = 0.0
    """How much one round trip differs from the next."""
    loss: float = 0.0
    """Share of the server's newest beats on connection 0 that did not arrive, 0 to 1."""
    links: int = 0
    """Connections for scene data beside the first."""
    connections: tuple[LinkShare, ...] = ()
    """What each connection brings; those that never brought anything are left out."""
    levels: tuple[LevelShare, ...] = ()
    """What is here of each level, finest first."""
    chunks: int = 0
    """Chunks that are held, decoded."""
    chunks_expected: int = 0
    """Chunks the manifest names."""
    chunks_corrupt: int = 0
    """Chunks that could not be decoded."""
    decode_waiting_bytes: int = 0
    """Bytes of chunks that wait to be decoded."""
    splats: int = 0
    """Splats that are drawn."""
    splats_visible: int = 0
    """Of these, about how many have their centre in view."""
    splats_resident: int = 0
    """Splats of all levels that are held."""
    splats_budget: int = 0
    """The most that may be held; 0 for no bound."""
    frames_shown: int = 0
    """Pictures shown."""
    frames_late: int = 0
    """Of those, how many were late."""
    frames_stale: int = 0
    """Of those, how many a newer snapshot had overtaken."""
    frames_dropped: int = 0
    """Ticks without a picture of their own."""
    frame_ms_p50: float = 0.0
    """Median time from pose to display, over the newest 256 pictures."""
    frame_ms_p95: float = 0.0
    """95th percentile of the same."""
    restorer: str = "off"
    """What repairs pictures."""
    restoration: Verdict = "off"
    """What it did with the newest one."""
    frames_restored: int = 0
    """Pictures that it repaired."""

    def measures(self) -> dict[str, float]:
        """The plain figures by name, as they go to the server."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {name: float(value) for name, value in values.items() if isinstance(value, int | float)}

    def to_json(self) -> dict[str, Any]:
        """Plain values, named as the fields are; times and rates to the microsecond and the like."""
        return {name: _rounded(value) for name, value in asdict(self).items()}


class LinkMeter:
    """Rates of connections, from how much each has brought so far."""

    WINDOW_S = 1.0
    """Rates are over at least this long, once that much has gone by."""

    def __init__(self) -> None:
        self._past: list[tuple[float, tuple[int, ...]]] = []

    def note(self, now_s: float, received: tuple[int, ...]) -> tuple[LinkShare, ...]:
        """Takes what connections 0, 1, ... have brought by ``now_s``, and gives those that brought anything.

        A smaller number than before is that of a new session: counting begins anew.
        """
        if self._past and any(new < old for new, old in zip(received, self._past[-1][1], strict=True)):
            self._past.clear()
        self._past.append((now_s, received))
        while len(self._past) > 2 and now_s - self._past[1][0] >= self.WINDOW_S:
            del self._past[0]
        since_s, before = self._past[0]
        span_s = now_s - since_s
        rates = [
            (new - old) / span_s if span_s > 0 else 0.0 for new, old in zip(received, before, strict=True)
        ]
        return tuple(
            LinkShare(i, n, rate) for i, (n, rate) in enumerate(zip(received, rates, strict=True)) if n
        )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {name: _rounded(entry) for name, entry in value.items()}
    return [_rounded(entry) for entry in value] if isinstance(value, tuple | list) else value
