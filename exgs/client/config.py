"""The settings of one playing."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from exgs.client.errors import ClientError
from exgs.protocol.drivers.settings import IceServer
from exgs.scene.views import FOV_Y_RAD

DEFAULT_SECONDS = 10.0


@dataclass(frozen=True)
class PlayConfig:
    """What to play, from where, how it is looked at, and where pictures go.

    Raises:
        ClientError: with such values nothing could be shown.
    """

    url: str
    """Address of the server, ``http://HOST:PORT``, or of its WHEP endpoint."""
    scene: str | None = None
    """Name of the scene; None for the first in the server's list."""
    token: str | None = field(default=None, repr=False)
    """Bearer token of the server; None where it asks for none."""
    path: Literal["head", "orbit"] = "head"
    """What the head does: a head trace, or a loop around the object or through the room."""
    head_trace: Path | None = None
    """Recorded head movement for ``path`` "head"; None for a built-in one."""
    stereo: bool = False
    """Two eyes, side by side."""
    size: tuple[int, int] = (640, 360)
    """Width and height of the picture of one eye, in pixels."""
    fov_y_rad: float = FOV_Y_RAD
    """Vertical field of view."""
    fps: float = 30.0
    """Ticks of the frame loop per second."""
    seconds: float | None = None
    """How long to play from the first frame; None for the length of the head trace, or ten seconds."""
    out: Path | None = None
    """Video file by its suffix, else a folder of pictures; None for neither. Replaced where it exists."""
    stats: Path | None = None
    """CSV file with one row for each tick; None for none. Replaced where it exists."""
    status_log: Path | None = None
    """JSON Lines file with one object for each second; None for none. Replaced where it exists."""
    max_splats: int = 0
    """Splats of all levels that may be held; 0 for as many as there are."""
    fade_s: float = 0.2
    """How long finer splats take to fade in over what they replace; 0 for changes at once."""
    backend: str = "auto"
    """Name of the rasteriser."""
    restore: str = "off"
    """What repairs pictures: a mode of ``choose_restorer``; "auto" as long as there is time for it."""
    restore_engine: str = "auto"
    """What runs it."""
    ice_servers: tuple[IceServer, ...] = ()
    """STUN and TURN servers; none by default: nobody outside is asked."""
    transport: Literal["auto", "webrtc", "websocket"] = "auto"
    """What carries the session; "auto" is WebRTC, or a WebSocket where no UDP gets through."""
    udp_timeout_s: float = 4.0
    """How long WebRTC may take to come up before "auto" turns to a WebSocket."""
    connect_timeout_s: float = 10.0
    """How long the server may take to answer, and the connection to come up."""
    reconnect_s: float = 60.0
    """How long a lost connection is tried again."""
    resume_token: bytes = field(default=b"", repr=False)
    """Secret of the session that goes on; empty for a new one."""
    max_bytes_per_s: int = 0
    """Rate at which the server may send; 0 for no bound."""
    stall_timeout_s: float = 60.0
    """How long the first picture may take to arrive once the scene is open."""

    def __post_init__(self) -> None:
        if not 0 < self.fps < math.inf:
            raise ClientError(f"{self.fps:g} frames per second: expected more than 0")
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ClientError(f"{self.seconds:g} s to play: expected more than 0")
        if min(self.size) < 1:
            raise ClientError(
                f"pictures of {self.size[0]} x {self.size[1]} pixels: expected 1 or more a side"
            )
        if self.max_splats < 0:
            raise ClientError(f"at most {self.max_splats} splats: expected 0, for no bound, or more")
        if self.max_bytes_per_s < 0:
            raise ClientError(
                f"at most {self.max_bytes_per_s} bytes per second: expected 0, for no bound, or more"
            )
