"""One end of a session, without sockets or a clock."""

from __future__ import annotations

from exgs.protocol.channels import Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.events import Event
from exgs.protocol.messages import Message
from exgs.protocol.vocabulary import CloseCode, Role, State


class Connection:
    """What may be said, by whom, and when.

    The owner feeds it what arrives and the time, takes events and bytes out, and calls back at
    ``next_deadline``. Times are seconds on any clock that only grows. Nothing a peer sends makes a method
    raise: a peer that breaks a rule is told Goodbye, and the event Closed says why. LocalProtocolError is
    raised for mistakes of the owner.
    """

    def __init__(self, role: Role, config: ConnectionConfig | None = None) -> None:
        raise NotImplementedError

    role: Role
    """Which end this is."""
    state: State
    """Where it stands."""

    def start(self, now_s: float) -> None:
        """The transport is up: the client greets, the server awaits the greeting."""
        raise NotImplementedError

    def receive(self, channel: Channel, data: bytes, now_s: float) -> None:
        """One whole message arrived on ``channel``."""
        raise NotImplementedError

    def transport_lost(self, reason: str, now_s: float) -> None:
        """The transport broke or was closed below."""
        raise NotImplementedError

    def next_event(self, now_s: float) -> Event | None:
        """The oldest event that was not taken yet; None when there is none. Taking a chunk returns credit."""
        raise NotImplementedError

    def send(self, message: Message, now_s: float) -> None:
        """Says ``message``; the channel follows from its type.

        Raises:
            LocalProtocolError: this side may not say it now, or a field is out of its range.
        """
        raise NotImplementedError

    def send_manifest(self, scene: int, data: bytes, now_s: float) -> None:
        """Queues a scene's preamble, ahead of its chunks (server, open)."""
        raise NotImplementedError

    def send_chunk(self, scene: int, chunk: int, data: bytes, now_s: float) -> None:
        """Queues one chunk (server, open, the scene's manifest queued before). Ask ``wants_chunk`` first."""
        raise NotImplementedError

    def wants_chunk(self, now_s: float) -> bool:
        """Whether there is room for one more chunk now: choose it as late as this."""
        raise NotImplementedError

    def drop_queued_chunks(self, scene: int) -> tuple[int, ...]:
        """Takes back the chunks of ``scene`` of which no byte has left yet; gives their ids."""
        raise NotImplementedError

    def close(self, code: CloseCode, reason: str, now_s: float) -> None:
        """Says Goodbye. Closed follows as an event at once; the goodbye leaves with ``messages_to_send``."""
        raise NotImplementedError

    def set_scene_channels(self, channels: tuple[Channel, ...]) -> None:
        """Which scene channels are up; fragments are spread over them. SCENE_0 alone at first."""
        raise NotImplementedError

    def set_buffered(self, channel: Channel, n_bytes: int) -> None:
        """How many bytes the transport holds unsent for ``channel``."""
        raise NotImplementedError

    def messages_to_send(self, now_s: float) -> list[tuple[Channel, bytes]]:
        """What the transport shall send now, in this order. Each message is given once."""
        raise NotImplementedError

    def next_deadline(self) -> float | None:
        """When ``handle_deadline`` wants to be called; None for never."""
        raise NotImplementedError

    def handle_deadline(self, now_s: float) -> None:
        """Does what time demands: beats, receipts, time-outs. Harmless when called early."""
        raise NotImplementedError

    @property
    def rtt_s(self) -> float | None:
        """Smoothed round trip by beats; None before the first echo."""
        raise NotImplementedError

    @property
    def delivered_bytes_per_s(self) -> float:
        """Goodput of scene bytes over the last second, by receipts (server) or arrivals (client)."""
        raise NotImplementedError

    @property
    def unacknowledged_bytes(self) -> int:
        """Scene bytes sent or queued and not yet receipted (server)."""
        raise NotImplementedError

    @property
    def credit_bytes(self) -> int:
        """How many bytes may be un-acknowledged now (server)."""
        raise NotImplementedError
