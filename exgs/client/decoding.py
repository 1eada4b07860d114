"""Chunks into snapshots, in a thread of its own."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exgs.client.clock import Clock
from exgs.client.errors import ClientError
from exgs.client.eviction import Keeper
from exgs.client.fading import Transitions
from exgs.client.snapshots import Latest, Snapshot
from exgs.codec import Assembly, DecodeError, Preamble, decode_chunk
from exgs.scene.outlook import View

MAX_WAITING_BYTES = 4 << 20
"""Beyond this ``full`` asks the session to take no further chunk: so receipts, and the server, wait too."""
MAX_CORRUPT_CHUNKS = 8
"""With more than this the stream is taken for broken."""
PUBLISH_INTERVAL_S = 0.05
"""Least time between two snapshots while chunks keep coming."""
PUBLISH_SHARE = 0.25
"""Largest share of the thread's time that goes into putting snapshots together."""

TIDY_INTERVAL_S = 0.2
"""Least time between two looks for what to let go."""


@dataclass(frozen=True)
class Decoded:
    """What became of one chunk."""

    chunk: int
    """Its id."""
    error: str | None = None
    """Why it could not be decoded; None where it was."""


class Observer(Protocol):
    """Is told what the worker did, in the worker's thread."""

    def decoded(self, chunk: Decoded) -> None:
        """One chunk was decoded, or could not be."""

    def forgotten(self, chunks: tuple[int, ...]) -> None:
        """Chunks were let go to make room."""

    def published(self, snapshot: Snapshot) -> None:
        """A new snapshot may be read."""


