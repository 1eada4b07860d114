"""What is put to the test, and what came of it: a trial in, a timeline out, whatever plays it.

All times are seconds since the viewer made its offer: signalling and handshakes count. The head is at
``path.pose_at(time_s)`` whatever is on display, so that every system is asked for the same views.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np

from exgs.client.eviction import least_splats
from exgs.codec import Container
from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import LinkSettings
from exgs.scene import HeadPath
from exgs.server.sight import Sight

System = Literal["error", "level", "file", "download"]
"""Who sends what when: the server with one of its orders, or a download of the whole file."""
SYSTEMS: tuple[System, ...] = get_args(System)
MAX_SECONDS = 3600.0
MAX_FPS = 1000.0


@dataclass(frozen=True)
class Blob:
    """A file of any other format, of which a viewer sees nothing before it has all of it."""

    name: str
    """For tables."""
    size_bytes: int
    """As it lies on the disk."""
    splats: int
    """How many Gaussians it holds."""

    def __post_init__(self) -> None:
        if self.size_bytes < 1 or self.splats < 0:
            raise ExperimentError(f"{self.name}: {self.size_bytes} bytes, expected at least one")


@dataclass(frozen=True)
class Mishap:
    """Something that goes wrong at a moment. On virtual time only."""

    kind: Literal["move", "restart", "cut", "sleep"]
    """``move``: the viewer's address changes, and what is sent to the one before is lost. ``restart``: the
    server is killed, and another takes its place that knows nothing of it. ``cut``: the first further
    connection for scene data is lost, where there is one. ``sleep``: the viewer's process stands still, and
    what is sent to it meanwhile is lost."""
    at_s: float
    """When, in seconds since the offer."""
    for_s: float = 0.0
    """How long the viewer sleeps."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One session to play. Frozen; the same trial gives the same timeline on virtual time."""

    scene: Container | Blob = field(repr=False)
    """What is sent: an encoded scene, or for ``download`` any file."""
    path: HeadPath = field(repr=False)
    """The head, in the scene's coordinates; its time 0 is the offer."""
    down: LinkSettings = field(default_factory=LinkSettings)
    """The link from server to viewer; its seed is not used, see ``seed``."""
    up: LinkSettings = field(default_factory=LinkSettings)
    """The link from viewer to server, likewise."""
    system: System = "error"
    """Who sends what when. ``download`` fetches the file in order by HTTP and shows it when it is whole."""
    seconds: float = 20.0
    """How long the session is, from the offer."""
    fps: float = 90.0
    """Frames, and poses told to the server, per second."""
    max_mbps: float | None = None
    """What the user lets the server send, in megabits per second; None for no bound."""
    max_splats: int | None = None
    """Splats of all levels that the viewer may hold; None for as many as there are."""
    decode_splats_per_s: float | None = 2e6
    """How fast the viewer decodes; None for at once. On virtual time only."""
    size: tuple[int, int] = (640, 360)
    """Width and height of the picture, which the server is told of."""
    fov_y_rad: float = 1.2
    """Vertical field of view."""
    max_links: int = 4
    """Connections for scene data beyond the first."""
    early: bool = True
    """Whether the viewer fetches the beginning of the scene while its connection is being made."""
    mishaps: tuple[Mishap, ...] = ()
    """What goes wrong besides, in order of time."""
    seed: int = 0
    """Of losses and jitter in both directions."""
    sight: Sight | None = field(default=None, repr=False)
    """What the server has found out about the scene; on virtual time only, where it has from the start."""

    def __post_init__(self) -> None:
        if self.system not in SYSTEMS:
            raise ExperimentError(f"system {self.system!r}: expected one of {', '.join(SYSTEMS)}")
        if isinstance(self.scene, Blob) and self.system != "download":
            raise ExperimentError(
                f"{self.scene.name}: only an encoded scene can be streamed by {self.system}"
            )
        if not 0 < self.seconds <= MAX_SECONDS or not 0 < self.fps <= MAX_FPS:
            raise ExperimentError(
                f"{self.seconds:g} s at {self.fps:g} Hz: expected up to {MAX_SECONDS:g} s and {MAX_FPS:g} Hz"
            )
        for name in ("max_mbps", "max_splats", "decode_splats_per_s"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ExperimentError(f"{name} of {value:g}: expected more than 0, or none")
        if isinstance(self.scene, Container) and self.max_splats is not None:
            least = least_splats(self.scene.parsed)
            if self.max_splats < least:
                raise ExperimentError(
                    f"max_splats of {self.max_splats:,}: the coarsest level alone has {least:,}"
                )


@dataclass(frozen=True)
class ChunkRow:
    """One sending of one chunk. A chunk that was let go, and came again, has a row for each time."""

    chunk: int
    """Its id; 0 for a ``Blob``."""
    level: int
    """Its level of detail, 0 finest."""
    size_bytes: int
    """Of the chunk, without headers."""
    splats: int
    """How many Gaussians it holds."""
    chosen_s: float
    """When the server decided to send it; for ``download`` when the request arrived."""
    received_s: float | None = None
    """When the last byte arrived; None where it did not."""
    shown_s: float | None = None
    """From when it was in the picture, decoded; None where it never was."""
    gone_s: float | None = None
    """When it was let go to make room; None where it was not."""
    redundant: bool = False
    """Whether the viewer had it already, or had no room for it: its bytes were of no use."""


@dataclass(frozen=True)
class FrameRow:
    """One picture that was due. Frame ``n`` is due at ``n / fps``."""

    time_s: float
    """When it was due."""
    world_from_head: np.ndarray
    """[4,4] float64 the pose it must be drawn for."""
    chunks: int
    """How many chunks were on display; 0 shows nothing. ``Timeline.shown_at`` names them."""
    splats: int
    """Gaussians of these, those replaced by finer ones included."""
    bytes_received: int
    """Bytes of the scene (its preamble and chunks) that had arrived."""
    limiter: str
    """What held the scene back: "handshake", "link", "credit", "cap", "silence", "budget" (of splats),
    "cpu" (of the viewer) or "complete"."""


@dataclass(frozen=True, eq=False)
class Timeline:
    """What a trial came to."""

    trial: Trial
    """What was played."""
    mode: Literal["virtual", "real"]
    """By which engine."""
    chunks: tuple[ChunkRow, ...]
    """Every sending, in the order of ``received_s``; those that never arrived come last."""
    frames: tuple[FrameRow, ...]
    """Every frame, in order of time, from the offer to the end."""
    first_frame_s: float | None
    """From when the whole scene was on display, however coarse; None for never."""
    complete_s: float | None
    """From when all of the scene was on display; None for never."""
    opened_s: float | None
    """When the viewer could first ask for a scene; None for never."""
    bytes_sent: int
    """Bytes of the scene that the server gave to the transport, those sent twice included."""
    bytes_received: int
    """Bytes of the scene that arrived, those of no use included."""
    redundant_bytes: int
    """Of those, what the viewer had already or had no room for."""
    goodput_bytes_per_s: float
    """Received, without the redundant, over the time from ``opened_s`` to the newest chunk."""
    wire_bytes_down: int
    """All that was put on the link to the viewer up to the complete scene, headers and repetitions too."""
    wire_bytes_up: int
    """All that was put on the link to the server until then."""
    packets_lost: int
    """Packets that the link to the viewer lost or dropped."""
    links: int = 0
    """Most connections for scene data that were up beside the first at a time."""
    reconnects: int = 0
    """How often the session was lost and went on."""

    def shown_at(self, time_s: float) -> list[int]:
        """Ids of the chunks on display, in the order in which they came to be."""
        shown = [row for row in self.chunks if is_shown(row, time_s)]
        return [row.chunk for row in sorted(shown, key=_since)]

    def received_by(self, time_s: float) -> int:
        """Bytes of chunks that had arrived, the redundant included."""
        return sum(
            row.size_bytes for row in self.chunks if row.received_s is not None and row.received_s <= time_s
        )


def is_shown(row: ChunkRow, time_s: float) -> bool:
    """Whether the chunk of this row is on display."""
    return row.shown_s is not None and row.shown_s <= time_s and (row.gone_s is None or time_s < row.gone_s)


def in_order(rows: Sequence[ChunkRow]) -> tuple[ChunkRow, ...]:
    """The rows as a timeline has them."""
    return tuple(
        sorted(
            rows, key=lambda row: (float("inf") if row.received_s is None else row.received_s, row.chosen_s)
        )
    )


def _since(row: ChunkRow) -> float:
    assert row.shown_s is not None
    return row.shown_s
