"""Time as the client sees it: injected, so that tests run on time of their own."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Monotonic seconds, and waiting for them."""

    def now(self) -> float:
        """Seconds since some fixed moment; never goes back."""

    def sleep_until(self, time_s: float, interrupt: threading.Event) -> None:
        """Returns at ``time_s``, at once where that is past, and early when ``interrupt`` is set."""


class WallClock:
    """The clock of this machine; the same as that of an asyncio loop."""

    def now(self) -> float:
        """Seconds of ``time.monotonic``."""
        return time.monotonic()

    def sleep_until(self, time_s: float, interrupt: threading.Event) -> None:
        """Blocks the calling thread."""
        left_s = time_s - time.monotonic()
        if left_s > 0:
            interrupt.wait(left_s)
