"""What may be said, by whom, and when."""

from exgs.protocol.channels import CHANNELS, SCENE_CHANNELS, Channel, ChannelSpec
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.connection import Connection
from exgs.protocol.drivers.endpoint import Endpoint
from exgs.protocol.errors import (
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SessionClosed,
    TransportError,
)
from exgs.protocol.events import (
    ChunkReceived,
    ChunksDelivered,
    Closed,
    Event,
    ManifestReceived,
    Opened,
    PeerHeard,
    PeerSilent,
)
from exgs.protocol.limiter import Limiter, PathFigures
from exgs.protocol.messages import (
    Forgotten,
    Message,
    OpenScene,
    Preferences,
    SceneInfo,
    SceneList,
    SceneStatus,
    Statistics,
    ViewUpdate,
)
from exgs.protocol.transport import Receiver, Transport
from exgs.protocol.vocabulary import VERSION, CloseCode, Role, SceneState, State

__all__ = [
    "CHANNELS",
    "SCENE_CHANNELS",
    "VERSION",
    "Channel",
    "ChannelSpec",
    "ChunkReceived",
    "ChunksDelivered",
    "CloseCode",
    "Closed",
    "Connection",
    "ConnectionConfig",
    "Endpoint",
    "Event",
    "Forgotten",
    "Limiter",
    "LocalProtocolError",
    "ManifestReceived",
    "Message",
    "OpenScene",
    "Opened",
    "PathFigures",
    "PeerHeard",
    "PeerSilent",
    "Preferences",
    "ProtocolError",
    "Receiver",
    "RemoteProtocolError",
    "Role",
    "SceneInfo",
    "SceneList",
    "SceneState",
    "SceneStatus",
    "SessionClosed",
    "State",
    "Statistics",
    "Transport",
    "TransportError",
    "ViewUpdate",
]
