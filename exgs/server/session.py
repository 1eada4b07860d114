"""One viewer: greets it, hears it, and has it fed what it asks for, for as long as it listens."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

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
    SessionClosed,
    Statistics,
)
from exgs.protocol.vocabulary import MAX_SCENES
from exgs.server.errors import ServerError
from exgs.server.feeding import Feeder
from exgs.server.house import House
from exgs.server.library import SceneReport
from exgs.server.memory import Remembered
from exgs.server.standing import SessionReport, Standing

SHOWN_MEASURES = ("splats", "frames_shown", "frames_late", "frames_dropped", "frame_ms_p50", "frame_ms_p95")
"""Of the figures that viewers report, those that a report of the session has."""

logger = logging.getLogger(__name__)


class Session:
    """Lives as long as its endpoint; ``run`` is its life."""

    def __init__(
        self,
        name: str,
        endpoint: Endpoint,
        house: House,
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
        self._endpoint, self._first = endpoint, first
        self._library, self._metrics = house.library, house.metrics
        self._scenes: list[str] = []
        self._recall, self._remembered = recall, remembered or Remembered(name)
        self._standing = Standing(name, carrier)
        self._feeder = Feeder(endpoint, house, self._remembered, self._standing)

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
            self.note_view()
            self._feeder.end()
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
                    feeding = tasks.create_task(self._feeder.feed(event, self._name_of(event.scene)))
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
        self._feeder.count_limiter()
        match event:
            case Preferences():
                self._feeder.wish(event)
            case Forgotten():
                self._feeder.forgotten(event)
            case Statistics():
                self._metrics.note_client(self.name, event.values)
                self._standing.viewer = event.values
            case ChunksDelivered():
                self._metrics.delivered_chunks.inc(len(event.chunks))
                if (rtt_s := self._endpoint.rtt_s) is not None:
                    self._metrics.rtt_s.observe(rtt_s)
            case _:
                logger.debug("session %s: %s", self.name, type(event).__name__)

    def note_view(self) -> None:
        """Keeps where the head was, for whoever continues this session."""
        self._remembered.view = self._endpoint.view or self._remembered.view

    def _name_of(self, number: int) -> str | None:
        return self._scenes[number] if number < len(self._scenes) else None

    async def _say_scenes(self) -> None:
        try:
            reports = await self._library.list()
        except ServerError as error:
            logger.warning("session %s: %s", self.name, error)
            reports = []
        reports.sort(key=lambda report: report.name != self._first)  # the others stay as they are
        self._scenes = [report.name for report in reports[:MAX_SCENES]]
        infos = (_info(number, report) for number, report in enumerate(reports[:MAX_SCENES]))
        self._endpoint.send(SceneList(tuple(infos)))


def _info(number: int, report: SceneReport) -> SceneInfo:
    return SceneInfo(number, report.name, report.size_bytes, report.splats, report.state == "ready")
