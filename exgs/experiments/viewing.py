"""The viewer of a session on virtual time: it follows the policy of the real client, and draws nothing."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from exgs.client.optics import Optics
from exgs.client.views import MAX_UPDATES_HZ, head_view, view_update
from exgs.codec import Container
from exgs.experiments.decoding import Decoder
from exgs.experiments.ends import End
from exgs.experiments.ledger import Ledger
from exgs.experiments.timeline import Trial
from exgs.protocol import (
    ChunkReceived,
    Closed,
    Forgotten,
    ManifestReceived,
    Opened,
    OpenScene,
    Preferences,
    SceneList,
)
from exgs.protocol.megabits import bytes_per_s
from exgs.protocol.vocabulary import MAX_RECEIPT_CHUNKS
from exgs.scene.outlook import View


class Viewer:
    """Outlives its connections: what has arrived stays."""

    def __init__(self, trial: Trial, container: Container, ledger: Ledger) -> None:
        self.closed: Closed | None = None
        """Why the newest connection ended; None while it has not."""
        self.opened = False
        """Whether the greeting of the newest connection is over."""
        self.asked = False
        """Whether the scene was ever asked for."""
        self.token = b""
        """Opens the next connection; empty before the first was open."""
        self.repeated_bytes = 0
        """Of the scene, that arrived twice, over all connections."""
        self._trial, self._ledger = trial, ledger
        self._digest = sha256(container.preamble).digest()
        self._optics = Optics(trial.size, trial.fov_y_rad, None)
        self._decoder = Decoder(trial, container.parsed, ledger, self._look)
        self._have: set[int] = set()
        self._end: End | None = None
        self._view_s: float | None = None
        self._views = 0

    def meet(self, end: End) -> None:
        """From now on the server is at the other side of ``end``."""
        self._end, self.closed, self.opened = end, None, False

    def part(self) -> None:
        """The connection is gone."""
        self._end = self._view_s = None

    def begin(self, chunks: Sequence[int], requested_s: float, now_s: float) -> None:
        """The beginning of the scene is here, which the server was asked for by then."""
        self._ledger.opened_s, self._ledger.manifest_s = requested_s, now_s
        for chunk in chunks:
            self._ledger.chosen(chunk, requested_s)
            self._take(chunk, now_s)

    def act(self, now_s: float) -> None:
        """Hears the server, decodes, and tells where the head is."""
        self._let_go(self._decoder.act(now_s), now_s)
        if self._end is None:
            return
        while not self._decoder.full and (event := self._end.next_event(now_s)) is not None:
            self._heed(self._end, event, now_s)
            self._let_go(self._decoder.act(now_s), now_s)
        if self._view_s is None and self._decoder.base:
            self._view_s = now_s
        while self._view_s is not None and self._view_s <= now_s:
            self._say_view(self._end, now_s)

    def next_s(self) -> float | None:
        """When ``act`` wants to be called; None for never."""
        times = (self._decoder.next_s(), self._view_s)
        return min((at_s for at_s in times if at_s is not None), default=None)

    @property
    def content(self) -> bool:
        """Whether nothing that can happen any more changes what is on display."""
        return self._decoder.complete and self._trial.max_splats is None

    @property
    def limiter(self) -> str | None:
        """What holds the scene back, where it is this side."""
        if self._decoder.complete:
            return "complete"
        return "cpu" if self._decoder.full else None

    def _heed(self, end: End, event: object, now_s: float) -> None:
        match event:
            case Opened():
                self.opened, self.token = True, event.resume_token
                if self._ledger.opened_s is None:
                    self._ledger.opened_s = now_s
                wishes = _wishes(self._trial)
                if wishes != Preferences():
                    end.say(wishes, now_s)
            case SceneList():
                end.say(self._wish(), now_s)
                self.asked = True
            case ManifestReceived():
                self._ledger.manifest_s = now_s
            case ChunkReceived():
                self._take(event.chunk, now_s)
            case Closed():
                self.closed = event
                self.repeated_bytes += end.connection.path.repeated_bytes

    def _take(self, chunk: int, now_s: float) -> None:
        self._ledger.received(chunk, now_s)
        self._have.add(chunk)
        self._decoder.submit(chunk, now_s)

    def _wish(self) -> OpenScene:
        """The scene, without what is here."""
        if self._ledger.manifest_s is None:
            return OpenScene(0)
        have = bytearray((max(self._have, default=-1) >> 3) + 1)
        for chunk in self._have:
            have[chunk >> 3] |= 1 << (chunk & 7)
        return OpenScene(0, bytes(have), self._digest)

    def _let_go(self, gone: list[int], now_s: float) -> None:
        """Tells the server what may come again."""
        self._have.difference_update(gone)
        for start in range(0, len(gone), MAX_RECEIPT_CHUNKS):
            if self._end is not None:
                self._end.say(Forgotten(0, tuple(gone[start : start + MAX_RECEIPT_CHUNKS])), now_s)

    def _say_view(self, end: End, now_s: float) -> None:
        update = view_update(self._trial.path, self._optics, now_s, sequence=self._views, now_s=now_s)
        end.say(update, now_s)
        self._views += 1
        assert self._view_s is not None
        self._view_s += 1 / min(self._trial.fps, MAX_UPDATES_HZ)

    def _look(self, now_s: float) -> View:
        return head_view(self._trial.path, self._optics, now_s)


def _wishes(trial: Trial) -> Preferences:
    """What the user asks of the server."""
    return Preferences(max_bytes_per_s=bytes_per_s(trial.max_mbps), max_splats=trial.max_splats or 0)
