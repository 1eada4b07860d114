"""Opens scenes for viewers: as they are, from the cache, or by encoding them once for all who wait."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from dataclasses import dataclass, field

from exgs.codec import CodecError, EncodeConfig
from exgs.server.cache import Cache
from exgs.server.catalogue import Catalogue, SceneEntry
from exgs.server.errors import SceneFailed, ServerError, TookTooLong
from exgs.server.metrics import Metrics
from exgs.server.peeking import Peeked, Peeks
from exgs.server.pool import WorkerPool
from exgs.server.preparing import Advance, Preparer
from exgs.server.scouting import Scouts
from exgs.server.shelf import OpenedScene, Shelf, opened

RESCAN_AFTER_S = 2.0
"""The folder is looked at again when somebody asks and the last look is older than this."""
RETRY_AFTER_S = 30.0
"""A scene that failed is tried again after this, or when its files change: their sizes, or times of change.
What took too long, and a file whose own bytes are at fault, as one that is cut short, only then."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SceneReport:
    """How a scene stands, for lists."""

    name: str
    """What it is called."""
    source_bytes: int
    """Size on disk of what it is made from."""
    state: str
    """``ready``, ``new`` (encoded when first asked for), ``preparing`` or ``failed``."""
    progress: float = 0.0
    """While preparing: share done, 0 to 1."""
    detail: str = ""
    """Why it failed; of views that this server reconstructed, what it supposed and how much it covers."""
    size_bytes: int = 0
    """Size as streamed; 0 where unknown yet."""
    splats: int = 0
    """Gaussians of the finest level; 0 where unknown yet."""


@dataclass(eq=False)
class _Preparation:
    """An encoding under way and those who wait for it."""

    task: asyncio.Task[OpenedScene]
    listeners: list[Advance] = field(default_factory=list)
    progress: float = 0.0

    def advance(self, progress: float) -> None:
        self.progress = progress
        for listener in tuple(self.listeners):
            listener(progress)


