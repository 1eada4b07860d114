"""How each session stands, for those who run the server. Nothing here tells who a viewer is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from exgs.protocol import Endpoint, Limiter
from exgs.protocol.channels import CHANNELS


@dataclass(frozen=True)
class SessionReport:
    """How one session stands."""

    name: str
    """What it is called in logs and figures; it opens nothing."""
    age_s: float
    """Since it was let in."""
    carrier: str
    """``webrtc`` or ``websocket``."""
    scene: str
    """What it watches; empty before it asked for one."""
    state: str
    """``idle`` before it asked, then as the viewer was told: ``preparing``, ``streaming``, ``complete`` or
    ``refused``."""
    chunks: int
    """Chunks of the scene; 0 where unknown yet."""
    chunks_sent: int
    """Chunks of that scene handed over in this session."""
    bytes_sent: int
    """Their bytes."""
    delivered_bytes_per_s: float
    """Scene bytes that the viewer confirmed, over the last second."""
    unacknowledged_bytes: int
    """Scene bytes under way."""
    limiter: str
    """What holds the scene back: ``link``, ``credit``, ``cap``, ``upload``, ``silence``, ``cpu`` or
    ``complete``; empty before it asked for one."""
    rtt_ms: float | None
    """Round trip; None before it was measured."""
    jitter_ms: float
    """How much one round trip differs from the next."""
    loss: float
    """Share of the viewer's newest signs of life that did not arrive."""
    links: int
    """Connections for scene data beside the first."""
    link_bytes: tuple[int, ...]
    """Bytes of scene messages handed to each connection, 0 to 4."""
    link_delays_ms: tuple[float | None, ...]
    """On each of them from a fragment's leaving to the receipt for it; None where nothing went."""
    repeated_bytes: int
    """Scene bytes sent twice, since the connection that had them was lost or stalled."""
    viewer: dict[str, float]
    """The viewer's own newest figures, where it reports any."""


class Standing:
    """Kept up to date by one session as it goes on."""

    def __init__(self, name: str, carrier: str = "") -> None:
        self.name, self.carrier = name, carrier
        self.scene, self.state = "", "idle"
        self.chunks = self.chunks_sent = self.bytes_sent = 0
        self.in_line = False
        """Whether it waits for its turn at an upload that all share."""
        self.viewer: Mapping[str, float] = {}
        self._began_s = time.monotonic()

    def watches(self, scene: str) -> None:
        """The viewer asked for a scene."""
        self.scene = scene
        self.chunks = self.chunks_sent = self.bytes_sent = 0

    def sent(self, size_bytes: int) -> None:
        """A chunk was handed over."""
        self.chunks_sent += 1
        self.bytes_sent += size_bytes

    def limiter(self, endpoint: Endpoint, *, remaining: bool) -> str:
        """What holds the scene back, where chunks are ``remaining`` to be sent or not."""
        name = limiter_name(endpoint.limiter, remaining=remaining)
        return "upload" if name == "cpu" and self.in_line else name

    def report(self, endpoint: Endpoint, *, shown: tuple[str, ...]) -> SessionReport:
        """How the session stands now; of the viewer's figures those named in ``shown``."""
        path, rtt_s = endpoint.path, endpoint.rtt_s
        return SessionReport(
            name=self.name,
            age_s=time.monotonic() - self._began_s,
            carrier=self.carrier,
            scene=self.scene,
            state=self.state,
            chunks=self.chunks,
            chunks_sent=self.chunks_sent,
            bytes_sent=self.bytes_sent,
            delivered_bytes_per_s=endpoint.delivered_bytes_per_s,
            unacknowledged_bytes=endpoint.unacknowledged_bytes,
            limiter=self.limiter(endpoint, remaining=self.state != "complete") if self.chunks else "",
            rtt_ms=None if rtt_s is None else 1000 * rtt_s,
            jitter_ms=1000 * path.jitter_s,
            loss=path.loss,
            links=path.links,
            link_bytes=_by_link(endpoint),
            link_delays_ms=tuple(None if at is None else round(1000 * at, 3) for at in path.link_delays_s),
            repeated_bytes=path.repeated_bytes,
            viewer={measure: self.viewer[measure] for measure in shown if measure in self.viewer},
        )


def limiter_name(limiter: Limiter, *, remaining: bool) -> str:
    """What holds a scene back, where chunks are ``remaining`` to be sent or not."""
    if limiter is not Limiter.OWNER:
        return limiter.value
    return "cpu" if remaining else "complete"


def _by_link(endpoint: Endpoint) -> tuple[int, ...]:
    """Bytes of messages handed to the scene channel of each connection."""
    sent = endpoint.bytes_sent
    return tuple(sent[spec.channel] for spec in CHANNELS if spec.label.startswith("exgs.scene."))
