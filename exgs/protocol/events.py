"""What a connection tells its owner.

Besides these, the messages that the owner must act on come as they are: SceneList and SceneStatus at the
client; OpenScene, Preferences, Forgotten, ViewUpdate and Statistics at the server. A ViewUpdate wakes nobody:
who wants the newest when it is needed reads ``Connection.view``.
"""

from __future__ import annotations

from dataclasses import dataclass

from exgs.protocol.messages import (
    Forgotten,
    OpenScene,
    Preferences,
    SceneList,
    SceneStatus,
    Statistics,
    ViewUpdate,
)
from exgs.protocol.vocabulary import CloseCode


@dataclass(frozen=True)
class Opened:
    """The greeting is over; everything may be said. The first event of every session that succeeds."""

    version: int
    """Major version that is spoken."""
    agent: str
    """The peer's program."""
    capabilities: tuple[str, ...]
    """What both sides can do beyond the version."""
    session: str
    """The server's name for the session."""
    resume_token: bytes
    """At the client: the secret for coming back. At the server: the one that the client showed."""
    resumed: bool
    """Whether an earlier session goes on."""


@dataclass(frozen=True)
class ManifestReceived:
    """The whole preamble of a scene. Always comes before any chunk of that scene."""

    scene: int
    """Number of the scene."""
    data: bytes
    """The preamble as the server sent it."""


@dataclass(frozen=True)
class ChunkReceived:
    """A whole chunk. Taking this event from the connection returns its bytes as credit to the server."""

    scene: int
    """Number of the scene."""
    chunk: int
    """Id of the chunk."""
    data: bytes
    """The chunk as the server sent it."""


@dataclass(frozen=True)
class ChunksDelivered:
    """The client has taken these chunks (server only)."""

    scene: int
    """Number of the scene."""
    chunks: tuple[int, ...]
    """Ids of the chunks."""


@dataclass(frozen=True)
class PeerSilent:
    """Nothing was heard for a while: bulk is paused until PeerHeard or Closed."""

    silent_s: float
    """For how long."""


@dataclass(frozen=True)
class PeerHeard:
    """The peer speaks again after PeerSilent."""


@dataclass(frozen=True)
class Closed:
    """The session is over; the last event, always and exactly once."""

    code: CloseCode
    """Why."""
    reason: str
    """A line for the log; what a peer wrote is shortened and not to be trusted."""
    by_peer: bool
    """Whether the peer said goodbye, rather than this side or the transport."""


Event = (
    Opened
    | SceneList
    | OpenScene
    | SceneStatus
    | Preferences
    | Forgotten
    | ViewUpdate
    | Statistics
    | ManifestReceived
    | ChunkReceived
    | ChunksDelivered
    | PeerSilent
    | PeerHeard
    | Closed
)
"""Everything that ``Connection.next_event`` can give."""
