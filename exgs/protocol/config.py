"""The settings of a connection."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from exgs.protocol.vocabulary import VERSION


@dataclass(frozen=True)
class ConnectionConfig:
    """How one end of a session behaves. The defaults are those of docs/protocol.md."""

    agent: str = "exgs"
    """Name and version of this program, told to the peer."""
    versions: tuple[int, ...] = (VERSION,)
    """Major versions spoken here."""
    capabilities: tuple[str, ...] = ()
    """What this side can do beyond the version."""
    session: str = ""
    """Server: name of the session, told to the client."""
    resume_token: bytes = b""
    """Server: secret for coming back. Client: the secret of the session to continue."""
    resumable: Container[bytes] = ()
    """Server: knows the tokens of earlier sessions that this one may continue."""
    open_timeout_s: float = 10.0
    """The greeting must be over this long after ``start``."""
    pause_after_s: float = 3.0
    """Bulk pauses after this much silence of the peer."""
    silent_timeout_s: float = 10.0
    """The session ends after this much silence of the peer."""
    closing_timeout_s: float = 1.0
    """How long a Goodbye may wait to leave."""
    beat_s: float = 0.5
    """Between beats when nothing is outstanding."""
    busy_beat_s: float = 1 / 30
    """Between beats while a control message of this side is not acknowledged."""
    receipt_s: float = 0.05
    """Between receipts."""
    busy_receipt_s: float = 0.02
    """Between receipts where 32 KiB have arrived since the last."""
    high_water_bytes: int = 64 << 10
    """No fragment is handed to a link with this much unsent."""
    low_water_bytes: int = 32 << 10
    """A link that was full takes fragments again once it has less than this unsent."""
    min_window_bytes: int = 64 << 10
    """A scene channel may always have this much under way that the client has not reported."""
    stall_s: float = 4.0
    """A scene channel on which nothing arrives for this long is used no more until something does."""
    max_links: int = 4
    """Connections for scene data beyond the first: how many the client proposes, and the server takes."""
    grow_after_s: float = 0.5
    """Scene data flows this long before the client proposes the first of them."""
    settle_s: float = 0.75
    """After one is up, this long passes before the next is proposed."""
    min_credit_bytes: int = 2 << 20
    """Un-acknowledged scene bytes that are always allowed."""
    max_credit_bytes: int = 32 << 20
    """Un-acknowledged scene bytes that are never exceeded, however fast the link."""
    control_rate_hz: float = 200.0
    """Control messages per second that a peer may send in the long run."""
    pose_rate_hz: float = 500.0
    """View updates and beats per second that a peer may send in the long run."""
