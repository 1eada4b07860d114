"""In what senders differ: the sizes of their packets, and how they treat their windows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Weights:
    """Bytes of packets, without the headers of UDP and IP, which the link adds."""

    payload: int
    """Of a message in one packet, at most."""
    header: int
    """Of any packet."""
    piece: int
    """Besides, where it carries a piece of a message."""
    acknowledgement: int
    """Besides, where it is an acknowledgement."""
    gap: int
    """Besides, for each run of pieces beyond a gap."""


SCTP_WEIGHTS = Weights(payload=1160, header=12 + 37, piece=16, acknowledgement=16, gap=4)
"""An association over DTLS."""
TCP_WEIGHTS = Weights(payload=1448, header=12 + 12, piece=0, acknowledgement=0, gap=8)
"""A TCP connection with timestamps, beyond the eight bytes of a UDP header."""


@dataclass(frozen=True)
class Habits:
    """In which a sender differs from another."""

    weights: Weights
    """Of its packets."""
    first_window: int
    """Packets that may be under way at first."""
    burst: int
    """Packets that leave at a time."""
    recovery_burst: int
    """Packets that leave at a time until a loss is mended."""
    first_rto_s: float
    """How long it waits for an acknowledgement before it knows the path."""
    least_rto_s: float
    """How long it waits at least."""
    patience: float
    """By what the wait grows each time that nothing comes."""
    forgives: bool
    """A piece that was sent again is missed only by acknowledgements of what left after that."""
    first_threshold: int = 1 << 20
    """Slow start goes on up to this many bytes: what the peer says it can hold."""


SCTP = Habits(SCTP_WEIGHTS, 3, 4, 2, first_rto_s=3.0, least_rto_s=1.0, patience=1.0, forgives=False)
"""The association of a peer connection here."""
TCP = Habits(TCP_WEIGHTS, 10, 1 << 20, 1 << 20, first_rto_s=1.0, least_rto_s=0.2, patience=2.0, forgives=True)
"""As systems have it; on links such as these CUBIC keeps to the pace of a window that is halved."""
