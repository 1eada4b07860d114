"""The beginning of a scene by plain HTTP: something to look at while the viewer's connection is being made.

It is the file's first bytes, up to the end of the coarsest level, which alone shows the whole scene. The
session that follows goes on from there, as one does that was lost: the viewer names what it has.
"""

from __future__ import annotations

from dataclasses import dataclass

from exgs.codec import Container
from exgs.protocol.vocabulary import MAX_SCENES
from exgs.server.callers import Callers
from exgs.server.config import Limits
from exgs.server.errors import NotReady, Refused, UnknownScene
from exgs.server.house import House
from exgs.server.reception import Reception

MAX_BEGINNING_BYTES = 256 << 10
"""No more of a file is told this way; what is left of the coarsest level then comes first in the session."""


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a scene."""

    name: str
    """What the scene is called."""
    data: memoryview
    """Its preamble, and as much of its coarsest level as there is room for."""


class Beginnings:
    """Gives out beginnings; bounded as sessions are."""

    def __init__(self, house: House, reception: Reception, limits: Limits) -> None:
        self._house, self._reception = house, reception
        self._callers = Callers(limits.calls, limits.calls_per_s)

    async def get(self, name: str | None, *, address: str, now_s: float) -> Beginning:
        """The beginning of scene ``name``, or of the first in the list of a viewer who names none.

        Raises:
            UnknownScene: there is none of that name, or none at all.
            NotReady: it must be encoded first, or its preamble alone is too long.
            Refused: the server has no place for a viewer, or that address asks too often.
        """
        wait_s = self._callers.wait_s(address, now_s)
        if wait_s > 0:
            raise Refused.too_often(wait_s)
        self._reception.check_places(address)
        reports = (await self._house.library.list())[:MAX_SCENES]
        report = next((report for report in reports if name in (None, report.name)), None)
        if report is None:
            raise UnknownScene("no scene of that name is served")
        if report.state != "ready":
            raise NotReady("that scene is not encoded yet")
        scene = await self._house.library.open(report.name)
        size = beginning_bytes(scene.container)
        if not size:
            raise NotReady("that scene has no short beginning")
        await self._spend(size)
        return Beginning(report.name, scene.container.data[:size])

    async def _spend(self, size: int) -> None:
        """Waits for a turn on the way out that all viewers share."""
        key, uplink = object(), self._house.uplink
        try:
            async with uplink.turn(key) as spend:
                spend(size)
        finally:
            uplink.leave(key)
        self._house.metrics.sent_bytes.inc(size)


def beginning_bytes(container: Container) -> int:
    """How much of a file is its beginning; 0 where not even one chunk has room."""
    coarsest, end = container.header.levels - 1, 0
    for chunk in container.manifest:
        if chunk.level != coarsest or chunk.offset + chunk.size_bytes > MAX_BEGINNING_BYTES:
            break
        end = chunk.offset + chunk.size_bytes
    return end
