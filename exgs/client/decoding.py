"""Chunks into snapshots, in a thread of its own."""

from __future__ import annotations

import queue
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exgs.client.clock import Clock
from exgs.client.errors import ClientError
from exgs.client.snapshots import Latest, Snapshot
from exgs.codec import Assembly, DecodeError, Preamble, decode_chunk

MAX_WAITING_BYTES = 4 << 20
"""Beyond this ``full`` asks the session to take no further chunk: so receipts, and the server, wait too."""
MAX_CORRUPT_CHUNKS = 8
"""With more than this the stream is taken for broken."""
PUBLISH_INTERVAL_S = 0.05
"""Least time between two snapshots while chunks keep coming."""
PUBLISH_SHARE = 0.25
"""Largest share of the thread's time that goes into putting snapshots together."""


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

    def published(self, snapshot: Snapshot) -> None:
        """A new snapshot may be read."""


class DecodeWorker:
    """Decodes chunks in the order they come and publishes the scene after them.

    ``submit`` and ``close`` belong to the session's thread, ``run`` is the body of the worker's.
    """

    def __init__(self, preamble: Preamble, *, clock: Clock, observer: Observer) -> None:
        self.snapshots: Latest[Snapshot] = Latest()
        """The scene as it now shows."""
        self.corrupt = 0
        """Chunks that could not be decoded."""
        self.most_waiting_bytes = 0
        """Most bytes that ever waited."""
        self.completed_s: float | None = None
        """When the last chunk was decoded; None before."""
        self._preamble, self._clock, self._observer = preamble, clock, observer
        self._assembly = Assembly(preamble)
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
        return self._submitted_bytes - self._taken_bytes > MAX_WAITING_BYTES

    def submit(self, chunk: int, data: bytes) -> None:
        """Queues a chunk.

        Raises:
            ClientError: the manifest names no such chunk.
        """
        if not 0 <= chunk < len(self._have):
            raise ClientError(f"the server sent chunk {chunk}; the manifest names {len(self._have)} chunks")
        self._submitted_bytes += len(data)
        self.most_waiting_bytes = max(self.most_waiting_bytes, self._submitted_bytes - self._taken_bytes)
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
                item = self._queue.get(timeout=self._until_publish_s())
            except queue.Empty:
                self._publish()
                continue
            if item is None:
                break
            self._decode(*item)
            if self._publish_now():
                self._publish()
        if self._unpublished:
            self._publish()

    def _decode(self, chunk: int, data: bytes) -> None:
        """Takes one chunk into the assembly; one that came before is ignored."""
        error = None
        self._tried[chunk] = True
        if not self._have[chunk]:
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
            return False
        covers_first = self._base() and (newest is None or not newest.base)
        return covers_first or self._clock.now() >= self._next_publish_s

    def _until_publish_s(self) -> float | None:
        """How long the queue may be waited for; None for ever."""
        return max(0.0, self._next_publish_s - self._clock.now()) if self._unpublished else None

    def _publish(self) -> None:
        began_s = self._clock.now()
        levels = self._preamble.header.levels
        self._number += 1
        snapshot = Snapshot(
            number=self._number,
            gaussians=self._assembly.gaussians(),
            splats_resident=int(self._counts[self._have].sum()),
            chunks_by_level=tuple(np.bincount(self._levels[self._have], minlength=levels).tolist()),
            bytes_received=self._received_bytes,
            base=self._base(),
            complete=bool(self._have.all()),
            last=bool(self._tried.all()),
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
