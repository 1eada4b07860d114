"""The half of a connection that listens.

``receive`` parses a message, holds it against the table of ``rules`` (may the peer say this now?) and hands
it to the method that ``_HANDLERS`` names. What the owner must know goes to the mailbox, what must be answered
to the control queue.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from exgs.protocol import greeting
from exgs.protocol import messages as m
from exgs.protocol.channels import Channel, spec_of
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.errors import LocalProtocolError, RemoteProtocolError
from exgs.protocol.events import ChunksDelivered, Closed, PeerHeard
from exgs.protocol.flood import FloodGate, LinkGate
from exgs.protocol.growth import LinkGrowth
from exgs.protocol.intake import Intake
from exgs.protocol.limiter import LimiterMeter
from exgs.protocol.liveness import Liveness
from exgs.protocol.mailbox import Mailbox
from exgs.protocol.outflow import Outflow
from exgs.protocol.rules import RULES, check_heard
from exgs.protocol.vocabulary import MAX_REASON_BYTES, CloseCode, Role, SceneState, State
from exgs.protocol.wire import parse, serialize

_SEQUENCE = 1 << 32
_GOODBYE = bytes(rule.number for rule in RULES if rule.message is m.Goodbye)


class Listener:
    """Hears the peer. Owned by nobody: see Connection."""

    def __init__(self, role: Role, config: ConnectionConfig | None = None) -> None:
        self.role = role
        """Which end this is."""
        self.state = State.NEW
        """Where it stands."""
        self.peer_left = False
        """Whether the peer said goodbye, be it first or at the same time: nobody waits for this side's."""
        self.closed: Closed | None = None
        """How the session ended, whether or not the event was taken; None while it lasts."""
        self.view: m.ViewUpdate | None = None
        """Server: where the client's head was last heard to be."""
        self._config = config or ConnectionConfig()
        self._now_s = 0.0
        self._give_up_s = float("inf")
        self._liveness = Liveness(self._config, 0.0)
        self._gate = FloodGate(self._config)
        self._intake = Intake(self._config)
        self._outflow = Outflow(self._config)
        self._growth = LinkGrowth(self._config)
        self._link_gate = LinkGate(self._config.max_links)
        self._link_words: deque[m.LinkOffer | m.LinkAnswer] = deque()
        self._mailbox = Mailbox()
        self._control: deque[bytes] = deque()
        self._beats: list[bytes] = []
        self._view: bytes | None = None
        self._newest_view: int | None = None
        self._pose_backlog_bytes = 0
        self._max_bytes_per_s = 0
        self._limiters = LimiterMeter()

    def receive(self, channel: Channel, data: bytes, now_s: float) -> bool:
        """One whole message arrived on ``channel``.

        False where it changes nothing but ``view``, so that there is nothing new to send or to wait for.
        """
        self._now_s = now_s
        if self.state not in (State.GREETING, State.OPEN):
            self.peer_left |= channel is Channel.CONTROL and data[:1] == _GOODBYE
            return True
        try:
            return self._hear(channel, data, now_s)
        except RemoteProtocolError as error:
            self.close(error.close_code, str(error), now_s)
            return True

    def close(self, code: CloseCode, reason: str, now_s: float) -> None:
        """Says Goodbye. Closed follows as an event at once; the goodbye leaves with ``messages_to_send``."""
        if self.state in (State.CLOSING, State.CLOSED):
            return
        reason = reason.encode("utf-8", "replace")[:MAX_REASON_BYTES].decode("utf-8", "ignore")
        told = self.state is not State.NEW
        self._end(Closed(code, reason, by_peer=False))
        if told:
            self.state = State.CLOSING
            self._give_up_s = now_s + self._config.closing_timeout_s
            self._say(m.Goodbye(code, reason))

    def _hear(self, channel: Channel, data: bytes, now_s: float) -> bool:
        self._gate.pass_one(channel, now_s)
        message = parse(data, channel)
        if channel is Channel.CONTROL:
            self._liveness.control_heard()
        self._liveness.heard(now_s)
        woken = self._liveness.paused
        if woken:
            self._liveness.paused = False
            self._mailbox.put(PeerHeard())
        if message is not None:
            check_heard(message, sender=self.role.peer, state=self.state)
            if isinstance(message, m.ManifestFragment | m.ChunkFragment):
                self._intake.arrived_on(channel, len(message.payload))
            _HANDLERS.get(type(message), Listener._hear_event)(self, message, now_s)
        return woken or not isinstance(message, m.ViewUpdate)

    def _hear_event(self, message: Any, now_s: float) -> None:
        self._mailbox.put(message)

    def _hear_hello(self, hello: m.Hello, now_s: float) -> None:
        answer, opened = greeting.welcome(hello, self._config)
        self._say(answer)
        self.state = State.OPEN
        self._mailbox.put(opened)

    def _hear_welcome(self, welcome: m.Welcome, now_s: float) -> None:
        opened = greeting.opened(welcome, self._config)
        self._liveness.greeted(now_s)
        self.state = State.OPEN
        self._mailbox.put(opened)

    def _hear_view(self, view: m.ViewUpdate, now_s: float) -> None:
        newest = self._newest_view
        if newest is None or 0 < (view.sequence - newest) % _SEQUENCE < _SEQUENCE // 2:
            self._newest_view, self.view = view.sequence, view
            self._mailbox.put(view)

    def _hear_beat(self, beat: m.Beat, now_s: float) -> None:
        self._liveness.beat_heard(beat, now_s)

    def _hear_preferences(self, preferences: m.Preferences, now_s: float) -> None:
        self._outflow.allow(preferences.max_bytes_per_s)
        self._mailbox.put(preferences)

    def _hear_receipt(self, receipt: m.Receipt, now_s: float) -> None:
        chunks = self._outflow.receipt(receipt, now_s, quiet_s=self._liveness.quietest_s)
        if chunks:
            self._mailbox.put(ChunksDelivered(self._outflow.scene, chunks))

    def _hear_manifest(self, fragment: m.ManifestFragment, now_s: float) -> None:
        for event in self._intake.manifest_fragment(fragment, now_s):
            self._mailbox.put(event)

    def _hear_chunk(self, fragment: m.ChunkFragment, now_s: float) -> None:
        for event in self._intake.chunk_fragment(fragment, now_s):
            self._mailbox.put(event)

    def _hear_status(self, status: m.SceneStatus, now_s: float) -> None:
        self._mailbox.put(status)
        if status.state == SceneState.CONTINUING:
            for event in self._intake.keep_manifest(status.scene):
                self._mailbox.put(event)

    def _hear_link_offer(self, offer: m.LinkOffer, now_s: float) -> None:
        if self._link_gate.lets_in(offer.link, now_s):
            self._link_words.append(offer)
        else:
            self._say(m.LinkAnswer(offer.link))

    def _hear_link_answer(self, answer: m.LinkAnswer, now_s: float) -> None:
        if not answer.sdp:
            self._growth.failed(answer.link, now_s)
        if self._growth.awaits(answer.link):
            self._link_words.append(answer)

    def _hear_goodbye(self, goodbye: m.Goodbye, now_s: float) -> None:
        known = goodbye.code in CloseCode.__members__.values()
        code = CloseCode(goodbye.code) if known else CloseCode.INTERNAL
        reason = "".join(letter if letter.isprintable() else "?" for letter in goodbye.reason)
        self.peer_left = True
        self._end(Closed(code, reason, by_peer=True))

    def _say(self, message: m.Message) -> None:
        data = serialize(message)
        limit = spec_of(Channel.CONTROL).max_message_bytes
        if len(data) > limit:
            raise LocalProtocolError(
                f"{type(message).__name__} of {len(data)} bytes, expected at most {limit}"
            )
        self._control.append(data)
        self._liveness.control_said()

    def _end(self, closed: Closed) -> None:
        self.state = State.CLOSED
        self.closed = closed
        self._mailbox.put(closed)
        self._control.clear()
        self._link_words.clear()
        self._beats.clear()
        self._view = None
        self._outflow.clear()


_HANDLERS: dict[type[m.Message], Callable[[Listener, Any, float], None]] = {
    m.Hello: Listener._hear_hello,
    m.Welcome: Listener._hear_welcome,
    m.ViewUpdate: Listener._hear_view,
    m.Beat: Listener._hear_beat,
    m.Preferences: Listener._hear_preferences,
    m.Receipt: Listener._hear_receipt,
    m.ManifestFragment: Listener._hear_manifest,
    m.ChunkFragment: Listener._hear_chunk,
    m.SceneStatus: Listener._hear_status,
    m.LinkOffer: Listener._hear_link_offer,
    m.LinkAnswer: Listener._hear_link_answer,
    m.Goodbye: Listener._hear_goodbye,
}
"""What is done on hearing a message; one that is not listed goes to the owner as it is."""
