"""A download on virtual time: one file over one TCP connection, of no use before it is whole."""

from __future__ import annotations

from exgs.codec import Container
from exgs.experiments.habits import TCP
from exgs.experiments.handshake import PIECE_BYTES, REQUEST, RESPONSE_BYTES
from exgs.experiments.ledger import Ledger, Way
from exgs.experiments.lines import carry, lines_of
from exgs.experiments.peering import Peering
from exgs.experiments.timeline import Blob, Timeline, Trial
from exgs.protocol import Role
from exgs.protocol.channels import Channel


def play_download(trial: Trial) -> Timeline:
    """Plays a trial whose file is fetched whole. The user's cap on the rate and on splats plays no part."""
    return _Download(trial).play()


class _Download:
    """A request and its answer."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self._ledger = trial, Ledger(trial)
        self._lines = lines_of(trial)
        self._peering = Peering(self._lines, REQUEST, 0.0, habits=TCP)
        self._ends_at = _ends_at(trial.scene)
        self._arrived_bytes = 0
        self._requested_s = self._whole_s = self._shown_s = float("inf")

    def play(self) -> Timeline:
        """Lets everything happen, up to the end."""
        while (now_s := self._next_s()) <= self._trial.seconds:
            self._happen(now_s)
        if self._shown_s <= self._trial.seconds:
            for chunk, _ in self._ends_at:
                self._ledger.shown(chunk, self._shown_s)
        way = Way(self._lines[Role.CLIENT].counts, self._lines[Role.SERVER].counts)
        return self._ledger.timeline("virtual", way, self._limiter_at)

    def _next_s(self) -> float:
        times = (self._peering.next_s(), *(line.next_s() for line in self._lines.values()))
        return min((at_s for at_s in times if at_s is not None), default=float("inf"))

    def _happen(self, now_s: float) -> None:
        for _, messages in carry(self._lines, now_s):
            for _, data in messages:
                self._take(len(data), now_s)
        self._peering.handle_timers(now_s)
        if Role.SERVER in self._peering.newly_up():
            self._answer(now_s)

    def _answer(self, now_s: float) -> None:
        """The whole file, at once, for the connection to carry as it can."""
        self._requested_s = now_s
        for chunk, _ in self._ends_at:
            self._ledger.chosen(chunk, now_s)
        left, piece = RESPONSE_BYTES + self._ends_at[-1][1], bytes(PIECE_BYTES)
        while left > 0:
            self._peering.send(Role.SERVER, Channel.CONTROL, piece[:left], now_s)
            left -= PIECE_BYTES

    def _take(self, size_bytes: int, now_s: float) -> None:
        if self._ledger.opened_s is None:
            self._ledger.opened_s = self._requested_s
        before = self._arrived_bytes - RESPONSE_BYTES
        self._arrived_bytes += size_bytes
        now_there = self._arrived_bytes - RESPONSE_BYTES
        if (
            isinstance(self._trial.scene, Container)
            and before < self._trial.scene.parsed.size_bytes <= now_there
        ):
            self._ledger.manifest_s = now_s
        for chunk, end in self._ends_at:
            if before < end <= now_there:
                self._ledger.received(chunk, now_s)
        if now_there >= self._ends_at[-1][1]:
            self._whole_s = now_s
            self._shown_s = now_s + _decoding_s(self._trial)

    def _limiter_at(self, time_s: float) -> str:
        if time_s >= self._shown_s:
            return "complete"
        if time_s >= self._whole_s:
            return "cpu"
        return "link" if time_s >= self._requested_s else "handshake"


def _ends_at(scene: Container | Blob) -> list[tuple[int, int]]:
    """Every chunk, and at which byte of the file it ends."""
    if isinstance(scene, Blob):
        return [(0, scene.size_bytes)]
    return [(info.id, info.offset + info.size_bytes) for info in scene.manifest]


def _decoding_s(trial: Trial) -> float:
    """How long the whole file takes to decode."""
    scene = trial.scene
    splats = scene.splats if isinstance(scene, Blob) else sum(info.count for info in scene.manifest)
    return splats / trial.decode_splats_per_s if trial.decode_splats_per_s else 0.0
