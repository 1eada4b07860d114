"""What all viewers share of the way out: one at a time has its turn to be sent a chunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager

from exgs.server.turns import Turns


class Uplink:
    """The turns of one server, on its event loop."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        """Who comes next."""
        self._waiting: dict[Hashable, asyncio.Future[None]] = {}
        self._held = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def active(self) -> int:
        """How many viewers were sent something lately."""
        return self.turns.active(_now_s())

    @asynccontextmanager
    async def turn(self, key: Hashable) -> AsyncIterator[Callable[[int], None]]:
        """Waits for the turn of ``key``; call what it gives with the bytes that were sent. Do not wait in it.

        A second wait of the same ``key`` takes the place of one that was given up.
        """
        granted = asyncio.get_running_loop().create_future()
        if key not in self._waiting:
            self.turns.ask(key)
        self._waiting[key] = granted
        self._serve()
        try:
            await granted
            yield lambda size_bytes: self.turns.spend(key, size_bytes, _now_s())
        finally:
            if self._waiting.get(key) is granted:
                del self._waiting[key]
                self.turns.withdraw(key)
            elif granted.done() and not granted.cancelled():
                self._held = False
            self._serve()

    def leave(self, key: Hashable) -> None:
        """``key`` is gone for good."""
        self.turns.leave(key)

    def _serve(self) -> None:
        """Gives the turn to whoever comes next, now or when the rate allows it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while not self._held:
            now_s = _now_s()
            key = self.turns.next(now_s)
            if key is None:
                self._await_rate(self.turns.wait_s(now_s))
                return
            granted = self._waiting.pop(key)
            if not granted.done():
                granted.set_result(None)
                self._held = True

    def _await_rate(self, wait_s: float | None) -> None:
        if wait_s is not None:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._serve)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
