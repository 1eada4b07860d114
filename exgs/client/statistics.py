"""What every frame cost, and what a session came to."""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from exgs.client.errors import ClientError
from exgs.painter import Verdict

STAGES = (
    "pose_sample",
    "uplink",
    "select",
    "queue",
    "network",
    "decode",
    "sort_and_raster",
    "restore",
    "present",
)
"""The way from a pose to its picture, in order.

The client draws from what it holds, so no frame waits for the network: ``uplink``, ``select``, ``network``
and ``decode`` are 0 for every frame. They have their columns so that frames of other kinds can stand beside.
"""

RECENT_FRAMES = 256
"""Frame times that live figures are over: the newest."""
MAX_TIMED_FRAMES = 1 << 20
"""Frame times kept for percentiles, 4 bytes each; three hours at 90 a second. Then the oldest go."""


@dataclass(frozen=True)
class FrameRecord:
    """One tick of the frame loop: a picture shown, or a tick that was missed."""

    tick: int
    """Number of the tick in the schedule, from 0."""
    due_s: float
    """When the tick was due, in seconds since the first."""
    stages_ms: tuple[float, ...]
    """Milliseconds of each of ``STAGES``; all 0 where the tick was dropped."""
    splats_resident: int
    """Splats that have arrived, at every level."""
    splats_visible: int
    """Of those drawn, how many have their centre in view; an estimate from a sample."""
    splats_drawn: int
    """Splats of the snapshot given to the rasteriser."""
    chunks_by_level: tuple[int, ...]
    """Chunks that have arrived at each level, finest first."""
    bytes_received: int
    """Bytes of the scene that have arrived, manifest included."""
    late: bool = False
    """Shown, but after the tick was over."""
    stale: bool = False
    """Shown, but a newer snapshot was ready by then."""
    dropped: bool = False
    """Not drawn, since the frame before was still being drawn: that one stayed on display."""
    restoration: Verdict | None = "off"
    """What the restorer did with it; None where the tick was dropped, and there was nothing to restore."""

    @property
    def total_ms(self) -> float:
        """Pose to display: the sum of the stages."""
        return sum(self.stages_ms)


def stages_ms(**seconds: float) -> tuple[float, ...]:
    """Durations named as ``STAGES`` are, in seconds, as milliseconds in their order; the others are 0."""
    unknown = set(seconds) - set(STAGES)
    if unknown:
        raise ValueError(f"no such stage: {sorted(unknown)}")
    return tuple(1000.0 * seconds.get(stage, 0.0) for stage in STAGES)


class FrameTally:
    """Counts frames and keeps what percentiles need, in bounded memory."""

    def __init__(self) -> None:
        self.shown = self.late = self.stale = self.dropped = 0
        self.restored = self.rich = self.whole = self.unsure = 0
        self._times_ms = np.zeros(1024, np.float32)

    def add(self, record: FrameRecord) -> None:
        """Takes one tick into account."""
        if record.dropped:
            self.dropped += 1
            return
        if self.shown == len(self._times_ms) < MAX_TIMED_FRAMES:
            self._times_ms = np.concatenate([self._times_ms, np.zeros_like(self._times_ms)])
        self._times_ms[self.shown % len(self._times_ms)] = record.total_ms
        self.shown += 1
        self.late += record.late
        self.stale += record.stale
        self.restored += record.restoration == "restored"
        self.rich += record.restoration == "rich"
        self.whole += record.restoration == "whole"
        self.unsure += record.restoration == "unsure"

    def percentiles_ms(self) -> tuple[float, float, float]:
        """p50, p95 and p99 of the time from pose to display; zeros where nothing was shown."""
        if not self.shown:
            return 0.0, 0.0, 0.0
        times = self._times_ms[: min(self.shown, len(self._times_ms))]
        p50, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
        return p50, p95, p99

    def recent_ms(self) -> tuple[float, float]:
        """p50 and p95 of the newest ``RECENT_FRAMES`` times; zeros where nothing was shown."""
        times, shown = self._times_ms, self.shown
        if not shown:
            return 0.0, 0.0
        newest = times[np.arange(max(0, shown - RECENT_FRAMES), shown) % len(times)]
        p50, p95 = np.percentile(newest, (50, 95)).tolist()
        return p50, p95


