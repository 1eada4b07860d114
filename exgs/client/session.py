"""One playing, from the offer to the summary.

The event loop receives and sends; a thread decodes; another one draws. They meet in the newest snapshot,
which is swapped as a whole. Whatever ends first, what was shown is written out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from exgs.client import carriers
from exgs.client.beginning import Begin, fetch_beginning
from exgs.client.clock import Clock, WallClock
from exgs.client.config import PlayConfig
from exgs.client.decoding import Decoded, DecodeWorker
from exgs.client.errors import ClientError, quoted
from exgs.client.eviction import check_budget
from exgs.client.frames import FrameLoop, Schedule
from exgs.client.gauges import Gauges
from exgs.client.lifeline import Connect, Lifeline
from exgs.client.opening import OpenedScene, open_scene
from exgs.client.progress import Listener, Teller
from exgs.client.receiving import Reception
from exgs.client.recording import Recorder
from exgs.client.snapshots import Snapshot
from exgs.client.staging import Staging
from exgs.client.statistics import PlaySummary
from exgs.client.status_log import StatusLog
from exgs.client.threads import brisk_switching, first_failure, in_thread
from exgs.client.views import head_view, send_views
from exgs.protocol import Statistics
from exgs.raster import Rasterizer

STATUS_S = 0.25
PLACE_SPLATS = 50_000
"""From this many splats on one can tell a room from an object, and where in it a head can be."""
PLACE_PATIENCE_S = 3.0
"""A slow link's first picture waits no longer for that many."""
STATISTICS_EVERY = 4
"""Statistics go to the server with every fourth status: once a second."""


async def play(
    config: PlayConfig,
    *,
    listen: Listener | None = None,
    connect: Connect | None = None,
    begin: Begin | None = None,
    rasterizer: Rasterizer | None = None,
    clock: Clock | None = None,
    interrupted: Callable[[PlaySummary], None] | None = None,
) -> PlaySummary:
    """Plays a scene and writes what ``config`` names.

    ``connect``, ``rasterizer`` and ``clock`` stand in for WebRTC, the rasteriser that ``config`` names and
    this machine's clock. ``begin`` fetches the beginning of the scene; nobody does where only ``connect`` is
    given.

    Kernels are compiled before the connection is opened, so that they are no part of the time to first frame.
    Cancelled, it writes out what was shown, tells ``interrupted`` what it came to, and lets go of everything.

    Raises:
        ClientError: nothing could be shown, the stream is broken, or an output cannot be written.
        SceneError: the head trace cannot be read.
    """
    clock = clock or WallClock()
    teller = Teller(listen or (lambda _: None), clock)
    staging = await _stage(config, teller, rasterizer)
    teller.say("connecting", f"connecting to {config.url}")
    teller.offered()
    if connect is None:
        begin = begin or fetch_beginning
    async with AsyncExitStack() as leaving:
        line = Lifeline(config, connect or carriers.connect, say=teller.say)
        leaving.push_async_callback(line.hang_up)
        scene = await open_scene(
            line, config.scene, timeout_s=config.connect_timeout_s, say=teller.say,
            beginning=None if begin is None else begin(config),
        )  # fmt: skip
        leaving.push_async_callback(scene.stop_connecting)
        session = _Session(config, staging, line, scene, teller=teller, clock=clock)
        return await session.run(interrupted or (lambda _: None))


async def _stage(config: PlayConfig, teller: Teller, rasterizer: Rasterizer | None) -> Staging:
    """Makes everything ready that needs no server, beside the event loop."""
    loop = asyncio.get_running_loop()

    def compiling(text: str) -> None:
        loop.call_soon_threadsafe(teller.say, "compiling", text)

    staging = await asyncio.to_thread(Staging.prepare, config, compiling, rasterizer=rasterizer)
    if staging.easel.restorer_off:
        teller.say("restorer", f"pictures are not restored: {staging.easel.restorer_off}")
    return staging


