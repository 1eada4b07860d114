"""Plays trials on virtual time: the product's own logic over links imagined packet by packet.

Theory of operation. Both ends are real connections; the server chooses with the real schedule, the viewer
lets go with the real keeper. Between them lie peer connections whose packets the emulated links delay, queue
and lose. Time jumps from one happening to the next: an arrival, a timer, a pose that is due. Nothing is drawn
and nothing decoded, so a session of minutes takes seconds, and the same trial always gives the same timeline.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from dataclasses import replace

from exgs.client.lifeline import FIRST_WAIT_S, LONGEST_WAIT_S, RESUMABLE
from exgs.client.signalling import SILENT_TIMEOUT_S
from exgs.codec import Container
from exgs.experiments.downloading import play_download
from exgs.experiments.ends import End, links_up
from exgs.experiments.fetching import Fetch
from exgs.experiments.handshake import PEERING, SETUP_S, SIGNALLING
from exgs.experiments.ledger import Ledger, Way
from exgs.experiments.lines import carry, lines_of
from exgs.experiments.peering import Peerings
from exgs.experiments.serving import Server
from exgs.experiments.timeline import Mishap, Timeline, Trial
from exgs.experiments.viewing import Viewer
from exgs.protocol import ConnectionConfig, Role
from exgs.server.orders import ORDERS

OPENS_WITHIN_S = 10.0
"""A connection that is not up by then is given up."""
REST_S, MAX_STEPS_AT_REST = 1e-4, 100_000
"""More happenings than this in so short a time are a mistake, not a session."""
_TINY_S = 1e-9


def play_virtual(trial: Trial) -> Timeline:
    """Plays a trial from the offer to its end."""
    if not isinstance(trial.scene, Container) or trial.system == "download":
        return play_download(trial)
    return _Session(trial, trial.scene).play()


class _Session:
    """A viewer and a server, and whatever joins them at the moment."""

    def __init__(self, trial: Trial, container: Container) -> None:
        self._trial = trial
        self._ledger = Ledger(trial)
        self._lines = lines_of(trial)
        self._server = Server(container, ORDERS[trial.system], self._ledger, sight=trial.sight)
        self._viewer = Viewer(trial, container, self._ledger)
        self._fetch = Fetch(container, self._lines, 0.0, on_whole=self._viewer.begin) if trial.early else None
        self._mishaps = deque(trial.mishaps)
        self._wakes_s: float | None = None
        self._tokens: list[bytes] = []
        self._made = self._opened = 0
        self._counted = False
        self._links = 0
        self._limiters: list[tuple[float, str]] = [(0.0, "handshake")]
        self._connect_s, self._wait_s = SETUP_S, FIRST_WAIT_S
        self._peerings: Peerings | None = None
        self._ends: dict[Role, End] = {}
        self._begun_s = 0.0

    def play(self) -> Timeline:
        """Lets everything happen, up to the end."""
        now_s = rested_s = 0.0
        steps = 0
        while not self._viewer.content and (next_s := self._next_s(now_s)) <= self._trial.seconds:
            now_s, steps = next_s, steps + 1
            if steps > MAX_STEPS_AT_REST and now_s < rested_s + REST_S:
                raise RuntimeError(f"the session does not come to rest at {now_s} s")
            if now_s >= rested_s + REST_S:
                rested_s, steps = now_s, 0
            self._happen(now_s)
        repeated = self._viewer.repeated_bytes
        if self._viewer.closed is None and Role.CLIENT in self._ends:
            repeated += self._ends[Role.CLIENT].connection.path.repeated_bytes
        counts = {role: line.counts for role, line in self._lines.items()}
        reconnects = max(self._opened - 1, 0)
        way = Way(counts[Role.CLIENT], counts[Role.SERVER], self._links, reconnects, repeated)
        return self._ledger.timeline("virtual", way, self._limiter_at)

    def _happen(self, now_s: float) -> None:
        """Everything that is due now."""
        while self._mishaps and self._mishaps[0].at_s <= now_s:
            self._suffer(self._mishaps.popleft())
        if self._wakes_s is not None and now_s >= self._wakes_s:
            self._wake()
        if self._peerings is None and now_s >= self._connect_s:
            self._connect(now_s)
        for parcel, messages in carry(self._lines, now_s):
            for channel, data in messages:
                if self._fetch is not None and self._fetch.owns(parcel):
                    self._fetch.take(len(data), now_s)
                else:
                    self._ends[parcel.to].arrive(channel, data, now_s)
        if self._fetch is not None:
            self._fetch.keep(now_s)
        if self._peerings is not None:
            self._keep(self._peerings, now_s)
        self._settle(now_s)
        if self._fetch is not None and self._viewer.asked:
            self._fetch.stop()
        self._note(now_s)
        self._watch(now_s)

    def _keep(self, peerings: Peerings, now_s: float) -> None:
        """What timers of the transport demand, and what both ends are told of it."""
        for number, peering in peerings.items():
            due_s = peering.next_s()
            if due_s is not None and due_s <= now_s:
                peering.handle_timers(now_s)
            for role in peering.newly_up():
                if number == 0:
                    self._ends[role].start(now_s)
                self._ends[role].stir()
            for role, end in self._ends.items():
                if peering.take_drained(role):
                    end.stir()

    def _settle(self, now_s: float) -> None:
        """Lets both ends act until neither has anything to do."""
        for _ in range(1000):
            ends = [end for role, end in self._ends.items() if role is Role.SERVER or self._wakes_s is None]
            moved = [end.turn(now_s) for end in ends]
            self._server.act(now_s)
            if self._wakes_s is None:
                self._viewer.act(now_s)
            if not any(moved) and not any(end.stirred for end in ends):
                return
        raise RuntimeError(f"the session does not come to rest at {now_s} s")

    def _next_s(self, now_s: float) -> float:
        """When something is next due."""
        times = [self._server.next_s(), self._wakes_s or self._viewer.next_s()]
        times += [mishap.at_s for mishap in list(self._mishaps)[:1]]
        times += [line.next_s() for line in self._lines.values()]
        times += [self._fetch.next_s()] if self._fetch is not None else []
        if self._peerings is None:
            times.append(self._connect_s)
        else:
            times += [peering.next_s() for _, peering in self._peerings.items()]
            times += [
                end.due_s for role, end in self._ends.items() if role is Role.SERVER or self._wakes_s is None
            ]
            if not self._peerings.is_up(Role.CLIENT):
                times.append(self._begun_s + OPENS_WITHIN_S)
        later = [max(at_s, now_s) for at_s in times if at_s is not None]
        due_s = min(later, default=float("inf"))
        return due_s if due_s > now_s else now_s + _TINY_S

    # Connections come and go.

    def _connect(self, now_s: float) -> None:
        """The viewer makes an offer; where it was here before, it shows the token of that session."""
        token = b"session %d" % self._made
        common = ConnectionConfig(max_links=self._trial.max_links)
        server = replace(common, resume_token=token, resumable=tuple(self._tokens))
        client = replace(common, resume_token=self._viewer.token, silent_timeout_s=SILENT_TIMEOUT_S)
        self._begun_s = now_s
        self._peerings = Peerings(self._lines, (*SIGNALLING, *PEERING), now_s)
        self._ends = {
            Role.CLIENT: End(Role.CLIENT, client, self._peerings),
            Role.SERVER: End(Role.SERVER, server, self._peerings),
        }
        self._server.meet(self._ends[Role.SERVER])
        self._viewer.meet(self._ends[Role.CLIENT])
        self._made, self._counted = self._made + 1, False

    def _suffer(self, mishap: Mishap) -> None:
        """Something goes wrong."""
        if mishap.kind == "restart":
            self._server.restart()
            self._tokens.clear()
            self._ends.pop(Role.SERVER, None)
        if mishap.kind == "sleep":
            self._wakes_s = mishap.at_s + mishap.for_s
        if self._peerings is None:
            return
        if mishap.kind == "cut":
            self._peerings.drop(min((number for number, _ in self._peerings.items() if number), default=-1))
        else:
            self._peerings.lose_way(*(Role if mishap.kind == "restart" else [Role.CLIENT]))

    def _wake(self) -> None:
        """The viewer's process goes on."""
        self._wakes_s = None
        if self._peerings is not None:
            self._peerings.find_way(Role.CLIENT)
        if Role.CLIENT in self._ends:
            self._ends[Role.CLIENT].stir()

    def _watch(self, now_s: float) -> None:
        """Lets go of a connection that is lost, for the next to be tried after a while."""
        if self._peerings is None:
            return
        up = self._peerings.is_up(Role.CLIENT)
        if up and self._viewer.opened and not self._counted:
            self._opened, self._counted = self._opened + 1, True
            self._tokens.append(self._viewer.token)
            self._wait_s = FIRST_WAIT_S
        late = not up and now_s >= self._begun_s + OPENS_WITHIN_S
        closed = self._viewer.closed
        if not late and closed is None:
            return
        self._peerings.close()
        self._peerings, self._ends = None, {}
        self._server.part()
        self._viewer.part()
        again = closed is None or closed.code in RESUMABLE
        self._connect_s = now_s + self._wait_s + SETUP_S if again else float("inf")
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    # What holds the scene back.

    def _note(self, now_s: float) -> None:
        if self._peerings is not None:
            self._links = max(self._links, links_up(self._peerings, Role.CLIENT))
        limiter = self._viewer.limiter or self._server.limiter
        if limiter != self._limiters[-1][1]:
            self._limiters.append((now_s, limiter))

    def _limiter_at(self, time_s: float) -> str:
        return self._limiters[bisect_right(self._limiters, (time_s, "~")) - 1][1]
