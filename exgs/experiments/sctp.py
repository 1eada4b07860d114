"""One end of an association, as the library beneath real sessions goes about it: windows and repeats.

Theory of operation. What decides how much of a link a session gets is the sender's window. It grows by one
packet for each acknowledgement in slow start, later by one for each window; a packet that three
acknowledgements miss is sent again and halves it; where acknowledgements cease, a timer of at least a second
cuts it to one packet. No more than four packets leave at a time. All channels share one queue, so what is
said behind bulk waits for it. The model keeps to that, to the sizes of headers, and to an acknowledgement for
every packet. It knows no clock and no randomness. TCP differs in the few numbers of its ``Habits``.
"""

from __future__ import annotations

from collections import deque

from exgs.experiments.habits import SCTP, Habits
from exgs.experiments.packets import (
    Acknowledgement,
    Inbound,
    Message,
    Packet,
    Piece,
    Skip,
)
from exgs.protocol.channels import Channel

MISSES = 3
"""So many acknowledgements that miss a packet make it lost."""
LEAST_WINDOW = 4
"""Packets; losses alone do not halve the window below this."""
MOST_RTO_S = 60.0
DRAINED_BYTES = 32 << 10
"""A channel that had more than this unsent, and has not any more, says so."""


class Association:
    """One end. The owner carries what ``take_leaving`` gives to the other end's ``receive``."""

    def __init__(self, habits: Habits = SCTP) -> None:
        self.habits = habits
        """How it sends."""
        self.window_bytes = habits.first_window * habits.weights.payload
        """How much may be under way."""
        self.drained = False
        """Whether a channel that was full has got room; for the owner to set back."""
        self._leaving: list[Packet] = []
        self._messages: deque[Message] = deque()
        self._pieces: deque[Piece] = deque()
        self._sent: deque[Piece] = deque()
        self._buffered = dict.fromkeys(Channel, 0)
        self._said = dict.fromkeys(Channel, 0)
        self._cut = self._flown = 0
        self._acknowledged = self._given_up = -1
        self._flying_bytes, self._threshold, self._partial_bytes = 0, habits.first_threshold, 0
        self._recovers_at: int | None = None
        self._repeats_freely = False
        self._repeating = 0
        self._srtt_s: float | None = None
        self._rttvar_s, self._rto_s = 0.0, habits.first_rto_s
        self._timer_s: float | None = None
        self._skip: Skip | None = None
        self._inbound = Inbound()
        self._payload = habits.weights.payload

    def send(self, channel: Channel, data: bytes, now_s: float) -> None:
        """Takes a message."""
        pieces = -(-len(data) // self._payload)
        self._messages.append(Message(channel, data, self._said[channel], pieces))
        self._said[channel] += 1
        self._buffered[channel] += len(data)
        self._flush(now_s)

    def buffered_bytes(self, channel: Channel) -> int:
        """Taken, and not yet cut into packets."""
        return self._buffered[channel]

    def receive(self, packet: Packet, now_s: float) -> list[Message]:
        """Takes a packet; gives the messages that are whole with it."""
        if isinstance(packet, Acknowledgement):
            self._hear(packet, now_s)
            return []
        whole: list[Message] = []
        if isinstance(packet, Skip):
            self._inbound.skip(packet)
        else:
            whole = self._inbound.take(packet)
        self._leaving.append(self._inbound.acknowledgement())
        return whole

    def take_leaving(self) -> list[Packet]:
        """What the link shall carry now, in this order. Each packet is given once."""
        leaving, self._leaving = self._leaving, []
        return leaving

    def next_s(self) -> float | None:
        """When ``handle_timer`` wants to be called; None for never."""
        return self._timer_s

    def handle_timer(self, now_s: float) -> None:
        """Sends everything again, slowly, where acknowledgements have ceased. Harmless when called early."""
        if self._timer_s is None or now_s < self._timer_s:
            return
        self._timer_s = None
        for piece in self._sent:
            self._lose(piece)
        self._give_up()
        self._recovers_at, self._partial_bytes = None, 0
        self._threshold = self._half()
        self.window_bytes = self._payload
        self._rto_s = min(self._rto_s * self.habits.patience, MOST_RTO_S)
        self._transmit(now_s)

    # Sending.

    def _flush(self, now_s: float) -> None:
        """Cuts messages into pieces as long as no piece waits."""
        while self._messages and not self._pieces:
            message = self._messages.popleft()
            for start in range(0, len(message.data), self._payload):
                size = min(self._payload, len(message.data) - start)
                self._pieces.append(Piece(self._cut, message, size))
                self._cut += 1
            self._transmit(now_s)
            left = self._buffered[message.channel] - len(message.data)
            self.drained |= left <= DRAINED_BYTES < self._buffered[message.channel]
            self._buffered[message.channel] = left

    def _transmit(self, now_s: float) -> None:
        """Sends what the window allows: first what is to be repeated."""
        if self._skip is not None:
            self._leaving.append(self._skip)
            self._skip = None
            self._timer_s = self._timer_s or now_s + self._rto_s
        habits = self.habits
        burst = habits.burst if self._recovers_at is None else habits.recovery_burst
        window = min(self._flying_bytes + burst * self._payload, self.window_bytes)
        if self._repeating and not self._repeat(window, now_s):
            return
        while self._pieces and self._flying_bytes < window:
            piece = self._pieces.popleft()
            self._sent.append(piece)
            piece.sent_s = now_s
            self._fly(piece)
            self._timer_s = self._timer_s or now_s + self._rto_s

    def _repeat(self, window: int, now_s: float) -> bool:
        """Sends again what was lost; False where the window ends before."""
        for piece in self._sent:
            if not piece.repeat:
                continue
            if self._repeats_freely:
                self._repeats_freely = False
            elif self._flying_bytes >= window:
                return False
            self._mark(piece, repeat=False)
            piece.misses = 0
            self._fly(piece)
            if piece is self._sent[0]:
                self._timer_s = now_s + self._rto_s
        return True

    def _fly(self, piece: Piece) -> None:
        if not piece.flying:
            piece.flying = True
            self._flying_bytes += piece.size
        piece.sent += 1
        self._flown += 1
        piece.order = self._flown
        self._leaving.append(piece)

    def _land(self, piece: Piece) -> None:
        if piece.flying:
            piece.flying = False
            self._flying_bytes -= piece.size

    def _mark(self, piece: Piece, *, repeat: bool) -> None:
        self._repeating += repeat - piece.repeat
        piece.repeat = repeat

    def _lose(self, piece: Piece) -> None:
        """The piece is taken for lost: it is repeated, or given up where its message is not worth it."""
        piece.abandoned |= not piece.message.reliable
        self._mark(piece, repeat=not piece.abandoned)
        self._land(piece)

    def _give_up(self) -> None:
        """Tells the peer to await no more what was given up, until it says that it does not."""
        self._given_up = max(self._given_up, self._acknowledged)
        while self._sent and self._sent[0].abandoned:
            self._given_up = self._sent.popleft().number
        if self._given_up > self._acknowledged:
            self._skip = Skip(self._given_up)

    # Hearing of what has arrived.

    def _hear(self, word: Acknowledgement, now_s: float) -> None:
        if word.until < self._acknowledged:
            return
        self._acknowledged = word.until
        full = self._flying_bytes >= self.window_bytes
        done, done_bytes = self._settle(word.until, now_s)
        lost = False
        if word.beyond:
            newest, more_bytes = self._note_beyond(word)
            done_bytes += more_bytes
            lost = newest is not None and self._strike(word, newest)
        self._adjust(done_bytes if done and full else 0, lost=lost, until=word.until)
        if not self._sent:
            self._timer_s = None
        elif done:
            self._timer_s = now_s + self._rto_s
        self._give_up()
        self._flush(now_s)
        self._transmit(now_s)

    def _settle(self, until: int, now_s: float) -> tuple[int, int]:
        """Everything up to there has arrived; gives how many pieces and bytes are news."""
        done = done_bytes = 0
        while self._sent and self._sent[0].number <= until:
            piece = self._sent.popleft()
            done += 1
            done_bytes += 0 if piece.acknowledged else piece.size
            self._mark(piece, repeat=False)
            self._land(piece)
            if done == 1 and piece.sent == 1:
                self._measure(now_s - piece.sent_s)
        return done, done_bytes

    def _note_beyond(self, word: Acknowledgement) -> tuple[Piece | None, int]:
        """The last piece beyond the gaps that is news, and how many bytes are."""
        seen, done_bytes = frozenset(word.beyond), 0
        newest: Piece | None = None
        for piece in self._sent:
            if piece.number > word.beyond[-1]:
                break
            if piece.number in seen:
                if not piece.acknowledged:
                    piece.acknowledged = True
                    done_bytes += piece.size
                    newest = piece
                self._land(piece)
        return newest, done_bytes

    def _strike(self, word: Acknowledgement, newest: Piece) -> bool:
        """What later pieces have overtaken was missed once more; whether anything was missed too often."""
        seen, lost = frozenset(word.beyond), False
        for piece in self._sent:
            if piece.number > newest.number:
                break
            if piece.number in seen or (self.habits.forgives and piece.order > newest.order):
                continue
            piece.misses += 1
            if piece.misses == MISSES:
                piece.misses, lost = 0, True
                self._lose(piece)
        return lost

    def _adjust(self, grown_bytes: int, *, lost: bool, until: int) -> None:
        """Opens the window, or halves it once for all that is lost of one window."""
        if self._recovers_at is not None:
            if until >= self._recovers_at:
                self._recovers_at = None
            return
        if grown_bytes and self.window_bytes <= self._threshold:
            self.window_bytes += min(grown_bytes, self._payload)
        elif grown_bytes:
            self._partial_bytes += grown_bytes
            if self._partial_bytes >= self.window_bytes:
                self._partial_bytes -= self.window_bytes
                self.window_bytes += self._payload
        if lost:
            self.window_bytes = self._threshold = self._half()
            self._partial_bytes = 0
            self._recovers_at, self._repeats_freely = self._sent[-1].number, True

    def _half(self) -> int:
        return max(self.window_bytes // 2, LEAST_WINDOW * self._payload)

    def _measure(self, rtt_s: float) -> None:
        if self._srtt_s is None:
            self._srtt_s, self._rttvar_s = rtt_s, rtt_s / 2
        else:
            self._rttvar_s += (abs(self._srtt_s - rtt_s) - self._rttvar_s) / 4
            self._srtt_s += (rtt_s - self._srtt_s) / 8
        self._rto_s = max(self.habits.least_rto_s, min(self._srtt_s + 4 * self._rttvar_s, MOST_RTO_S))