class _Session:
    """An opened scene: what its parts share. Methods run on the event loop where nothing else is said."""

    def __init__(
        self, config: PlayConfig, staging: Staging, line: Lifeline, scene: OpenedScene, *,
        teller: Teller, clock: Clock,
    ) -> None:  # fmt: skip
        self._config, self._staging, self._line, self._scene = config, staging, line, scene
        self._teller, self._clock = teller, clock
        check_budget(scene.preamble, config.max_splats)
        self._loop = asyncio.get_running_loop()
        self._places = config.path == "orbit" or scene.preamble.header.start is None
        self._covered, self._fine = asyncio.Event(), asyncio.Event()
        self._worker = DecodeWorker(
            scene.preamble, clock=clock, observer=self, max_splats=config.max_splats, fade_s=config.fade_s
        )
        self._reception = Reception(line, scene, self._worker, clock=clock, say=teller.say)
        self._recorder = Recorder(clock, on_first=self._shown_first, restorer=staging.easel.restorer.name)
        self._gauges = Gauges(
            scene, line, self._reception, self._worker, self._recorder, teller=teller, clock=clock
        )

    async def run(self, interrupted: Callable[[PlaySummary], None]) -> PlaySummary:
        """Plays to the end; cancelled, tells ``interrupted`` what it came to."""
        preamble = self._scene.preamble
        self._teller.say(
            "manifest",
            f"scene {quoted(self._scene.name)}: {preamble.file_bytes:,} bytes, "
            f"{len(preamble.chunks)} chunks at {preamble.header.levels} levels",
        )
        try:
            with brisk_switching(), first_failure():
                await self._run_all()
        except asyncio.CancelledError:
            interrupted(self.summary())
            raise
        return self.summary()

    async def _run_all(self) -> None:
        """Receives, decodes and shows, until the time is over or one of them fails."""
        with StatusLog(self._config.status_log) as log:
            try:
                async with asyncio.TaskGroup() as group:
                    decoding = group.create_task(
                        in_thread(self._worker.run, self._worker.close, name="exgs-decode")
                    )
                    group.create_task(self._reception.run())
                    reporting = group.create_task(self._report(log))
                    await self._show(decoding)
                    reporting.cancel()
            finally:
                log.note(self._gauges.read(), last=True)

    def decoded(self, chunk: Decoded) -> None:
        """Called in the decoder's thread."""
        self._loop.call_soon_threadsafe(self._decoded, chunk)

    def forgotten(self, chunks: tuple[int, ...]) -> None:
        """Called in the decoder's thread."""
        self._loop.call_soon_threadsafe(self._reception.forgotten, chunks)

    def published(self, snapshot: Snapshot) -> None:
        """Called in the decoder's thread."""
        self._loop.call_soon_threadsafe(self._published, snapshot)

    def _shown_first(self) -> None:
        """Called in the frame loop's thread."""
        self._loop.call_soon_threadsafe(self._teller.say, "first_frame", "first frame shown")

    def _decoded(self, chunk: Decoded) -> None:
        self._reception.decoded()
        if chunk.error is not None:
            self._teller.say("corrupt", f"chunk {chunk.chunk} left out: {chunk.error}")

    def _published(self, snapshot: Snapshot) -> None:
        self._teller.follow(snapshot, self._scene.preamble)
        if snapshot.base or snapshot.last:
            self._covered.set()
        if snapshot.last or (snapshot.base and len(snapshot.gaussians) >= PLACE_SPLATS):
            self._fine.set()

    async def _show(self, decoding: asyncio.Task[None]) -> None:
        """Waits for something to show, shows it until the time is over, and says goodbye."""
        try:
            await self._draw(await self._first_snapshot(decoding))
        finally:
            self._reception.leave()
            await self._line.close()

    async def _first_snapshot(self, decoding: asyncio.Task[None]) -> Snapshot:
        """The first one that covers the scene; or what there is, when no more comes in time.

        Where the way of the head is to be found in the scene itself, the first one fine enough for that.
        """
        limit_s = self._config.stall_timeout_s
        await _either(self._covered, decoding, limit_s)
        if self._places:
            await _either(self._fine, decoding, PLACE_PATIENCE_S)
        snapshot = self._worker.snapshots.get()
        if snapshot is None or not len(snapshot.gaussians):
            if self._reception.lost is not None:
                raise ClientError(f"lost before anything could be shown: {self._reception.lost}")
            count = self._worker.corrupt
            why = f"; corrupt chunks: {count}" if count else f" within {limit_s:g} s"
            raise ClientError(f"nothing that can be shown came{why}")
        return snapshot

    async def _draw(self, snapshot: Snapshot) -> None:
        staging, config = self._staging, self._config
        poses, optics = await asyncio.to_thread(
            staging.place, snapshot.gaussians, self._scene.preamble.header.start
        )
        frames = FrameLoop(
            poses, self._worker.snapshots, staging.easel,
            eyes=optics.eyes, clock=self._clock, on_frame=self._recorder.add,
        )  # fmt: skip
        levels = self._scene.preamble.header.levels
        with self._recorder.logging(config.stats, levels=levels):
            schedule = Schedule(self._clock.now(), config.fps, max(1, round(staging.seconds * config.fps)))
            self._worker.look = lambda: head_view(poses, optics, self._clock.now() - schedule.start_s)
            views = send_views(
                self._line.send, poses, optics,
                start_s=schedule.start_s, rate_hz=config.fps, clock=self._clock, whole=self._is_whole,
            )  # fmt: skip
            with first_failure():
                async with asyncio.TaskGroup() as group:
                    looking = group.create_task(views)
                    await in_thread(lambda: frames.run(schedule), frames.stop, name="exgs-frames")
                    looking.cancel()

    def _is_whole(self) -> bool:
        """Whether the newest snapshot shows all of the scene."""
        snapshot = self._worker.snapshots.get()
        return snapshot is not None and snapshot.complete

    async def _report(self, log: StatusLog) -> None:
        """Tells the listener and, once a second, the server where things stand; until cancelled."""
        count = 0
        while True:
            await asyncio.sleep(STATUS_S)
            count += 1
            status = self._gauges.read()
            self._teller.status(status)
            log.note(status)
            if count % STATISTICS_EVERY == 0:
                self._line.send(Statistics(status.measures()))

    def summary(self) -> PlaySummary:
        """What it came to so far."""
        since, tally, reception, status = (
            self._teller.since_offer_s, self._recorder.tally, self._reception, self._gauges.read()
        )  # fmt: skip
        p50, p95, p99 = tally.percentiles_ms()
        snapshot = self._worker.snapshots.get()
        return PlaySummary(
            scene=quoted(self._scene.name),
            first_chunk_s=since(reception.first_chunk_s),
            first_frame_s=since(self._recorder.first_frame_s),
            complete_s=since(self._worker.completed_s),
            frames_shown=tally.shown,
            frames_late=tally.late,
            frames_stale=tally.stale,
            frames_dropped=tally.dropped,
            frame_budget_ms=1000.0 / self._config.fps,
            frame_ms_p50=p50,
            frame_ms_p95=p95,
            frame_ms_p99=p99,
            chunks=sum(snapshot.chunks_by_level) if snapshot else 0,
            chunks_expected=len(self._scene.preamble.chunks),
            chunks_corrupt=self._worker.corrupt,
            bytes_received=reception.bytes_received,
            bytes_expected=status.bytes_expected,
            splats=status.splats,
            goodput_bytes_per_s=reception.goodput_bytes_per_s,
            rtt_ms=status.rtt_ms,
            buffered_bytes=self._worker.most_waiting_bytes,
            lost_connection=reception.lost,
            reconnects=self._line.reconnects,
            carrier=self._line.carrier,
            restorer=status.restorer,
            restorer_off=self._staging.easel.restorer_off,
            frames_restored=tally.restored,
            frames_rich=tally.rich,
            frames_whole=tally.whole,
            frames_unsure=tally.unsure,
            outputs=self._outputs(),
        )

    def _outputs(self) -> tuple[str, ...]:
        """Files and folders that were written: pictures and frames only where a frame was shown."""
        config, shown = self._config, self._recorder.first_frame_s is not None
        written = ((config.out, shown), (config.stats, shown), (config.status_log, True))
        return tuple(str(path) for path, there in written if there and path is not None)


async def _either(event: asyncio.Event, task: asyncio.Task[None], timeout_s: float) -> None:
    """Returns when ``event`` is set, ``task`` is done, or the time is over."""
    waiting = asyncio.create_task(event.wait())
    await asyncio.wait({waiting, task}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