class DecodeWorker:
    """Decodes chunks in the order they come and publishes the scene after them.

    ``submit`` and ``close`` belong to the session's thread, ``run`` is the body of the worker's.
    """

    def __init__(
        self,
        preamble: Preamble,
        *,
        clock: Clock,
        observer: Observer,
        max_splats: int = 0,
        fade_s: float = 0.0,
    ) -> None:
        """``max_splats`` may be held, 0 for any number; a change of detail takes ``fade_s``."""
        self.snapshots: Latest[Snapshot] = Latest()
        """The scene as it now shows."""
        self.corrupt = 0
        """Chunks that could not be decoded."""
        self.most_waiting_bytes = 0
        """Most bytes that ever waited."""
        self.completed_s: float | None = None
        """When the last chunk was decoded; None before."""
        self.look: Callable[[], View | None] = lambda: None
        """Tells where the head is; called in the worker's thread."""
        self._preamble, self._clock, self._observer = preamble, clock, observer
        self._assembly, self._transitions = Assembly(preamble), Transitions(fade_s)
        self._keeper = Keeper(preamble, max_splats) if max_splats else None
        self._next_tidy_s = -float("inf")
        self._levels = np.array([chunk.level for chunk in preamble.chunks], np.int64)
        self._counts = np.array([chunk.count for chunk in preamble.chunks], np.int64)
        self._have = np.zeros(len(preamble.chunks), bool)
        self._tried = np.zeros(len(preamble.chunks), bool)
        self._queue: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._submitted_bytes = self._taken_bytes = 0
        self._received_bytes = preamble.size_bytes
        self._number, self._unpublished, self._next_publish_s = 0, False, -float("inf")

    @property
    def full(self) -> bool:
        """Whether so much waits that no further chunk should be taken from the connection."""
        return self.waiting_bytes > MAX_WAITING_BYTES

    @property
    def waiting_bytes(self) -> int:
        """Bytes of chunks that wait to be decoded."""
        return self._submitted_bytes - self._taken_bytes

    def held(self) -> np.ndarray:
        """Which chunks are decoded and held, boolean [chunks]; any thread may ask."""
        return self._have.copy()

    def submit(self, chunk: int, data: bytes) -> None:
        """Queues a chunk.

        Raises:
            ClientError: the manifest names no such chunk.
        """
        if not 0 <= chunk < len(self._have):
            raise ClientError(f"the server sent chunk {chunk}; the manifest names {len(self._have)} chunks")
        self._submitted_bytes += len(data)
        self.most_waiting_bytes = max(self.most_waiting_bytes, self.waiting_bytes)
        self._queue.put((chunk, data))

    def close(self) -> None:
        """Lets ``run`` return once everything queued is decoded."""
        self._queue.put(None)

    def run(self) -> None:
        """Decodes until closed.

        Raises:
            ClientError: more than ``MAX_CORRUPT_CHUNKS`` chunks could not be decoded.
        """
        while True:
            try:
                item = self._queue.get(timeout=self._until_due_s())
            except queue.Empty:
                self._tidy()
                if self._unpublished or self._settled():
                    self._publish()
                continue
            if item is None:
                break
            self._decode(*item)
            self._tidy()
            if self._publish_now():
                self._publish()
        if self._unpublished:
            self._publish()

    def _decode(self, chunk: int, data: bytes) -> None:
        """Takes one chunk into the assembly; one that came before is ignored."""
        error = None
        self._tried[chunk] = True
        if self._keeper is not None and not self._keeper.room_for(chunk, self._have):
            self._forget([chunk])
        elif not self._have[chunk]:
            try:
                self._assembly.add(chunk, decode_chunk(self._preamble, chunk, data))
            except DecodeError as fault:
                error = str(fault)
                self._count_corrupt(error)
            else:
                self._have[chunk] = self._unpublished = True
                self._received_bytes += len(data)
        self._taken_bytes += len(data)
        self._observer.decoded(Decoded(chunk, error))

    def _tidy(self) -> None:
        """Lets go of what something better could take the place of."""
        if self._keeper is None or self._clock.now() < self._next_tidy_s:
            return
        self._next_tidy_s = self._clock.now() + TIDY_INTERVAL_S
        self._forget(self._keeper.choose(self._have, self.look()))

    def _forget(self, chunks: list[int]) -> None:
        gone = [chunk for chunk in chunks if self._have[chunk]]
        for chunk in gone:
            self._assembly.remove(chunk)
        self._have[gone] = False
        self._unpublished |= bool(gone)
        self._tried[chunks] = False
        if chunks:
            self._observer.forgotten(tuple(chunks))

    def _count_corrupt(self, error: str) -> None:
        self.corrupt += 1
        if self.corrupt > MAX_CORRUPT_CHUNKS:
            raise ClientError(
                f"the stream is broken: {self.corrupt} chunks could not be decoded; last: {error}"
            )

    def _publish_now(self) -> bool:
        """Whether a snapshot is due, or may not wait: the first that covers the scene, and the last."""
        newest = self.snapshots.get()
        if self._tried.all() and (newest is None or not newest.last):
            return True
        if not self._unpublished:
            return self._settled()
        covers_first = self._base() and (newest is None or not newest.base)
        return covers_first or self._clock.now() >= self._next_publish_s

    def _settled(self) -> bool:
        """Whether nothing goes any more of what the newest snapshot shows going."""
        return self._clock.now() >= self._transitions.settled_s()

    def _until_due_s(self) -> float | None:
        """How long the queue may be waited for; None for ever."""
        due_s = self._next_publish_s if self._unpublished else self._transitions.settled_s()
        if self._keeper is not None:
            due_s = min(due_s, self._next_tidy_s)
        return None if due_s == float("inf") else max(0.0, due_s - self._clock.now())

    def _publish(self) -> None:
        began_s = self._clock.now()
        levels = self._preamble.header.levels
        self._number += 1
        gaussians, fades, going = self._transitions.compose(self._assembly, began_s)
        snapshot = Snapshot(
            number=self._number,
            gaussians=gaussians,
            splats_resident=int(self._counts[self._have].sum()),
            chunks_by_level=tuple(np.bincount(self._levels[self._have], minlength=levels).tolist()),
            bytes_received=self._received_bytes,
            base=self._base(),
            complete=bool(self._have.all()),
            last=bool(self._tried.all()),
            fades=fades,
            going=going,
        )
        self.snapshots.put(snapshot)
        self._unpublished = False
        now_s = self._clock.now()
        if snapshot.complete and self.completed_s is None:
            self.completed_s = now_s
        self._observer.published(snapshot)
        self._next_publish_s = now_s + max(PUBLISH_INTERVAL_S, (now_s - began_s) / PUBLISH_SHARE)

    def _base(self) -> bool:
        return bool(self._have[self._levels == self._levels.max()].all())
