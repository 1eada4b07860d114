"""Looks over the shoulder of a real session: its server's transport and its client's decoder."""

from __future__ import annotations

from collections.abc import Callable

from exgs.client.clock import Clock
from exgs.client.decoding import Decoded, DecodeWorker
from exgs.client.snapshots import Snapshot
from exgs.codec import Preamble
from exgs.experiments.ledger import Ledger
from exgs.experiments.timeline import Trial
from exgs.protocol.channels import SCENE_CHANNELS, Channel
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.settings import WebRtcConfig
from exgs.protocol.messages import ChunkFragment
from exgs.protocol.wire import parse


class TappedTransport(WebRtcTransport):
    """The server's transport; it tells of each chunk whose first byte it is given."""

    def __init__(self, config: WebRtcConfig | None = None) -> None:
        super().__init__(config)
        self.on_chunk: Callable[[int], None] = lambda chunk: None
        """Called with the id."""

    def send(self, channel: Channel, data: bytes) -> None:
        """See Transport."""
        if channel in SCENE_CHANNELS:
            message = parse(data, channel)
            if isinstance(message, ChunkFragment) and message.offset == 0:
                self.on_chunk(message.chunk)
        super().send(channel, data)


class Witness:
    """Takes down what a client receives and shows. The decoder calls it in a thread of its own."""

    def __init__(self, ledger: Ledger, since_offer_s: Callable[[], float]) -> None:
        self.newest: Snapshot | None = None
        """What is on display; None before anything is."""
        self.on_decoded: Callable[[], None] = lambda: None
        """Called after each chunk, in the decoder's thread."""
        self.on_forgotten: Callable[[tuple[int, ...]], None] = lambda chunks: None
        """Called with chunks that were let go, in the decoder's thread."""
        self.on_published: Callable[[Snapshot], None] = lambda snapshot: None
        """Called with each snapshot, in the decoder's thread."""
        self._ledger, self._now_s = ledger, since_offer_s
        self._have: set[int] = set()
        self._new: list[int] = []
        self._old: list[int] = []
        self._refused: set[int] = set()

    def decoded(self, chunk: Decoded) -> None:
        """See Observer."""
        if chunk.chunk in self._refused:
            self._refused.discard(chunk.chunk)
        elif chunk.chunk in self._have:
            self._ledger.redundant(chunk.chunk)
        elif chunk.error is None:
            self._have.add(chunk.chunk)
            self._new.append(chunk.chunk)
        self.on_decoded()

    def forgotten(self, chunks: tuple[int, ...]) -> None:
        """See Observer. What was never there had no room."""
        for chunk in chunks:
            if chunk not in self._have:
                self._ledger.redundant(chunk)
                self._refused.add(chunk)
            elif chunk in self._new:
                self._new.remove(chunk)
            else:
                self._old.append(chunk)
        self._have.difference_update(chunks)
        self.on_forgotten(chunks)

    def published(self, snapshot: Snapshot) -> None:
        """See Observer."""
        now_s = self._now_s()
        for chunk in self._old:
            self._ledger.gone(chunk, now_s)
        for chunk in self._new:
            self._ledger.shown(chunk, now_s)
        self._new, self._old, self.newest = [], [], snapshot
        self.on_published(snapshot)


class WatchedWorker(DecodeWorker):
    """The client's decoder; it takes down what arrives."""

    def __init__(
        self, trial: Trial, preamble: Preamble, ledger: Ledger, witness: Witness, *,
        clock: Clock, offer_s: float,
    ) -> None:  # fmt: skip
        super().__init__(preamble, clock=clock, observer=witness, max_splats=trial.max_splats or 0)
        self._ledger, self._offer_s, self._time = ledger, offer_s, clock

    def submit(self, chunk: int, data: bytes) -> None:
        """See DecodeWorker."""
        self._ledger.received(chunk, self._time.now() - self._offer_s)
        super().submit(chunk, data)