class Library:
    """All scenes of one server. Lives on one event loop; reads disks in threads, encodes in processes."""

    def __init__(
        self, catalogue: Catalogue, cache: Cache, pool: WorkerPool, *, config: EncodeConfig,
        metrics: Metrics, scouts: Scouts | None = None,
    ) -> None:  # fmt: skip
        """``scouts`` look at every scene that is opened; nobody does where there are none."""
        self._catalogue, self._scouts = catalogue, scouts
        self._preparer = Preparer(cache, pool, config=config, metrics=metrics)
        self._scanning, self._scanned_s = asyncio.Lock(), time.monotonic()
        self._shelf = Shelf()
        self._preparations: dict[str, _Preparation] = {}
        self._failures: dict[str, tuple[float, str]] = {}
        self._notes: dict[str, list[str]] = {}
        self._peeks = Peeks()

    async def list(self) -> list[SceneReport]:
        """Every scene, sorted by name, those that failed behind the others.

        The folder is looked at again when the last look is old.
        """
        await self._refresh()
        entries = self._catalogue.entries()
        await self._peeks.look(entries)
        return sorted(map(self._report, entries), key=lambda report: report.state == "failed")

    async def open(self, name: str, listener: Advance | None = None) -> OpenedScene:
        """The scene called ``name``, encoded first where it must be; ``listener`` hears of progress, 0 to 1.

        Cancelling leaves an encoding running: the next viewer finds it further on.

        Raises:
            UnknownScene: there is none of that name.
            SceneFailed: it cannot be read or encoded.
        """
        await self._refresh()
        entry = self._catalogue.find(name)
        if (scene := self._shelf.get(entry.stamp)) is not None:
            self._shelf.keep(entry.stamp, scene)
            return scene
        self._recall_failure(entry)
        preparation = self._preparations.get(entry.stamp) or self._begin(entry)
        if listener is not None:
            preparation.listeners.append(listener)
            listener(preparation.progress)
        try:
            return await asyncio.shield(preparation.task)
        finally:
            if listener is not None:
                preparation.listeners.remove(listener)

    async def close(self) -> None:
        """Ends encodings under way, and looks."""
        if self._scouts is not None:
            await self._scouts.close()
        tasks = [preparation.task for preparation in self._preparations.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _refresh(self) -> None:
        async with self._scanning:
            if time.monotonic() - self._scanned_s >= RESCAN_AFTER_S:
                await asyncio.to_thread(self._catalogue.rescan)
                self._scanned_s = time.monotonic()
                self._forget_vanished({entry.stamp for entry in self._catalogue.entries()})

    def _forget_vanished(self, stamps: set[str]) -> None:
        self._shelf.forget_vanished(stamps)
        for gone in self._failures.keys() - stamps:
            del self._failures[gone]
        for gone in self._notes.keys() - stamps:
            del self._notes[gone]
        self._peeks.forget_vanished(stamps)

    def _report(self, entry: SceneEntry) -> SceneReport:
        notes = "; ".join(self._notes.get(entry.stamp, ()))
        if (scene := self._shelf.get(entry.stamp)) is not None:
            return SceneReport(
                entry.name, entry.size_bytes, "ready", 1.0, notes,
                size_bytes=len(scene.container.data), splats=scene.container.shown,
            )  # fmt: skip
        if entry.stamp in self._preparations:
            progress = self._preparations[entry.stamp].progress
            return SceneReport(entry.name, entry.size_bytes, "preparing", progress)
        if entry.stamp in self._failures:
            return SceneReport(entry.name, entry.size_bytes, "failed", detail=self._failures[entry.stamp][1])
        return _unopened(entry, self._peeks.of(entry), notes)

    def _recall_failure(self, entry: SceneEntry) -> None:
        peeked = self._peeks.of(entry)
        if peeked.fault and peeked.lasting:
            raise SceneFailed(peeked.fault)
        failed_s, reason = self._failures.get(entry.stamp, (0.0, ""))
        if reason and time.monotonic() - failed_s < RETRY_AFTER_S:
            raise SceneFailed(reason)
        self._failures.pop(entry.stamp, None)

    def _begin(self, entry: SceneEntry) -> _Preparation:
        task = asyncio.create_task(self._prepare(entry), name=f"prepare {entry.name}")
        task.add_done_callback(_mark_retrieved)
        self._preparations[entry.stamp] = _Preparation(task)
        return self._preparations[entry.stamp]

    async def _prepare(self, entry: SceneEntry) -> OpenedScene:
        try:
            container = await self._preparer.container(
                entry, self._preparations[entry.stamp].advance, self._notes.setdefault(entry.stamp, [])
            )
            scene = await asyncio.to_thread(opened, entry.name, container)
        except (ServerError, CodecError, OSError) as error:
            reason = error.strerror or "it cannot be read" if isinstance(error, OSError) else str(error)
            logger.warning("scene %s: %s", entry.name, reason)
            failed_s = math.inf if isinstance(error, TookTooLong) else time.monotonic()
            self._failures[entry.stamp] = (failed_s, reason)
            raise SceneFailed(reason) from error
        finally:
            del self._preparations[entry.stamp]
        self._shelf.keep(entry.stamp, scene)
        if self._scouts is not None:
            self._scouts.send(scene.name, scene.container, scene.scouted)
        return scene


def _unopened(entry: SceneEntry, peeked: Peeked, notes: str) -> SceneReport:
    """How a scene stands that is not open; ``notes`` are of the last time that it was encoded here."""
    if peeked.fault:
        return SceneReport(entry.name, entry.size_bytes, "failed", detail=peeked.fault)
    if not entry.encoded:
        return SceneReport(entry.name, entry.size_bytes, "new", detail=notes)
    return SceneReport(
        entry.name, entry.size_bytes, "ready", 1.0, size_bytes=entry.size_bytes, splats=peeked.splats
    )


def _mark_retrieved(task: asyncio.Task[OpenedScene]) -> None:
    """Nobody may be waiting any more for a preparation that failed."""
    if not task.cancelled():
        task.exception()
