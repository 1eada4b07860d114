"""The server of a session on virtual time: the real schedule and pacer, fed as a server feeds them."""

from __future__ import annotations

from hashlib import sha256

from exgs.codec import Container
from exgs.codec.worth import ChunkTable
from exgs.experiments.ends import End
from exgs.experiments.ledger import Ledger
from exgs.protocol import (
    Forgotten,
    Limiter,
    Opened,
    OpenScene,
    Preferences,
    SceneInfo,
    SceneList,
    SceneState,
    SceneStatus,
    ViewUpdate,
)
from exgs.server.hearing import display_delay_s, held_ids, view_at_start, view_of
from exgs.server.orders import Order
from exgs.server.pacer import Pacer
from exgs.server.schedule import Schedule
from exgs.server.sight import Scouted, Sight

SCENE = 0
"""The only one that there is."""


class Server:
    """Outlives the connections of its one viewer: it remembers what the viewer wants, and where it looked."""

    def __init__(
        self, container: Container, order: Order, ledger: Ledger, *, sight: Sight | None = None
    ) -> None:
        """``sight`` is what it has found out about the scene before."""
        self._container, self._order, self._ledger = container, order, ledger
        self._table = ChunkTable(container.manifest)
        self._scouted = Scouted(sight)
        self._digest = sha256(container.preamble).digest()
        self._wishes = Preferences()
        self._view: ViewUpdate | None = None
        self._end: End | None = None
        self._forget()

    def meet(self, end: End) -> None:
        """From now on the viewer is at the other side of ``end``."""
        self._end = end
        self._forget()

    def part(self) -> None:
        """The connection is gone."""
        self._end = None
        self._forget()

    def restart(self) -> None:
        """It is killed, and begun anew."""
        self._wishes, self._view = Preferences(), None
        self.part()

    def act(self, now_s: float) -> None:
        """Hears what the viewer said, and sends what there is room for."""
        if self._end is None:
            return
        while (event := self._end.next_event(now_s)) is not None:
            self._heed(self._end, event, now_s)
        if self._schedule is not None:
            self._feed(self._end, self._schedule, now_s)

    def next_s(self) -> float | None:
        """When ``act`` wants to be called; None for never."""
        return self._paced_s

    @property
    def limiter(self) -> str:
        """What holds the scene back, as far as it can be known here."""
        if self._end is None or self._schedule is None:
            return "handshake"
        limiter = self._end.connection.limiter
        if limiter is not Limiter.OWNER:
            return limiter.value
        if self._paced_s is not None:
            return "cap"
        return "budget" if self._stuck else "link"

    def _forget(self) -> None:
        self._schedule: Schedule | None = None
        self._seen: ViewUpdate | None = None
        self._pacer = Pacer()
        self._paced_s: float | None = None
        self._stuck = self._complete = False

    def _heed(self, end: End, event: object, now_s: float) -> None:
        match event:
            case Opened():
                name, scene = "scene", self._container
                info = SceneInfo(SCENE, name, len(scene.data), sum(self._table.splats.tolist()), True)
                end.say(SceneList((info,)), now_s)
            case OpenScene():
                self._open(end, event, now_s)
            case ViewUpdate():
                self._view = event
            case Preferences():
                if event.max_bytes_per_s != self._wishes.max_bytes_per_s:
                    self._pacer = Pacer()
                self._wishes, self._stuck = event, False
            case Forgotten() if self._schedule is not None:
                self._schedule.forgotten(event.chunks)
                self._stuck = self._complete = False

    def _open(self, end: End, wish: OpenScene, now_s: float) -> None:
        kept = wish.manifest == self._digest
        held = held_ids(wish.have) if kept else ()
        self._schedule = Schedule(
            self._table, held=held, order=self._order, scouted=self._scouted,
            view=view_at_start(self._container.header),
        )  # fmt: skip
        end.say(SceneStatus(SCENE, SceneState.STREAMING), now_s)
        if kept:
            end.connection.keep_manifest(SCENE)
        else:
            end.connection.send_manifest(SCENE, self._container.preamble, now_s)
        end.stir()

    def _feed(self, end: End, schedule: Schedule, now_s: float) -> None:
        """Chooses chunks as long as there is room for one more."""
        self._paced_s = None
        while not self._stuck and schedule.remaining and end.connection.wants_chunk(now_s):
            if self._wishes.max_bytes_per_s and self._pacer.wait_s(now_s) > 0:
                self._paced_s = now_s + self._pacer.wait_s(now_s)
                return
            self._look(schedule)
            budget = self._wishes.max_splats or None
            chunk = schedule.next_chunk(max_splats=budget, delay_s=_delay_s(end))
            if chunk is None:
                self._stuck = True
                return
            data = bytes(self._container.chunk(chunk))
            end.connection.send_chunk(SCENE, chunk, data, now_s)
            self._pacer.spend(len(data), self._wishes.max_bytes_per_s, now_s)
            self._ledger.chosen(chunk, now_s)
            end.stir()
            end.turn(now_s)
        if not schedule.remaining and not self._complete:
            self._complete = True
            end.say(SceneStatus(SCENE, SceneState.COMPLETE, 1.0), now_s)

    def _look(self, schedule: Schedule) -> None:
        """Takes the viewer's newest pose, where there is a new one."""
        if self._view is None or self._view is self._seen:
            return
        self._seen = self._view
        view = view_of(self._view)
        if view is not None:
            schedule.see(view)


def _delay_s(end: End) -> float | None:
    connection = end.connection
    return display_delay_s(
        connection.rtt_s, waiting_bytes=end.buffered_bytes, bytes_per_s=connection.delivered_bytes_per_s
    )
