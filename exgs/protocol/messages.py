"""Everything the two ends may say to each other, as frozen dataclasses.

Each field is declared with its bounds; ``wire`` turns messages into bytes and back, ``rules`` says who may
say what, when, on which channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from exgs.protocol.fields import (
    Blob,
    Flag,
    Integer,
    Listing,
    Measures,
    Number,
    Quaternion,
    Record,
    Text,
    Vector,
    declared,
)
from exgs.protocol.vocabulary import (
    FRAGMENT_BYTES,
    MAX_CAPABILITIES,
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_DIGEST_BYTES,
    MAX_LINKS,
    MAX_MANIFEST_BYTES,
    MAX_MEASURES,
    MAX_NAME_BYTES,
    MAX_REASON_BYTES,
    MAX_RECEIPT_CHUNKS,
    MAX_SCENE,
    MAX_SCENES,
    MAX_SDP_BYTES,
    MAX_TOKEN_BYTES,
    MAX_VERSIONS,
    MAX_WORD_BYTES,
)

_U16, _U32, _U64 = (1 << 16) - 1, (1 << 32) - 1, (1 << 64) - 1
_COORDINATE = 1e7


class Message:
    """Anything that may be said."""


@dataclass(frozen=True)
class Hello(Message):
    """The client's first word. The token that lets it in is no part of it: that belongs to signalling."""

    versions: tuple[int, ...] = declared(Listing(Integer(1, _U16), MAX_VERSIONS))
    """Major versions the client speaks."""
    capabilities: tuple[str, ...] = declared(Listing(Text(MAX_WORD_BYTES), MAX_CAPABILITIES), default=())
    """What the client can do beyond the version, by name."""
    agent: str = declared(Text(MAX_NAME_BYTES), default="")
    """Name and version of the program, for logs."""
    resume_token: bytes = declared(Blob(MAX_TOKEN_BYTES), default=b"")
    """Token of an earlier Welcome whose session this one continues; empty for a new session."""


@dataclass(frozen=True)
class Welcome(Message):
    """The server's answer to Hello; both are open now."""

    version: int = declared(Integer(1, _U16))
    """The major version that is spoken from here on."""
    capabilities: tuple[str, ...] = declared(Listing(Text(MAX_WORD_BYTES), MAX_CAPABILITIES), default=())
    """What the server can do beyond the version, by name."""
    agent: str = declared(Text(MAX_NAME_BYTES), default="")
    """Name and version of the program, for logs."""
    session: str = declared(Text(MAX_WORD_BYTES), default="")
    """Name of the session in the server's logs; not a secret."""
    resume_token: bytes = declared(Blob(MAX_TOKEN_BYTES), default=b"")
    """Secret that lets a later Hello continue this session; empty where the server cannot."""
    resumed: bool = declared(Flag(), default=False)
    """Whether the session of Hello's resume token was found and goes on."""


@dataclass(frozen=True)
class SceneInfo:
    """One scene of the server's catalogue."""

    scene: int = declared(Integer(0, MAX_SCENE))
    """Its number in this session."""
    name: str = declared(Text(MAX_NAME_BYTES))
    """Its name, unique in the list."""
    size_bytes: int = declared(Integer(0, _U64), default=0)
    """Bytes of its preamble and all its chunks; 0 where it is not encoded yet."""
    splats: int = declared(Integer(0, _U64), default=0)
    """Gaussians of its finest level; 0 where unknown."""
    ready: bool = declared(Flag(), default=True)
    """Whether it can be streamed at once; else it is encoded when first asked for."""


@dataclass(frozen=True)
class SceneList(Message):
    """What the server has. May be said again when it changes."""

    scenes: tuple[SceneInfo, ...] = declared(Listing(Record(SceneInfo), MAX_SCENES))
    """The scenes, in the order of the catalogue."""


