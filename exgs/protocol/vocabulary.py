"""The words of a session, read first: roles, states, close codes, and every limit by name."""

from __future__ import annotations

import enum

VERSION = 1
"""Major version of the protocol that this code speaks; a session agrees on the highest that both speak."""

# What one message may weigh.
FRAGMENT_BYTES = (
    16200  # with its header 16,215 bytes: fourteen whole SCTP packets of aiortc, no crumb after them
)
MAX_CHUNK_BYTES = 1 << 20
MAX_MANIFEST_BYTES = 16 << 20
MAX_SDP_BYTES = 32768

# How many things one message may name.
MAX_VERSIONS = 16
MAX_CAPABILITIES = 32
MAX_SCENES = 256
MAX_SCENE = 65535
MAX_CHUNKS = 1 << 18
MAX_RECEIPT_CHUNKS = 1024
MAX_MEASURES = 64
MAX_LINKS = 4
MAX_EXTRA_FIELDS = 16

# How long a text may be, in bytes of UTF-8.
MAX_WORD_BYTES = 64
MAX_NAME_BYTES = 128
MAX_REASON_BYTES = 512
MAX_TOKEN_BYTES = 64
MAX_DIGEST_BYTES = 32

# What may be under way: chunks sent and not yet taken by the other side.
MAX_OPEN_CHUNKS = 2048
MAX_HELD_BYTES = 40 << 20
MAX_CONTROL_BACKLOG_BYTES = 1 << 20


class Role(enum.Enum):
    """The two ends of a session."""

    CLIENT = "client"
    """Speaks first, shows the scene."""
    SERVER = "server"
    """Has the scenes."""

    @property
    def peer(self) -> Role:
        """The other end."""
        return Role.SERVER if self is Role.CLIENT else Role.CLIENT


class State(enum.Enum):
    """Where a connection stands."""

    NEW = "new"
    """The transport is not up yet."""
    GREETING = "greeting"
    """The transport is up; Hello and Welcome are under way."""
    OPEN = "open"
    """Everything may be said."""
    CLOSING = "closing"
    """Goodbye is said here and waits to leave; what arrives is ignored."""
    CLOSED = "closed"
    """Nothing more is said or heard."""


class CloseCode(enum.IntEnum):
    """Why a session ended. Numbers that are not listed are read as INTERNAL."""

    NORMAL = 1
    """Somebody had enough."""
    GOING_AWAY = 2
    """The server stops or the client leaves; coming back later may work."""
    REFUSED = 3
    """The server takes no further session."""
    UNSUPPORTED_VERSION = 4
    """No version is spoken by both."""
    MALFORMED = 5
    """A message could not be read or a value was out of its range."""
    TOO_LARGE = 6
    """A length was beyond its limit."""
    VIOLATION = 7
    """A message came at the wrong time, from the wrong side or on the wrong channel."""
    FLOOD = 8
    """Messages came faster than the limit allows."""
    TIMEOUT = 9
    """The session did not open in time, or the peer fell silent."""
    TRANSPORT_LOST = 10
    """The transport broke; never sent, only told to the caller."""
    INTERNAL = 11
    """A fault of the side that closes."""


class SceneState(enum.IntEnum):
    """What became of a scene that the client asked for."""

    PREPARING = 1
    """Being read or encoded; ``progress`` grows to 1."""
    STREAMING = 2
    """Its manifest and chunks are on their way."""
    COMPLETE = 3
    """Every chunk was sent."""
    REFUSED = 4
    """It cannot be had; ``detail`` says why."""
    CONTINUING = 5
    """Its chunks go on: the client's manifest is the server's, which sends none, and no chunk of ``have``."""
