"""The half of a session that sends: the scene that its viewer asks for, chunk by chunk, each chosen late."""

from __future__ import annotations

import asyncio
import time

from exgs.protocol import Endpoint, Forgotten, OpenScene, Preferences, SceneState, SceneStatus
from exgs.protocol.vocabulary import MAX_REASON_BYTES
from exgs.server.callers import Bucket
from exgs.server.errors import ServerError, UnknownScene
from exgs.server.hearing import display_delay_s, held_ids, view_at_start, view_of
from exgs.server.house import House
from exgs.server.memory import Remembered
from exgs.server.pacer import Pacer
from exgs.server.schedule import Schedule
from exgs.server.shelf import OpenedScene
from exgs.server.standing import Standing

PROGRESS_STEP = 0.01
"""A viewer who waits for an encoding hears of each further hundredth."""
OPENINGS_AT_ONCE, OPENINGS_PER_S = 8.0, 2.0
"""A viewer who asks for scenes more often than this waits; each wish takes the place of the one before."""


class Feeder:
    """Feeds one viewer. ``feed`` is cancelled when the viewer asks for another scene, or leaves."""

    def __init__(self, endpoint: Endpoint, house: House, remembered: Remembered, standing: Standing) -> None:
        """``remembered`` has the viewer's wishes and its view of old; ``standing`` is kept up to date."""
        self._endpoint, self._remembered, self._standing = endpoint, remembered, standing
        self._library, self._metrics, self._uplink = house.library, house.metrics, house.uplink
        self._order = house.order
        self._schedule: Schedule | None = None
        self._seen: object = None
        self._changed = asyncio.Event()
        self._pacer = Pacer()
        self._openings = Bucket(OPENINGS_AT_ONCE, OPENINGS_PER_S)
        self._counted_s = time.monotonic()

    def wish(self, wishes: Preferences) -> None:
        """The viewer wants something else from now on; what was sent at another rate does not count."""
        if wishes.max_bytes_per_s != self._remembered.wishes.max_bytes_per_s:
            self._pacer = Pacer()
        self._remembered.wishes = wishes
        self._changed.set()

    def forgotten(self, gone: Forgotten) -> None:
        """The viewer has let go of chunks."""
        if self._schedule is not None:
            self._schedule.forgotten(gone.chunks)
            self._changed.set()

    def count_limiter(self) -> None:
        """Adds the time since the last count to what held streaming back."""
        now_s = time.monotonic()
        since_s, self._counted_s = now_s - self._counted_s, now_s
        if self._schedule is None:
            return
        limiter = self._standing.limiter(self._endpoint, remaining=bool(self._schedule.remaining))
        self._metrics.limited_s.labels(limiter).inc(since_s)

    def end(self) -> None:
        """The viewer is gone."""
        self._uplink.leave(self)

    async def feed(self, wish: OpenScene, name: str | None) -> None:
        """Sends one scene, called ``name`` where the list has it: its state, its manifest, its chunks."""
        started_s = time.monotonic()
        self._schedule = None
        await asyncio.sleep(self._openings.wait_s(started_s))
        try:
            scene = await self._open(wish.scene, name)
            kept = wish.manifest == scene.digest
            held = held_ids(wish.have if kept else b"")
            view = view_at_start(scene.container.header)
            schedule = Schedule(scene.table, held=held, order=self._order, scouted=scene.scouted, view=view)
        except ServerError as error:
            self._report(wish.scene, SceneState.REFUSED, detail=str(error))
            return
        self._schedule, self._seen = schedule, None
        self._standing.chunks = len(scene.container.manifest)
        self._report(wish.scene, SceneState.STREAMING)
        if await self._send_manifest(wish.scene, scene, kept=kept):
            await self._send_chunks(wish.scene, scene, started_s)

    async def _open(self, number: int, name: str | None) -> OpenedScene:
        if name is None:
            raise UnknownScene(f"no scene has the number {number}")
        self._standing.watches(name)
        said = -1.0

        def listener(progress: float) -> None:
            nonlocal said
            if progress >= said + PROGRESS_STEP:
                said = progress
                self._report(number, SceneState.PREPARING, progress=progress)

        return await self._library.open(name, listener)

    async def _send_manifest(self, number: int, scene: OpenedScene, *, kept: bool) -> bool:
        """Sends the manifest, or says that the viewer's is right; False where it wants another scene."""
        if kept:
            return self._endpoint.keep_manifest(number)
        async with self._uplink.turn(self) as spend:
            sent = self._endpoint.send_manifest(number, scene.container.preamble)
            spend(len(scene.container.preamble) if sent else 0)
        return sent

    async def _send_chunks(self, number: int, scene: OpenedScene, started_s: float) -> None:
        schedule, first = self._schedule, True
        assert schedule is not None
        while True:
            await self._need(number, schedule)
            if not await self._room():
                return
            self._standing.in_line = True
            async with self._uplink.turn(self) as spend:
                self._standing.in_line = False
                if not self._endpoint.wants_chunk():
                    continue  # it had room when it began to wait
                chunk_id = self._choose(schedule)
                if chunk_id is not None:
                    data = bytes(scene.container.chunk(chunk_id))
                    if not self._endpoint.send_chunk(number, chunk_id, data):
                        return
                    spend(len(data))
                    self._count(len(data))
            if chunk_id is None:
                await self._wishes_change()
            elif first:
                self._metrics.first_chunk_s.observe(time.monotonic() - started_s)
                first = False

    def _choose(self, schedule: Schedule) -> int | None:
        """The chunk that is wanted most where the head is now; None where the viewer's budget has no room."""
        update = self._endpoint.view or self._remembered.view
        if update is not None and update is not self._seen:
            self._seen = update
            if (view := view_of(update)) is not None:
                schedule.see(view)
        budget = self._remembered.wishes.max_splats or None
        return schedule.next_chunk(max_splats=budget, delay_s=self._delay_s())

    def _count(self, size_bytes: int) -> None:
        """Notes a chunk sent."""
        self._pacer.spend(size_bytes, self._remembered.wishes.max_bytes_per_s, time.monotonic())
        self._metrics.sent_chunks.inc()
        self._metrics.sent_bytes.inc(size_bytes)
        self._standing.sent(size_bytes)

    async def _need(self, number: int, schedule: Schedule) -> None:
        """Returns when there is a chunk to send; says so where all were, and waits for one to be let go."""
        if not schedule.remaining:
            self._report(number, SceneState.COMPLETE, progress=1.0)
            self._metrics.completed.inc()
        while not schedule.remaining:
            await self._wishes_change()

    def _delay_s(self) -> float | None:
        end = self._endpoint
        return display_delay_s(
            end.rtt_s, waiting_bytes=end.buffered_bytes, bytes_per_s=end.delivered_bytes_per_s
        )

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
        self._changed.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return

    def _report(self, number: int, state: SceneState, *, progress: float = 0.0, detail: str = "") -> None:
        self._standing.state = state.name.lower()
        short = detail.encode()[:MAX_REASON_BYTES].decode(errors="ignore")
        self._endpoint.send(SceneStatus(number, int(state), progress, short))