@dataclass(frozen=True)
class OpenScene(Message):
    """The client wants this scene; a scene that was open before ends."""

    scene: int = declared(Integer(0, MAX_SCENE))
    """Number of the scene in the list."""
    have: bytes = declared(Blob(MAX_CHUNKS // 8), default=b"")
    """Bitmap of the chunks the client already has, chunk 8 i + b in bit b (lowest first) of byte i."""
    manifest: bytes = declared(Blob(MAX_DIGEST_BYTES), default=b"")
    """SHA-256 of the preamble that ``have`` belongs to; empty where the client has none."""


@dataclass(frozen=True)
class SceneStatus(Message):
    """What became of an opened scene."""

    scene: int = declared(Integer(0, MAX_SCENE))
    """Number of the scene."""
    state: int = declared(Integer(0, 255))
    """A SceneState; unknown ones are to be ignored."""
    progress: float = declared(Number(0, 1), default=0.0)
    """How far the state is done, 0 to 1."""
    detail: str = declared(Text(MAX_REASON_BYTES), default="")
    """A line for the user."""


@dataclass(frozen=True)
class Preferences(Message):
    """What the user wants of the session; the newest counts, at once."""

    max_bytes_per_s: int = declared(Integer(0, _U64), default=0)
    """Rate the client allows; 0 for no bound."""
    max_splats: int = declared(Integer(0, _U64), default=0)
    """Gaussians the client can hold; 0 for no bound."""


@dataclass(frozen=True)
class Forgotten(Message):
    """The client has let go of chunks that it had taken, to make room: they may be sent again."""

    scene: int = declared(Integer(0, MAX_SCENE))
    """Number of the scene; what is said of any but the open one counts for nothing."""
    chunks: tuple[int, ...] = declared(Listing(Integer(0, MAX_CHUNKS - 1), MAX_RECEIPT_CHUNKS))
    """Ids of the chunks."""


@dataclass(frozen=True)
class ManifestFragment(Message):
    """A piece of the opened scene's preamble."""

    opening: int = declared(Integer(0, _U16))
    """Which OpenScene of the session this answers: they count from 1, modulo 2^16."""
    offset: int = declared(Integer(0, MAX_MANIFEST_BYTES))
    """Where the piece begins, a multiple of FRAGMENT_BYTES."""
    total: int = declared(Integer(1, MAX_MANIFEST_BYTES))
    """Bytes of the whole preamble."""
    payload: bytes = declared(Blob(FRAGMENT_BYTES))
    """The piece: FRAGMENT_BYTES, the last one what is left."""


@dataclass(frozen=True)
class ChunkFragment(Message):
    """A piece of a chunk of the opened scene."""

    opening: int = declared(Integer(0, _U16))
    """Which OpenScene of the session this answers."""
    chunk: int = declared(Integer(0, MAX_CHUNKS - 1))
    """Id of the chunk."""
    offset: int = declared(Integer(0, MAX_CHUNK_BYTES))
    """Where the piece begins, a multiple of FRAGMENT_BYTES."""
    total: int = declared(Integer(1, MAX_CHUNK_BYTES))
    """Bytes of the whole chunk."""
    payload: bytes = declared(Blob(FRAGMENT_BYTES))
    """The piece: FRAGMENT_BYTES, the last one what is left."""


@dataclass(frozen=True)
class Receipt(Message):
    """The client has received and taken this: it returns credit, and says what the client has."""

    opening: int = declared(Integer(0, _U16))
    """Which OpenScene the chunks answer."""
    taken_bytes: int = declared(Integer(0, _U64))
    """Payload bytes of manifests received and of chunks taken since the session began."""
    chunks: tuple[int, ...] = declared(Listing(Integer(0, MAX_CHUNKS - 1), MAX_RECEIPT_CHUNKS), default=())
    """Chunks taken since the last receipt."""
    arrived_bytes: tuple[int, ...] = declared(Listing(Integer(0, _U64), MAX_LINKS + 1), default=())
    """Payload bytes that arrived on each scene channel since the session began, SCENE_0 first."""


@dataclass(frozen=True)
class ViewUpdate(Message):
    """Where the head is and where it goes, in scene coordinates; the newest counts."""

    sequence: int = declared(Integer(0, _U32))
    """Grows by one with each update."""
    client_time_us: int = declared(Integer(0, _U64))
    """When the pose was sampled, on the client's own clock."""
    position: tuple[float, float, float] = declared(Vector(3, _COORDINATE))
    """Head position, in the scene's units."""
    orientation: tuple[float, float, float, float] = declared(Quaternion())
    """Unit quaternion wxyz, world from head; the head looks along its z, x is right, y is down."""
    fov_rad: tuple[float, float] = declared(Vector(2, 6.3))
    """Full horizontal and vertical field of view over both eyes."""
    height_px: int = declared(Integer(0, _U16), default=0)
    """Rows of the picture shown, for errors in pixels; 0 where unknown."""
    linear_velocity: tuple[float, float, float] = declared(Vector(3, _COORDINATE), default=(0.0, 0.0, 0.0))
    """Units per second."""
    angular_velocity: tuple[float, float, float] = declared(Vector(3, 1e4), default=(0.0, 0.0, 0.0))
    """Axis times radians per second, in world axes."""


@dataclass(frozen=True)
class Statistics(Message):
    """Figures of the client for the server's dashboard."""

    values: Mapping[str, float] = declared(Measures(MAX_MEASURES, MAX_WORD_BYTES))
    """Numbers by name, the unit in the suffix: ``frames_shown``, ``decode_ms_p95``."""


@dataclass(frozen=True)
class Beat(Message):
    """A sign of life: measures the round trip and acknowledges control messages."""

    sent_us: int = declared(Integer(0, _U64))
    """The sender's clock."""
    echo_us: int = declared(Integer(0, _U64), default=0)
    """``sent_us`` of the newest beat heard from the peer; 0 for none."""
    held_us: int = declared(Integer(0, _U32), default=0)
    """How long ago that beat arrived."""
    control_heard: int = declared(Integer(0, _U32), default=0)
    """Control messages received so far, modulo 2^32."""
    said: int = declared(Integer(0, _U32), default=0)
    """Beats said so far, this one among them, modulo 2^32."""


@dataclass(frozen=True)
class LinkOffer(Message):
    """The client proposes a further peer connection for scene data."""

    link: int = declared(Integer(1, MAX_LINKS))
    """Which one."""
    sdp: str = declared(Text(MAX_SDP_BYTES))
    """Its SDP offer."""


@dataclass(frozen=True)
class LinkAnswer(Message):
    """The server's answer to LinkOffer."""

    link: int = declared(Integer(1, MAX_LINKS))
    """Which one."""
    sdp: str = declared(Text(MAX_SDP_BYTES), default="")
    """Its SDP answer; empty where the server wants no such connection."""


@dataclass(frozen=True)
class Goodbye(Message):
    """The last word."""

    code: int = declared(Integer(0, _U16))
    """A CloseCode."""
    reason: str = declared(Text(MAX_REASON_BYTES), default="")
    """A line for the log."""
