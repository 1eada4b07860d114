"""The peer connections of a session over one access line: two emulated links that all of them share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from exgs.experiments.habits import SCTP, Habits
from exgs.experiments.handshake import PEERING, Flight, Handshake
from exgs.experiments.link import EmulatedLink
from exgs.experiments.packets import Packet
from exgs.experiments.sctp import Association
from exgs.protocol import Role
from exgs.protocol.channels import Channel, channels_of_link, spec_of

OTHER = {Role.CLIENT: Role.SERVER, Role.SERVER: Role.CLIENT}


@dataclass(frozen=True)
class Parcel:
    """What a link carries: a packet of an association or of a handshake, for one end of a peering."""

    peering: Peering
    """Whose it is."""
    to: Role
    """Which end shall get it."""
    packet: Packet | tuple[int, int]
    """A packet of the association, or numbers of flight and packet of the handshake."""


class Line(Protocol):
    """What carries parcels one way."""

    def push(self, packet: Parcel, size_bytes: int, now_s: float) -> None:
        """See EmulatedLink."""


Lines = Mapping[Role, EmulatedLink[Parcel]]
"""The two directions, each by the end that sends into it."""
Ways = Mapping[Role, Line]
"""The same, as far as who sends needs to know."""


class Peering:
    """One peer connection: its handshake, then an association at each end."""

    def __init__(
        self, lines: Ways, flights: tuple[Flight, ...], now_s: float, *, habits: Habits = SCTP
    ) -> None:
        self.closed = False
        """Whether what arrives is heard no more."""
        self.unreachable: frozenset[Role] = frozenset()
        """Ends to which nothing gets any more."""
        self._lines = lines
        self._handshake = Handshake(flights)
        self._ends = {role: Association(habits) for role in Role}
        self._opened: set[Role] = set()
        self._push_flights(self._handshake.begin(now_s), now_s)

    def is_up(self, end: Role) -> bool:
        """Whether ``end`` may speak."""
        return not self.closed and self._handshake.is_up(end)

    def newly_up(self) -> list[Role]:
        """Ends that have just come up; each is told once."""
        new = [role for role in Role if role not in self._opened and self.is_up(role)]
        self._opened.update(new)
        return new

    def send(self, end: Role, channel: Channel, data: bytes, now_s: float) -> None:
        """``end`` says something; dropped where it is not up."""
        if self.is_up(end):
            self._ends[end].send(channel, data, now_s)
            self._carry(end, now_s)

    def buffered_bytes(self, end: Role, channel: Channel) -> int:
        """What ``end`` has taken and not sent yet."""
        return self._ends[end].buffered_bytes(channel)

    def arrive(self, parcel: Parcel, now_s: float) -> list[tuple[Channel, bytes]]:
        """Takes what a link brought; gives the messages that are whole with it."""
        if self.closed or parcel.to in self.unreachable:
            return []
        if isinstance(parcel.packet, tuple):
            self._push_flights(self._handshake.arrive(*parcel.packet, now_s), now_s)
            return []
        if not self.is_up(parcel.to):
            return []
        whole = self._ends[parcel.to].receive(parcel.packet, now_s)
        self._carry(parcel.to, now_s)
        return [(message.channel, message.data) for message in whole]

    def take_drained(self, end: Role) -> bool:
        """Whether a channel of ``end`` that was full has got room since this was last asked."""
        drained, self._ends[end].drained = self._ends[end].drained, False
        return drained

    def next_s(self) -> float | None:
        """When ``handle_timers`` wants to be called; None for never."""
        times = [end.next_s() for end in self._ends.values()]
        if not self._handshake.done:
            times.append(self._handshake.next_s())
        return None if self.closed else min((at_s for at_s in times if at_s is not None), default=None)

    def handle_timers(self, now_s: float) -> None:
        """Repeats what is due. Harmless when called early."""
        if not self._handshake.done:
            self._push_flights(self._handshake.repeat(now_s), now_s)
        for role, end in self._ends.items():
            end.handle_timer(now_s)
            self._carry(role, now_s)

    def _carry(self, end: Role, now_s: float) -> None:
        weights = self._ends[end].habits.weights
        for packet in self._ends[end].take_leaving():
            self._lines[end].push(Parcel(self, OTHER[end], packet), packet.wire_bytes(weights), now_s)

    def _push_flights(self, packets: list[tuple[int, int]], now_s: float) -> None:
        for flight, piece in packets:
            sender = self._handshake.sender(flight)
            size = self._handshake.size(flight, piece)
            self._lines[sender].push(Parcel(self, OTHER[sender], (flight, piece)), size, now_s)


class Peerings:
    """All that one connection of a session has: number 0 from the start, 1 to 4 as they come."""

    def __init__(self, lines: Lines, flights: tuple[Flight, ...], now_s: float) -> None:
        """``flights`` bring number 0 up."""
        self._lines = lines
        self._by_number = {0: Peering(lines, flights, now_s)}

    def add(self, number: int, now_s: float) -> None:
        """Begins a further one, in the place of one that was there."""
        self.drop(number)
        self._by_number[number] = Peering(self._lines, PEERING, now_s)

    def drop(self, number: int) -> None:
        """Lets go of one."""
        if number in self._by_number:
            self._by_number.pop(number).closed = True

    def close(self) -> None:
        """Lets go of all."""
        for number in list(self._by_number):
            self.drop(number)

    def lose_way(self, *ends: Role) -> None:
        """From now on nothing that is sent gets to ``ends``."""
        for peering in self._by_number.values():
            peering.unreachable |= frozenset(ends)

    def find_way(self, end: Role) -> None:
        """``end`` can be reached again."""
        for peering in self._by_number.values():
            peering.unreachable -= {end}

    def items(self) -> Iterator[tuple[int, Peering]]:
        """Each that there is, with its number."""
        return iter(list(self._by_number.items()))

    def is_up(self, end: Role) -> bool:
        """Whether number 0 is."""
        return 0 in self._by_number and self._by_number[0].is_up(end)

    def send(self, end: Role, channel: Channel, data: bytes, now_s: float) -> None:
        """``end`` says something; dropped where there is no way."""
        peering = self._by_number.get(spec_of(channel).link)
        if peering is not None:
            peering.send(end, channel, data, now_s)

    def buffered_bytes(self, end: Role, channel: Channel) -> int:
        """What ``end`` has taken and not sent yet."""
        peering = self._by_number.get(spec_of(channel).link)
        return 0 if peering is None else peering.buffered_bytes(end, channel)

    def scene_channels(self, end: Role) -> tuple[Channel, ...]:
        """Those that carry scenes, as ``end`` sees it: that of number 0 while no other is up."""
        up = sorted(number for number, peering in self._by_number.items() if number and peering.is_up(end))
        return tuple(channels_of_link(number)[0].channel for number in up) or (Channel.SCENE_0,)
