"""Has scenes looked at while they are served already, so that what is seen from where can be sent first."""

from __future__ import annotations

import asyncio
import logging

from exgs.codec import Container
from exgs.server.errors import SceneFailed
from exgs.server.pool import WorkerPool
from exgs.server.sight import Scouted, Sight, is_worth_a_look
from exgs.server.worker import Look

LOOK_TIMEOUT_S = 120.0
"""A look that takes longer is given up: the scene is then served by what its file says."""

logger = logging.getLogger(__name__)


class Scouts:
    """Looks at scenes one after the other, in a process of its own. Lives on one event loop."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, name: str, container: Container, scouted: Scouted) -> None:
        """Has a scene looked at, if that is worth it; ``scouted`` has what was found, once it is known."""
        if not is_worth_a_look(container):
            return
        task = asyncio.create_task(self._look(name, container, scouted), name=f"look at {name}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ends the looks under way."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, name: str, container: Container, scouted: Scouted) -> None:
        try:
            found = await self._pool.run(Look(container.data))
            scouted.sight = Sight.from_bytes(found, len(container.manifest))
        except (SceneFailed, ValueError, EOFError) as error:
            logger.warning("scene %s is served without being looked at: %s", name, error)
