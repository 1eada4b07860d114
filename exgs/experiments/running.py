"""Plays and judges every session of a grid. While one is judged, the next one is played."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from exgs.codec import Container
from exgs.experiments.config import STREAMED, ExperimentConfig
from exgs.experiments.errors import ExperimentError
from exgs.experiments.figures import (
    FINAL_SHARE,
    Judged,
    chunk_rows,
    frame_rows,
    judged_times,
    rounded,
    summary_row,
)
from exgs.experiments.grid import Cell, cell_key, cells, code_checksum
from exgs.experiments.judging import NEAR_M, Judge, Shown, ShownFile, ShownStream
from exgs.experiments.material import Source, Workbench, checksum
from exgs.experiments.records import Record, Records
from exgs.experiments.timeline import SYSTEMS, Blob, Timeline, Trial
from exgs.raster import Rasterizer
from exgs.scene import Camera, HeadPath, head_camera, starting_view

Player = Callable[[Trial], Timeline]
"""An engine; it raises ``ExperimentError`` where a session cannot be played."""


@dataclass(frozen=True)
class Engine:
    """How sessions are played."""

    play: Player
    """One session, to its end."""
    mode: str
    """What the engine is called in tables: virtual or real."""
    ahead: bool
    """Whether one may be played while another is judged: not where it takes real time."""
    downloads: bool = True
    """Whether it plays downloads too, or streams alone."""


@dataclass(frozen=True, eq=False)
class Part:
    """A session that is ready to be played and judged."""

    cell: Cell
    key: str
    trial: Trial
    shown: Shown
    judge: Judge


class Experiment:
    """A grid at work."""

    def __init__(
        self, config: ExperimentConfig, bench: Workbench, records: Records, *, engine: Engine, jobs: int,
        rasterizer: Rasterizer,
    ) -> None:  # fmt: skip
        """``rasterizer`` draws on one thread; ``jobs`` threads call it."""
        self._config, self._bench, self._records = config, bench, records
        self._engine, self._jobs, self._rasterizer = engine, jobs, rasterizer
        self._code = code_checksum()
        self._times_s = judged_times(config.seconds, config.frames_per_second)

    def run(self) -> Iterator[Record]:
        """Every session, in the order of the grid; those that are on record already are not played.

        Raises:
            ExperimentError: a scene, a trace or an encoding cannot be used.
            SceneError: likewise.
            EncodeError: likewise.
        """
        for scene, of_scene in itertools.groupby(cells(self._config), lambda cell: cell.scene):
            source = self._bench.source(scene)
            for _, group in itertools.groupby(of_scene, lambda cell: cell.head):
                yield from self._group(source, list(group))

    def _group(self, source: Source, group: Sequence[Cell]) -> Iterator[Record]:
        """The sessions of one scene and head."""
        parts = list(self._parts(source, group))
        todo = iter([part for part in parts if isinstance(part, Part)])
        with ThreadPoolExecutor(1) as player:
            waiting = self._play(player, next(todo, None))
            for part in parts:
                if isinstance(part, Record):
                    yield part
                    continue
                assert waiting is not None
                played = _outcome(waiting)
                if self._engine.ahead:
                    waiting = self._play(player, next(todo, None))
                yield self._judged(part, played)
                if not self._engine.ahead:
                    waiting = self._play(player, next(todo, None))

    def _play(self, player: ThreadPoolExecutor, part: Part | None) -> Future[Timeline] | None:
        return None if part is None else player.submit(self._engine.play, part.trial)

    def _judged(self, part: Part, played: Timeline | str) -> Record:
        names, mode = part.cell.names, self._engine.mode
        if isinstance(played, str):
            return Record(names, mode, {}, note=f"failed: {played}")
        judged = Judged(
            played, self._times_s, part.judge.judge(played, part.shown, self._times_s),
            part.judge.reached_s(played, part.shown, FINAL_SHARE, self._times_s),
        )  # fmt: skip
        summary = rounded({"scene_bytes": _size(part.trial), **summary_row(judged)})
        frames = tuple(rounded(row) for row in frame_rows(judged))
        record = Record(names, mode, summary, frames, tuple(rounded(row) for row in chunk_rows(played)))
        self._records.put(part.key, record)
        return record

    def _parts(self, source: Source, group: Sequence[Cell]) -> Iterator[Part | Record]:
        """What is to be played, and what needs not or cannot be."""
        sizes = [cell.size for cell in group if cell.system.kind != "sog"] or [source.spec.sizes[0]]
        container = self._bench.encoded(source, sizes[0])
        path = self._bench.path(group[0].head, source, container, seconds=self._config.seconds)
        start = container.header.start or starting_view(source.gaussians)
        judge = Judge(
            source.gaussians, lambda time_s: self._camera(path, time_s), self._rasterizer,
            near_units=NEAR_M * start.units_per_metre, jobs=self._jobs,
        )  # fmt: skip
        streams: dict[str, ShownStream] = {}
        sog = self._bench.sog(source) if any(cell.system.kind == "sog" for cell in group) else ""
        for cell in group:
            file = sog if cell.system.kind == "sog" else None
            if not self._engine.downloads and cell.system.kind not in STREAMED:
                file = f"not played in {self._engine.mode} time, which has no link for TCP"
            if isinstance(file, str):
                yield Record(cell.names, self._engine.mode, {}, note=file)
                continue
            sent = self._bench.encoded(source, cell.size) if file is None else container
            content = f"{source.checksum} {checksum(sent, path, file)}"
            key = cell_key(cell, self._config, mode=self._engine.mode, content=content, code=self._code)
            known = self._records.get(key, cell.names)
            if known is not None:
                yield known
                continue
            name = cell.names["ratio"]
            shown: Shown
            if file is None:
                shown = streams.setdefault(str(name), ShownStream(str(name), sent))
            else:
                shown = ShownFile("sog", file.gaussians)
            try:
                trial = self._trial(cell, path, sent if file is None else file.blob)
            except ExperimentError as error:
                yield Record(cell.names, self._engine.mode, {}, note=f"failed: {error}")
                continue
            if self._engine.ahead and cell.system.kind == "error":
                trial = replace(trial, sight=self._bench.sight(sent))
            yield Part(cell, key, trial, shown, judge)

    def _trial(self, cell: Cell, path: HeadPath, sent: Container | Blob) -> Trial:
        system = cell.system.kind if cell.system.kind in STREAMED else "download"
        return Trial(
            scene=sent,
            path=path,
            down=cell.link.down,
            up=cell.link.up,
            system=next(known for known in SYSTEMS if known == system),
            seconds=self._config.seconds,
            fps=self._config.tick_hz,
            max_mbps=cell.system.max_mbps,
            max_splats=cell.system.max_splats,
            size=self._config.size,
            fov_y_rad=math.radians(self._config.fov_y_deg),
            seed=cell.seed,
        )

    def _camera(self, path: HeadPath, time_s: float) -> Camera:
        fov_y_rad = math.radians(self._config.fov_y_deg)
        return head_camera(path.pose_at(time_s), size=self._config.size, fov_y_rad=fov_y_rad)


def _outcome(waiting: Future[Timeline]) -> Timeline | str:
    """The session, or why it could not be played."""
    try:
        return waiting.result()
    except ExperimentError as error:
        return str(error)


def _size(trial: Trial) -> int:
    """Bytes of the file that was to be sent."""
    return trial.scene.size_bytes if isinstance(trial.scene, Blob) else len(trial.scene.data)
