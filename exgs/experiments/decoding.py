"""The decoder of a viewer on virtual time: it takes its time, and shows what the real one shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import numpy as np

from exgs.client.decoding import MAX_WAITING_BYTES, PUBLISH_INTERVAL_S, TIDY_INTERVAL_S
from exgs.client.eviction import Keeper
from exgs.codec import Preamble
from exgs.experiments.ledger import Ledger
from exgs.experiments.timeline import Trial
from exgs.scene.outlook import View


class Decoder:
    """Decodes chunks one by one, in the order they come, and publishes what there is as the client does."""

    def __init__(
        self, trial: Trial, preamble: Preamble, ledger: Ledger, look: Callable[[float], View]
    ) -> None:
        """``look`` tells where the head is at a time."""
        self.base = False
        """Whether the coarsest level is on display in full."""
        self.complete = False
        """Whether all of the scene is on display."""
        self._chunks, self._rate = preamble.chunks, trial.decode_splats_per_s
        self._ledger, self._look = ledger, look
        self._keeper = Keeper(preamble, trial.max_splats) if trial.max_splats else None
        levels = np.array([chunk.level for chunk in preamble.chunks])
        self._roots = levels == levels.max(initial=0)
        self._have = np.zeros(len(preamble.chunks), bool)
        self._queue: deque[int] = deque()
        self._waiting_bytes = 0
        self._ready_s = 0.0
        self._new: list[int] = []
        self._old: list[int] = []
        self._next_publish_s = self._next_tidy_s = 0.0

    @property
    def full(self) -> bool:
        """Whether so much waits that no further chunk should be taken from the connection."""
        return self._waiting_bytes > MAX_WAITING_BYTES

    def submit(self, chunk: int, now_s: float) -> None:
        """Queues a chunk."""
        if not self._queue:
            self._ready_s = now_s + self._takes_s(chunk)
        self._queue.append(chunk)
        self._waiting_bytes += self._chunks[chunk].size_bytes

    def next_s(self) -> float | None:
        """When ``act`` wants to be called; None for never."""
        times = [self._ready_s] if self._queue else []
        if not self._queue and (self._new or self._old):
            times.append(self._next_publish_s)
        if self._keeper is not None and self._have.any():
            times.append(self._next_tidy_s)
        return min(times, default=None)

    def act(self, now_s: float) -> list[int]:
        """Does what is due; gives the chunks that were let go, or had no room."""
        gone: list[int] = []
        while self._queue and self._ready_s <= now_s:
            gone += self._decode(self._queue.popleft())
            if self._queue:
                self._ready_s += self._takes_s(self._queue[0])
            gone += self._tidy(now_s)
            self._publish(now_s)
        gone += self._tidy(now_s)
        if not self._queue:
            self._publish(now_s)
        return gone

    def _takes_s(self, chunk: int) -> float:
        return self._chunks[chunk].count / self._rate if self._rate else 0.0

    def _decode(self, chunk: int) -> list[int]:
        self._waiting_bytes -= self._chunks[chunk].size_bytes
        if self._keeper is not None and not self._keeper.room_for(chunk, self._have):
            self._ledger.redundant(chunk)
            return [chunk]
        if self._have[chunk]:
            self._ledger.redundant(chunk)
        else:
            self._have[chunk] = True
            self._new.append(chunk)
        return []

    def _tidy(self, now_s: float) -> list[int]:
        """Lets go of what something better could take the place of."""
        if self._keeper is None or now_s < self._next_tidy_s:
            return []
        self._next_tidy_s = now_s + TIDY_INTERVAL_S
        gone = self._keeper.choose(self._have, self._look(now_s))
        self._have[gone] = False
        self._old += [chunk for chunk in gone if chunk not in self._new]
        self._new = [chunk for chunk in self._new if chunk not in gone]
        return gone

    def _publish(self, now_s: float) -> None:
        """Shows what is new: at intervals, but at once what first covers the scene, and the last."""
        covers = not self.base and bool(self._have[self._roots].all())
        ends = not self.complete and bool(self._have.all())
        if not (self._new or self._old) or not (covers or ends or now_s >= self._next_publish_s):
            return
        for chunk in self._old:
            self._ledger.gone(chunk, now_s)
        for chunk in self._new:
            self._ledger.shown(chunk, now_s)
        self._new, self._old = [], []
        self.base, self.complete = self.base or covers, bool(self._have.all())
        self._next_publish_s = now_s + PUBLISH_INTERVAL_S
