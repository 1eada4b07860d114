"""One end of a session, without sockets or a clock.

Theory of operation. ``Listener`` hears the peer; this half speaks, watches the time and tells figures. Three
outboxes feed ``messages_to_send``: control (a queue), pose (the newest view, and beats) and ``Outflow``
(scene bytes, cut into fragments as links and credit allow). ``Intake`` is its mirror at the client,
``Liveness`` beats and counts silence.
"""

from __future__ import annotations

from exgs.protocol import greeting
from exgs.protocol import messages as m
from exgs.protocol.channels import Channel, spec_of
from exgs.protocol.errors import LocalProtocolError
from exgs.protocol.events import ChunkReceived, Closed, Event, PeerSilent
from exgs.protocol.growth import Flow
from exgs.protocol.limiter import Limiter, PathFigures
from exgs.protocol.listener import Listener
from exgs.protocol.liveness import Liveness
from exgs.protocol.rules import check_said
from exgs.protocol.vocabulary import MAX_CONTROL_BACKLOG_BYTES, CloseCode, Role, SceneState, State
from exgs.protocol.wire import serialize

_POSE_BACKLOG_BYTES = 4096
_HEARD_S = 1.0
"""Beyond this much silence of the peer a late link is not the link's fault."""


class Connection(Listener):
    """What may be said, by whom, and when.

    The owner feeds it what arrives and the time, takes events and bytes out, and calls back at
    ``next_deadline``. Times are seconds on any clock that only grows. Nothing a peer sends makes a method
    raise: a peer that breaks a rule is told Goodbye, and the event Closed says why. LocalProtocolError is
    raised for mistakes of the owner.
    """

    # What the owner says.

    def start(self, now_s: float) -> None:
        """The transport is up: the client greets, the server awaits the greeting."""
        if self.state is not State.NEW:
            return
        self.state = State.GREETING
        self._liveness = Liveness(self._config, now_s)
        self._give_up_s = now_s + self._config.open_timeout_s
        if self.role is Role.CLIENT:
            self._say(greeting.hello(self._config))

    def send(self, message: m.Message, now_s: float) -> None:
        """Says ``message``; the channel follows from its type. Does nothing once the session is over.

        Raises:
            LocalProtocolError: this side may not say it, or not yet, or a field is out of its range.
        """
        if self._is_over():
            return
        check_said(message, sender=self.role, state=self.state)
        if isinstance(message, m.ViewUpdate):
            self._view = serialize(message)
            return
        self._say(message)
        if isinstance(message, m.OpenScene):
            self._intake.open(message)
            self._mailbox.forget_scene()
        elif isinstance(message, m.Preferences):
            self._max_bytes_per_s = message.max_bytes_per_s
        elif isinstance(message, m.Forgotten):
            self._intake.forget(message)

    def send_manifest(self, scene: int, data: bytes, now_s: float) -> bool:
        """Queues a scene's preamble, ahead of its chunks.

        Does nothing and returns False once the session is over, or where ``scene`` is not the open one or has
        its manifest.

        Raises:
            LocalProtocolError: this is not a server, not open yet, or ``data`` is empty or too long.
        """
        return self._may_stream() and self._outflow.queue_manifest(scene, data)

    def keep_manifest(self, scene: int) -> bool:
        """The manifest that the client named in OpenScene is the scene's: it is told, and ``have`` counts.

        Returns and raises like ``send_manifest``, in whose place it is called.
        """
        if not (self._may_stream() and self._outflow.keep_manifest(scene)):
            return False
        self._say(m.SceneStatus(scene, SceneState.CONTINUING))
        return True

    def send_chunk(self, scene: int, chunk: int, data: bytes, now_s: float) -> bool:
        """Queues one chunk. Ask ``wants_chunk`` first.

        Does nothing and returns False once the session is over, or where ``scene`` is not the open one or the
        chunk was sent before or is one that the client has.

        Raises:
            LocalProtocolError: this is not a server, not open yet, the manifest was not sent before, the id
                is out of range, or ``data`` is empty or too long.
        """
        return self._may_stream() and self._outflow.queue_chunk(scene, chunk, data)

    def wants_chunk(self, now_s: float) -> bool:
        """Whether there is room for one more chunk now: choose it as late as this."""
        return self._bulk_flows() and self._outflow.room(self._liveness.rtt_s, now_s)

    # What the owner takes.

    def next_event(self, now_s: float) -> Event | None:
        """The oldest event that was not taken yet; None when there is none. Taking a chunk returns credit."""
        self._now_s = now_s
        event = self._mailbox.take()
        if isinstance(event, ChunkReceived):
            self._intake.take(event)
        elif isinstance(event, m.OpenScene):
            self._outflow.open(event)
        elif isinstance(event, m.Forgotten):
            self._outflow.forget(event)
        return event

    def messages_to_send(self, now_s: float) -> list[tuple[Channel, bytes]]:
        """What the transport shall send now, in this order. Each message is given once."""
        self._now_s = now_s
        leaving = [(Channel.CONTROL, data) for data in self._control]
        self._control.clear()
        if self.state is State.CLOSING:
            self.state = State.CLOSED
        leaving += [(Channel.POSE, data) for data in self._beats]
        self._beats.clear()
        if self._view is not None and self._pose_backlog_bytes < _POSE_BACKLOG_BYTES:
            leaving.append((Channel.POSE, self._view))
            self._view = None
        if self._bulk_flows():
            leaving += self._outflow.fragments(self._liveness.rtt_s, now_s)
        if self.role is Role.SERVER and self.state is State.OPEN:
            self._limiters.note(self._limiter(now_s), now_s)
        return leaving

    def link_to_offer(self, now_s: float) -> int | None:
        """Client: the connection for scene data to propose now, with ``LinkOffer``; None for none."""
        if self.role is not Role.CLIENT or self.state is not State.OPEN or self._liveness.paused:
            return None
        flow = Flow(
            self._intake.rate(now_s),
            rtt_s=self._liveness.rtt_s,
            quietest_s=self._liveness.quietest_s,
            held_bytes=self._intake.held_bytes,
            max_bytes_per_s=self._max_bytes_per_s,
        )
        return self._growth.wanted(flow, now_s)

    def next_link_word(self) -> m.LinkOffer | m.LinkAnswer | None:
        """What the peer said about connections: an offer to answer with ``LinkAnswer``, or such an answer."""
        return self._link_words.popleft() if self._link_words else None

    # What the transport tells.

    def link_failed(self, link: int, now_s: float) -> None:
        """Client: a connection that was to be proposed could not be made."""
        self._growth.failed(link, now_s)

    def transport_lost(self, reason: str, now_s: float) -> None:
        """The transport broke or was closed below."""
        if self.state in (State.NEW, State.GREETING, State.OPEN):
            self._end(Closed(CloseCode.TRANSPORT_LOST, reason, by_peer=False))
        self.state = State.CLOSED

    def set_scene_channels(self, channels: tuple[Channel, ...], now_s: float) -> None:
        """Which scene channels are up; fragments are spread over them. SCENE_0 alone at first.

        What was under way on one that is gone, and is not confirmed, is sent again by the others.
        """
        self._outflow.set_channels(channels)
        self._growth.set_up((spec_of(channel).link for channel in channels if spec_of(channel).link), now_s)

    def set_buffered(self, channel: Channel, n_bytes: int) -> None:
        """How many bytes the transport holds unsent for ``channel``."""
        self._outflow.lanes.set_buffered(channel, n_bytes)
        if channel is Channel.POSE:
            self._pose_backlog_bytes = n_bytes
        elif channel is Channel.CONTROL and n_bytes > MAX_CONTROL_BACKLOG_BYTES:
            self.close(CloseCode.FLOOD, f"{n_bytes} bytes of control wait to be read", self._now_s)

    # What time demands.

    def next_deadline(self) -> float | None:
        """When ``handle_deadline`` wants to be called; None for never."""
        if self.state in (State.GREETING, State.CLOSING):
            return self._give_up_s
        if self.state is not State.OPEN:
            return None
        due = (self._liveness.deadline_s(), self._intake.receipt_due_s(), self._outflow.ready_s(self._now_s))
        return min(at_s for at_s in due if at_s is not None)

    def handle_deadline(self, now_s: float) -> None:
        """Does what time demands: beats, receipts, time-outs. Harmless when called early."""
        self._now_s = now_s
        if self.state is State.CLOSING and now_s >= self._give_up_s:
            self.state = State.CLOSED
        elif self.state is State.GREETING and now_s >= self._give_up_s:
            self.close(CloseCode.TIMEOUT, f"no greeting within {self._config.open_timeout_s:g} s", now_s)
        elif self.state is State.OPEN:
            self._watch(now_s)
        if self.state is State.OPEN:
            self._routine(now_s)

    # Figures.

    @property
    def rtt_s(self) -> float | None:
        """Smoothed round trip by beats; None before the first echo."""
        return self._liveness.rtt_s

    @property
    def delivered_bytes_per_s(self) -> float:
        """Goodput of scene bytes over the last second, by receipts (server) or arrivals (client)."""
        meter = self._intake if self.role is Role.CLIENT else self._outflow.credit
        return meter.rate(self._now_s)

    @property
    def unacknowledged_bytes(self) -> int:
        """Scene bytes sent or queued, not lost and not yet receipted (server)."""
        return self._outflow.credit.open_bytes + self._outflow.queued_bytes

    @property
    def limiter(self) -> Limiter:
        """What held scene data back most over the last second or so (server)."""
        return self._limiters.longest

    @property
    def path(self) -> PathFigures:
        """What is known of the way to the peer."""
        twice = self._intake.redundant_bytes if self.role is Role.CLIENT else self._outflow.repeated_bytes
        links = sum(bool(spec_of(channel).link) for channel in self._outflow.lanes.in_use)
        live = self._liveness
        delays = self._outflow.delays.known() if self.role is Role.SERVER else ()
        return PathFigures(live.rtt_s, live.jitter_s, live.loss, links, twice, delays)

    @property
    def scene_channels_in_use(self) -> tuple[Channel, ...]:
        """Scene channels that take fragments (server)."""
        return self._outflow.lanes.in_use

    @property
    def credit_bytes(self) -> int:
        """How many bytes may be un-acknowledged now (server)."""
        return self._outflow.credit.window(self._liveness.rtt_s, self._now_s)

    # How it works inside.

    def _limiter(self, now_s: float) -> Limiter:
        if self._liveness.paused:
            return Limiter.SILENCE
        return self._outflow.limiter(self._liveness.rtt_s, now_s)

    def _bulk_flows(self) -> bool:
        return self.state is State.OPEN and not self._liveness.paused

    def _is_over(self) -> bool:
        return self.state in (State.CLOSING, State.CLOSED)

    def _may_stream(self) -> bool:
        """Whether scene data may be queued; False where the session is over, an error where it never may."""
        if self.role is Role.SERVER and self._is_over():
            return False
        if self.role is not Role.SERVER or self.state is not State.OPEN:
            raise LocalProtocolError(f"scene data from the {self.role.value} in state {self.state.value}")
        return True

    def _watch(self, now_s: float) -> None:
        """Pauses or ends the session of a silent peer; finds links that carry nothing."""
        silent_s = self._liveness.silent_s(now_s)
        if silent_s < _HEARD_S:
            self._outflow.watch(now_s)
        else:
            self._outflow.lanes.awake(now_s)
        if silent_s >= self._config.silent_timeout_s:
            self.close(CloseCode.TIMEOUT, f"nothing heard for {silent_s:.1f} s", now_s)
        elif silent_s >= self._config.pause_after_s and not self._liveness.paused:
            self._liveness.paused = True
            self._mailbox.put(PeerSilent(silent_s))

    def _routine(self, now_s: float) -> None:
        receipt_s = self._intake.receipt_due_s()
        if receipt_s is not None and now_s >= receipt_s:
            self._say(self._intake.receipt(now_s))
        if now_s >= self._liveness.due_s():
            self._beats.append(serialize(self._liveness.beat(now_s)))
