"""An in-memory pair of transports, as good or bad as its link."""

from __future__ import annotations

from dataclasses import dataclass

from exgs.protocol.transport import Transport


@dataclass(frozen=True)
class LinkModel:
    """How one direction of a link behaves."""

    delay_s: float = 0.0
    """One way."""
    bytes_per_s: float = float("inf")
    """Rate; what does not fit waits."""
    loss: float = 0.0
    """Share of messages lost: gone on the pose channel, late by ``retransmit_s`` on the others."""
    retransmit_s: float = 0.2
    """How much later a lost message of a reliable channel arrives."""
    seed: int = 0
    """Of the losses."""


def loopback_pair(up: LinkModel | None = None, down: LinkModel | None = None) -> tuple[Transport, Transport]:
    """(client's, server's) transports on the running event loop; perfect links where none are given."""
    raise NotImplementedError
