"""One viewer: greets it, and feeds it the scene it asks for, chunk by chunk, for as long as it listens."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from hashlib import sha256

from exgs.protocol import (
    ChunksDelivered,
    CloseCode,
    Closed,
    Endpoint,
    Forgotten,
    OpenScene,
    Preferences,
    SceneInfo,
    SceneList,
    SceneState,
    SceneStatus,
    SessionClosed,
    Statistics,
    ViewUpdate,
)
from exgs.protocol.vocabulary import MAX_REASON_BYTES, MAX_SCENES
from exgs.server.errors import ServerError
from exgs.server.hearing import held_ids, view_of
from exgs.server.library import Library, OpenedScene, SceneReport
from exgs.server.memory import Remembered
from exgs.server.metrics import Metrics
from exgs.server.pacer import Pacer
from exgs.server.schedule import Schedule
from exgs.server.standing import SessionReport, Standing, limiter_name

PROGRESS_STEP = 0.01
"""A viewer who waits for an encoding hears of each further hundredth."""
SHOWN_MEASURES = ("splats", "frames_shown", "frames_late", "frames_dropped", "frame_ms_p50", "frame_ms_p95")
"""Of the figures that viewers report, those that a report of the session has."""

logger = logging.getLogger(__name__)


class Session:
    """Lives as long as its endpoint; ``run`` is its life."""

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        library: Library,
        metrics: Metrics,
        *,
        first: str | None = None,
        remembered: Remembered | None = None,
        recall: Callable[[bytes], Remembered | None] = lambda token: None,
        carrier: str = "",
    ) -> None:
        """``name`` is for logs; ``first`` names the scene that heads the viewer's list.

        ``remembered`` is kept up to date for whoever continues this session; ``recall`` gives that of the
        session which this one continues.
        """
        self.name = name
        self._endpoint, self._library, self._metrics, self._first = endpoint, library, metrics, first
        self._scenes: list[str] = []
        self._schedule: Schedule | None = None
        self._recall, self._remembered = recall, remembered or Remembered(name)
        self._wishes_changed = asyncio.Event()
        self._pacer = Pacer()
        self._counted_s = time.monotonic()
        self._standing = Standing(name, carrier)

    @property
    def report(self) -> SessionReport:
        """How it stands now."""
        return self._standing.report(self._endpoint, shown=SHOWN_MEASURES)

    async def run(self) -> Closed | None:
        """Serves the viewer until the session is over; None where it never opened."""
        try:
            opened = await self._endpoint.opened()
            self._metrics.opened.inc()
            if opened.resumed:
                self._continue(opened.resume_token)
            await self._say_scenes()
            closed = await self._listen()
            self._metrics.closed.labels(closed.code.name.lower()).inc()
            return closed
        except SessionClosed as error:
            self._metrics.closed.labels(error.close_code.name.lower()).inc()
            return None
        finally:
            self._metrics.forget_client(self.name)
            await asyncio.shield(self._endpoint.close(CloseCode.INTERNAL, "a fault of the server"))

    def _continue(self, token: bytes) -> None:
        """Takes over what is left of the session that lost its viewer."""
        found = self._recall(token)
        if found is not None:
            self._remembered.wishes, self._remembered.view = found.wishes, found.view
            self._metrics.resumed.inc()
            logger.info("session %s: continues %s", self.name, found.name)

    async def _listen(self) -> Closed:
        """Acts on everything the viewer says, up to the end."""
        feeding: asyncio.Task[None] | None = None
        closed = Closed(CloseCode.INTERNAL, "", False)
        async with asyncio.TaskGroup() as tasks:
            async for event in self._endpoint:
                if isinstance(event, OpenScene):
                    if feeding is not None:
                        feeding.cancel()
                    feeding = tasks.create_task(self._feed(event))
                elif isinstance(event, Closed):
                    closed = event
                else:
                    self._heed(event)
            if feeding is not None:
                feeding.cancel()
        return closed

    async def close(self, code: CloseCode, reason: str) -> None:
        """Says goodbye."""
        await self._endpoint.close(code, reason)

    def _heed(self, event: object) -> None:
        """Acts on everything but the opening of a scene and the end."""
        self._count_limiter()
        match event:
            case ViewUpdate():
                kept = self._remembered
                kept.view = view_of(event) or kept.view
                if self._schedule is not None and kept.view is not None:
                    self._schedule.see(kept.view)
            case Preferences():
                self._remembered.wishes = event
                self._wishes_changed.set()
            case Forgotten() if self._schedule is not None:
                self._schedule.forgotten(event.chunks)
                self._wishes_changed.set()
            case Statistics():
                self._metrics.note_client(self.name, event.values)
                self._standing.viewer = event.values
            case ChunksDelivered():
                self._metrics.delivered_chunks.inc(len(event.chunks))
                if (rtt_s := self._endpoint.rtt_s) is not None:
                    self._metrics.rtt_s.observe(rtt_s)
            case _:
                logger.debug("session %s: %s", self.name, type(event).__name__)

    def _count_limiter(self) -> None:
        """Adds the time since the last word of the viewer to what held streaming back."""
        now_s = time.monotonic()
        since_s, self._counted_s = now_s - self._counted_s, now_s
        if self._schedule is None:
            return
        limiter = limiter_name(self._endpoint.limiter, remaining=bool(self._schedule.remaining))
        self._metrics.limited_s.labels(limiter).inc(since_s)

    async def _say_scenes(self) -> None:
        try:
            reports = await self._library.list()
        except ServerError as error:
            logger.warning("session %s: %s", self.name, error)
            reports = []
        reports.sort(key=lambda report: (report.name != self._first, report.name))
        self._scenes = [report.name for report in reports[:MAX_SCENES]]
        infos = (_info(number, report) for number, report in enumerate(reports[:MAX_SCENES]))
        self._endpoint.send(SceneList(tuple(infos)))

    async def _feed(self, wish: OpenScene) -> None:
        """Sends one scene: its state, its manifest, its chunks."""
        started_s = time.monotonic()
        self._schedule = None
        try:
            scene = await self._open(wish.scene)
            kept = wish.manifest == sha256(scene.container.preamble).digest()
            schedule = Schedule(scene.table, held=held_ids(wish.have if kept else b""))
        except ServerError as error:
            self._report(wish.scene, SceneState.REFUSED, detail=str(error))
            return
        if self._remembered.view is not None:
            schedule.see(self._remembered.view)
        self._schedule = schedule
        self._standing.chunks = len(scene.container.manifest)
        self._report(wish.scene, SceneState.STREAMING)
        if self._say_manifest(wish.scene, scene, kept=kept):
            await self._send_chunks(wish.scene, scene, started_s)

    def _say_manifest(self, number: int, scene: OpenedScene, *, kept: bool) -> bool:
        """Sends the manifest, or says that the viewer's is right; False where it wants another scene."""
        if kept:
            return self._endpoint.keep_manifest(number)
        return self._endpoint.send_manifest(number, scene.container.preamble)

    async def _open(self, number: int) -> OpenedScene:
        if number >= len(self._scenes):
            raise ServerError(f"no scene has the number {number}")
        self._standing.watches(self._scenes[number])
        said = -1.0

        def listener(progress: float) -> None:
            nonlocal said
            if progress >= said + PROGRESS_STEP:
                said = progress
                self._report(number, SceneState.PREPARING, progress=progress)

        return await self._library.open(self._scenes[number], listener)

    async def _send_chunks(self, number: int, scene: OpenedScene, started_s: float) -> None:
        schedule, first = self._schedule, True
        assert schedule is not None
        while True:
            await self._need(number, schedule)
            if not await self._room():
                return
            budget = self._remembered.wishes.max_splats or None
            chunk_id = schedule.next_chunk(max_splats=budget, delay_s=self._delay_s())
            if chunk_id is None:
                await self._wishes_change()
                continue
            data = bytes(scene.container.chunk(chunk_id))
            if not self._endpoint.send_chunk(number, chunk_id, data):
                return
            self._pacer.spend(len(data), self._remembered.wishes.max_bytes_per_s, time.monotonic())
            self._metrics.sent_chunks.inc()
            self._metrics.sent_bytes.inc(len(data))
            self._standing.sent(len(data))
            if first:
                self._metrics.first_chunk_s.observe(time.monotonic() - started_s)
                first = False

    async def _need(self, number: int, schedule: Schedule) -> None:
        """Returns when there is a chunk to send; says so where all were, and waits for one to be let go."""
        if not schedule.remaining:
            self._report(number, SceneState.COMPLETE, progress=1.0)
            self._metrics.completed.inc()
        while not schedule.remaining:
            await self._wishes_change()

    def _delay_s(self) -> float | None:
        """From a view on the client to a chunk sent now on display, by what is under way and how it flows."""
        rtt_s, rate = self._endpoint.rtt_s, self._endpoint.delivered_bytes_per_s
        if rtt_s is None:
            return None
        return rtt_s + (self._endpoint.buffered_bytes / rate if rate > 0 else 0.0)

    async def _room(self) -> bool:
        """Waits until the viewer and its rate take one more chunk; False once the session is over."""
        while await self._endpoint.writable():
            wait_s = self._pacer.wait_s(time.monotonic()) if self._remembered.wishes.max_bytes_per_s else 0.0
            if wait_s <= 0 and self._endpoint.wants_chunk():
                return True
            if wait_s > 0:
                await self._wishes_change(wait_s)
        return False

    async def _wishes_change(self, timeout_s: float | None = None) -> None:
        """Waits until the viewer's preferences change, or that long."""
        self._wishes_changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._wishes_changed.wait()
        except TimeoutError:
            return

    def _report(self, number: int, state: SceneState, *, progress: float = 0.0, detail: str = "") -> None:
        self._standing.state = state.name.lower()
        short = detail.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        self._endpoint.send(SceneStatus(number, int(state), progress, short))


def _info(number: int, report: SceneReport) -> SceneInfo:
    return SceneInfo(number, report.name, report.size_bytes, report.splats, report.state == "ready")