@dataclass(frozen=True)
class PlaySummary:
    """What a session came to. Times count from the moment the offer was sent."""

    scene: str
    """Name of the scene."""
    first_chunk_s: float | None
    """When the first chunk had arrived."""
    first_frame_s: float | None
    """When the first picture with at least one chunk in it was shown."""
    complete_s: float | None
    """When the last chunk had been decoded; None where the session ended before."""
    frames_shown: int
    """Pictures drawn and shown."""
    frames_late: int
    """Of those, how many came after their tick was over."""
    frames_stale: int
    """Of those, how many a newer snapshot had overtaken."""
    frames_dropped: int
    """Ticks without a picture of their own."""
    frame_budget_ms: float
    """Milliseconds from one tick to the next: what there is for a picture."""
    frame_ms_p50: float
    """Median of the milliseconds from pose to display."""
    frame_ms_p95: float
    """95th percentile."""
    frame_ms_p99: float
    """99th percentile."""
    chunks: int
    """Chunks decoded."""
    chunks_expected: int
    """Chunks the manifest names."""
    chunks_corrupt: int
    """Chunks that could not be decoded."""
    bytes_received: int
    """Bytes of the scene, manifest included."""
    bytes_expected: int
    """Bytes of the whole scene, manifest included."""
    splats: int
    """Splats drawn in the last frame."""
    goodput_bytes_per_s: float
    """Bytes of the scene over the time from the manifest to the last chunk."""
    rtt_ms: float | None
    """Round trip of the connection, as last measured."""
    buffered_bytes: int
    """Most bytes that ever waited to be decoded."""
    lost_connection: str | None = None
    """Why the connection ended before the client said goodbye; None where it did not."""
    carrier: str = ""
    """What carried the session last: webrtc or websocket."""
    reconnects: int = 0
    """How often a lost connection was made again."""
    restorer: str = "off"
    """What repaired pictures."""
    restorer_off: str = ""
    """Why nothing did, where something was to if it could."""
    frames_restored: int = 0
    """Frames that it repaired."""
    frames_rich: int = 0
    """Frames that it left alone, for so many splats were in view."""
    frames_whole: int = 0
    """Frames that it left alone, for they hardly had holes."""
    frames_unsure: int = 0
    """Frames that it left alone, for nothing was surely missing; for the others there was no time."""
    outputs: tuple[str, ...] = field(default=())
    """Files and folders written."""

    @property
    def frames_due(self) -> int:
        """Ticks that came due: each was shown or dropped."""
        return self.frames_shown + self.frames_dropped

    @property
    def complete(self) -> bool:
        """Whether the whole scene arrived."""
        return self.complete_s is not None

    def to_json(self) -> dict[str, Any]:
        """Plain values, named as the fields are."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        rounded = {k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}
        rounded["frames_due"] = self.frames_due
        return {**rounded, "complete": self.complete, "outputs": list(self.outputs)}


class FrameLog:
    """Writes frames to a CSV file as they come; the file takes its name when all is written."""

    def __init__(self, path: Path, levels: int) -> None:
        self._path, self._partial = path, path.with_name(f".{path.name}.partial")
        self._levels = levels
        try:
            self._stream = self._partial.open("w", encoding="utf-8", newline="")
            self._writer = csv.writer(self._stream)
            self._write(_columns(levels))
        except OSError as error:
            raise ClientError(f"{path}: {error.strerror}") from error

    def add(self, record: FrameRecord) -> None:
        """Writes one tick.

        Raises:
            ClientError: the disk is full, or the folder has gone.
        """
        stages = [round(stage, 3) for stage in record.stages_ms]
        kind = [int(record.late), int(record.stale), int(record.dropped), record.restoration or ""]
        splats = [record.splats_resident, record.splats_visible, record.splats_drawn]
        total = round(sum(stages), 3)
        chunks = list(record.chunks_by_level)
        self._write(
            [
                record.tick,
                round(record.due_s, 6),
                *stages,
                total,
                *kind,
                *splats,
                record.bytes_received,
                *chunks,
            ]
        )

    def finish(self) -> None:
        """Puts the file in place.

        Raises:
            ClientError: the disk is full, or the folder has gone; nothing is left behind then.
        """
        try:
            self._stream.close()
            os.replace(self._partial, self._path)
        except OSError as error:
            self.abandon()
            raise ClientError(f"{self._path}: {error.strerror}") from error

    def abandon(self) -> None:
        """Leaves nothing behind."""
        with contextlib.suppress(OSError):  # a full disk may be why it is abandoned
            self._stream.close()
        self._partial.unlink(missing_ok=True)

    def _write(self, row: Sequence[Any]) -> None:
        try:
            self._writer.writerow(row)
        except OSError as error:
            raise ClientError(f"{self._path}: {error.strerror}") from error


def _columns(levels: int) -> list[str]:
    chunks = [f"chunks_level_{level}" for level in range(levels)]
    stages = [f"{stage}_ms" for stage in STAGES]
    splats = ["splats_resident", "splats_visible", "splats_drawn"]
    return [
        "tick",
        "due_s",
        *stages,
        "total_ms",
        "late",
        "stale",
        "dropped",
        "restoration",
        *splats,
        "bytes_received",
        *chunks,
    ]
