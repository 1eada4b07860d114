"""Whether this process keeps up: how late its event loop is."""

from __future__ import annotations

import asyncio
from collections import deque
from statistics import median

STEP_S = 0.1
SPAN_S = 2.0
"""One long step says nothing; this much of the past is looked at."""


class Load:
    """Lateness of timers, lately."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=round(SPAN_S / STEP_S))

    def note(self, late_s: float) -> None:
        """A timer fired so late."""
        self._late_s.append(late_s)

    @property
    def late_s(self) -> float:
        """How late half of the timers are, at least; 0 before enough was seen."""
        return median(self._late_s) if 2 * len(self._late_s) >= SPAN_S / STEP_S else 0.0

    async def watch(self) -> None:
        """Looks on for ever."""
        loop = asyncio.get_running_loop()
        while True:
            start_s = loop.time()
            await asyncio.sleep(STEP_S)
            self.note(loop.time() - start_s - STEP_S)
