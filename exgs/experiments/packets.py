"""What travels in an association: pieces of messages, acknowledgements, and what they weigh.

Packets carry references to messages rather than bytes: what is to be right is their number and size.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from exgs.experiments.habits import Weights
from exgs.protocol.channels import Channel, spec_of


class Message:
    """What was said on a channel."""

    __slots__ = ("channel", "data", "missing", "number", "ordered", "reliable")

    def __init__(self, channel: Channel, data: bytes, number: int, pieces: int) -> None:
        """``number`` counts the messages of the channel."""
        spec = spec_of(channel)
        self.channel, self.data, self.number = channel, data, number
        self.reliable, self.ordered = spec.reliable, spec.ordered
        self.missing = pieces
        """Pieces that have not arrived; counted by the end that receives."""


class Piece:
    """One packet's worth of a message, and what its sender knows of it."""

    __slots__ = (
        "abandoned", "acknowledged", "flying", "message", "misses", "number", "order", "repeat", "sent",
        "sent_s", "size",
    )  # fmt: skip

    def __init__(self, number: int, message: Message, size: int) -> None:
        """``number`` counts the pieces of the association."""
        self.number, self.message, self.size = number, message, size
        self.sent, self.sent_s, self.misses = 0, 0.0, 0
        self.order = 0
        """Counts what the sender sends, repetitions too."""
        self.acknowledged = self.flying = self.repeat = self.abandoned = False

    def wire_bytes(self, weights: Weights) -> int:
        """Of its packet."""
        return weights.header + weights.piece + -(-self.size // 4) * 4


@dataclass(frozen=True)
class Skip:
    """Pieces up to a number that have not arrived never will: their messages were not worth repeating."""

    until: int
    """The last of them."""

    def wire_bytes(self, weights: Weights) -> int:
        """Of its packet."""
        return weights.header + weights.acknowledgement


@dataclass(frozen=True)
class Acknowledgement:
    """Which pieces have arrived."""

    until: int
    """All up to this number."""
    beyond: tuple[int, ...]
    """And these, in order, which leave gaps."""
    duplicates: int
    """So many came twice since the last acknowledgement."""

    def wire_bytes(self, weights: Weights) -> int:
        """Of its packet."""
        runs = sum(number - 1 != before for before, number in pairwise((-2, *self.beyond)))
        return weights.header + weights.acknowledgement + weights.gap * (runs + self.duplicates)


Packet = Piece | Skip | Acknowledgement


class Inbound:
    """The receiving half of an end: puts messages together, and acknowledges every packet."""

    def __init__(self) -> None:
        self._until = -1
        self._beyond: set[int] = set()
        self._duplicates = 0
        self._next: dict[Channel, int] = {}
        self._early: dict[tuple[Channel, int], Message] = {}

    def take(self, piece: Piece) -> list[Message]:
        """Takes a piece; gives the messages that can be handed on with it."""
        if piece.number <= self._until or piece.number in self._beyond:
            self._duplicates += 1
            return []
        self._beyond.add(piece.number)
        self._advance()
        message = piece.message
        message.missing -= 1
        if message.missing:
            return []
        return self._in_order(message) if message.ordered else [message]

    def skip(self, skip: Skip) -> None:
        """Awaits nothing up to there any more."""
        self._until = max(self._until, skip.until)
        self._beyond = {number for number in self._beyond if number > self._until}
        self._advance()

    def acknowledgement(self) -> Acknowledgement:
        """What has arrived."""
        duplicates, self._duplicates = self._duplicates, 0
        return Acknowledgement(self._until, tuple(sorted(self._beyond)), duplicates)

    def _advance(self) -> None:
        while self._until + 1 in self._beyond:
            self._until += 1
            self._beyond.remove(self._until)

    def _in_order(self, message: Message) -> list[Message]:
        """A message of an ordered channel waits for those before it."""
        channel, ready = message.channel, list[Message]()
        self._early[channel, message.number] = message
        while (due := (channel, self._next.get(channel, 0))) in self._early:
            ready.append(self._early.pop(due))
            self._next[channel] = due[1] + 1
        return ready
