"""Takes down what happens to chunks, on any engine, and makes a timeline of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from exgs.codec import Container
from exgs.experiments.link import LinkCounts
from exgs.experiments.timeline import Blob, ChunkRow, FrameRow, Timeline, Trial, in_order


@dataclass
class _Entry:
    """A row that is being written."""

    chunk: int
    chosen_s: float
    received_s: float | None = None
    shown_s: float | None = None
    gone_s: float | None = None
    redundant: bool = False


@dataclass(frozen=True)
class Way:
    """What the network saw of a session."""

    up: LinkCounts
    """Of the link to the server."""
    down: LinkCounts
    """Of the link to the viewer."""
    links: int = 0
    """Most connections for scene data beside the first at a time."""
    reconnects: int = 0
    """How often the session was lost and went on."""
    repeated_bytes: int = 0
    """Of the scene, that arrived twice although their chunk was sent once."""


class Ledger:
    """Fed by an engine, in the order of time; times are seconds since the offer."""

    def __init__(self, trial: Trial) -> None:
        self.opened_s: float | None = None
        """When a scene could first be asked for."""
        self.manifest_s: float | None = None
        """When the preamble was there."""
        self._trial = trial
        self._entries: list[_Entry] = []
        self._by_chunk: dict[int, list[_Entry]] = {}
        self._sizes = _sizes(trial.scene)

    def chosen(self, chunk: int, now_s: float) -> None:
        """The server sends it from now on."""
        entry = _Entry(chunk, now_s)
        self._entries.append(entry)
        self._by_chunk.setdefault(chunk, []).append(entry)

    def chosen_anew(self, chunk: int, now_s: float) -> None:
        """The same, unless this is a repetition of what is on its way."""
        entries = self._by_chunk.get(chunk)
        if not entries or entries[-1].received_s is not None:
            self.chosen(chunk, now_s)

    def received(self, chunk: int, now_s: float) -> None:
        """Its last byte is there."""
        self._newest(chunk).received_s = now_s

    def shown(self, chunk: int, now_s: float) -> None:
        """It is in the picture from now on."""
        self._newest(chunk).shown_s = now_s

    def gone(self, chunk: int, now_s: float) -> None:
        """It is in the picture no more, though it may have been chosen again by now."""
        shown = (entry for entry in reversed(self._by_chunk[chunk]) if entry.shown_s is not None)
        next(shown, self._newest(chunk)).gone_s = now_s

    def redundant(self, chunk: int) -> None:
        """It was of no use."""
        self._newest(chunk).redundant = True

    def timeline(
        self, mode: Literal["virtual", "real"], way: Way, limiter_at: Callable[[float], str]
    ) -> Timeline:
        """What came of the trial; ``limiter_at`` tells what held it back at a time."""
        self._hold_back()
        rows = in_order([self._row(entry) for entry in self._entries])
        arrived = [row for row in rows if row.received_s is not None]
        preamble = 0 if self.manifest_s is None else preamble_bytes(self._trial)
        redundant = sum(row.size_bytes for row in arrived if row.redundant) + way.repeated_bytes
        received = preamble + sum(row.size_bytes for row in arrived) + way.repeated_bytes
        return Timeline(
            trial=self._trial,
            mode=mode,
            chunks=rows,
            frames=self._frames(rows, limiter_at),
            first_frame_s=_since(rows, self._roots()),
            complete_s=_since(rows, range(len(self._sizes))),
            opened_s=self.opened_s,
            bytes_sent=preamble + sum(row.size_bytes for row in rows) + way.repeated_bytes,
            bytes_received=received,
            redundant_bytes=redundant,
            goodput_bytes_per_s=_goodput(received - redundant, self.opened_s, arrived),
            wire_bytes_down=way.down.bytes,
            wire_bytes_up=way.up.bytes,
            packets_lost=way.down.lost + way.down.dropped,
            links=way.links,
            reconnects=way.reconnects,
        )

    def _hold_back(self) -> None:
        """A viewer draws nothing before it can draw the whole scene, however coarse."""
        rows = [self._row(entry) for entry in self._entries]
        first_s = _since(rows, self._roots())
        for entry in self._entries:
            if first_s is None:
                entry.shown_s = None
            elif entry.shown_s is not None:
                entry.shown_s = max(entry.shown_s, first_s)

    def _newest(self, chunk: int) -> _Entry:
        return self._by_chunk[chunk][-1]

    def _roots(self) -> list[int]:
        """Chunks that show the whole scene: those of the coarsest level."""
        levels = [level for level, _, _ in self._sizes]
        return [chunk for chunk, level in enumerate(levels) if level == max(levels)]

    def _row(self, entry: _Entry) -> ChunkRow:
        level, size, splats = self._sizes[entry.chunk]
        return ChunkRow(
            entry.chunk, level, size, splats, entry.chosen_s,
            entry.received_s, entry.shown_s, entry.gone_s, entry.redundant,
        )  # fmt: skip

    def _frames(self, rows: Sequence[ChunkRow], limiter_at: Callable[[float], str]) -> tuple[FrameRow, ...]:
        trial, steps = self._trial, deque(self._steps(rows))
        chunks = splats = received = 0
        frames = []
        for number in range(int(trial.seconds * trial.fps) + 1):
            time_s = number / trial.fps
            while steps and steps[0][0] <= time_s:
                _, more_chunks, more_splats, more_bytes = steps.popleft()
                chunks, splats, received = chunks + more_chunks, splats + more_splats, received + more_bytes
            pose, limiter = trial.path.pose_at(time_s), limiter_at(time_s)
            frames.append(FrameRow(time_s, pose, chunks, splats, received, limiter))
        return tuple(frames)

    def _steps(self, rows: Sequence[ChunkRow]) -> list[tuple[float, int, int, int]]:
        """When what is on display, or has arrived, changes: by how many chunks, splats and bytes."""
        steps = []
        if self.manifest_s is not None:
            steps.append((self.manifest_s, 0, 0, preamble_bytes(self._trial)))
        for row in rows:
            if row.received_s is not None:
                steps.append((row.received_s, 0, 0, row.size_bytes))
            if row.shown_s is not None:
                steps.append((row.shown_s, 1, row.splats, 0))
            if row.shown_s is not None and row.gone_s is not None:
                steps.append((row.gone_s, -1, -row.splats, 0))
        return sorted(steps)


def _sizes(scene: Container | Blob) -> list[tuple[int, int, int]]:
    """Level, bytes and splats of every chunk that there is."""
    if isinstance(scene, Blob):
        return [(0, scene.size_bytes, scene.splats)]
    return [(info.level, info.size_bytes, info.count) for info in scene.manifest]


def preamble_bytes(trial: Trial) -> int:
    """What precedes the chunks."""
    return trial.scene.parsed.size_bytes if isinstance(trial.scene, Container) else 0


def _since(rows: Sequence[ChunkRow], chunks: Sequence[int]) -> float | None:
    """From when all of ``chunks`` were on display at once; None where they never were."""
    shown = {row.chunk: row.shown_s for row in rows if row.shown_s is not None and row.gone_s is None}
    times = [shown.get(chunk) for chunk in chunks]
    return None if None in times else max((at_s for at_s in times if at_s is not None), default=None)


def _goodput(size_bytes: int, opened_s: float | None, arrived: Sequence[ChunkRow]) -> float:
    if opened_s is None or not arrived or arrived[-1].received_s is None:
        return 0.0
    return size_bytes / max(arrived[-1].received_s - opened_s, 1e-9)
