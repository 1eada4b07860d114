"""What passes before anything can be said: the offer by HTTP, then ICE, DTLS and SCTP.

Each flight of packets answers the one before it, so that a link's delay counts once for each, and a flight
that is lost is repeated by whoever waits for its answer. Sizes and order are those seen on the wire between
two ends as they are today; both check the path at once, so the client's check has the server's answered too.
"""

from __future__ import annotations

from dataclasses import dataclass

from exgs.protocol import Role

_TCP_BYTES = 12
"""A TCP header is that much longer than the one of UDP, which the link adds."""
SETUP_S = 0.05
"""What the machines take to find addresses, make keys and answer."""


@dataclass(frozen=True)
class Flight:
    """Packets that one end sends at once."""

    sender: Role
    """Which end."""
    sizes: tuple[int, ...]
    """Bytes of its packets, without the headers of UDP and IP."""
    patience_s: float = 0.0
    """It is repeated after this long without an answer, then after twice as long; 0 for never."""


_UP, _DOWN = Role.CLIENT, Role.SERVER

SIGNALLING = (
    Flight(_UP, (20 + _TCP_BYTES,), 1.0),
    Flight(_DOWN, (20 + _TCP_BYTES,)),
    Flight(_UP, (1220 + _TCP_BYTES,), 0.3),
    Flight(_DOWN, (1240 + _TCP_BYTES,)),
)
"""The TCP connection; the POST of the offer and the answer to it."""
PEERING = (
    Flight(_UP, (92, 64), 0.5),
    Flight(_DOWN, (64, 169), 1.0),
    Flight(_UP, (782,), 1.0),
    Flight(_DOWN, (660,), 1.0),
    Flight(_UP, (75, 81), 1.0),
    Flight(_DOWN, (81, 109), 3.0),
    Flight(_UP, (109, 77), 3.0),
    Flight(_DOWN, (77, 53)),
)
"""One peer connection: ICE and the first words of DTLS, its keys, the association."""
REQUEST = (
    Flight(_UP, (20 + _TCP_BYTES,), 1.0),
    Flight(_DOWN, (20 + _TCP_BYTES,)),
    Flight(_UP, (300 + _TCP_BYTES,), 0.3),
)
"""The TCP connection and the GET of a download."""
RESPONSE_BYTES, PIECE_BYTES = 300, 16384
"""Headers before what is downloaded; it is handed to the connection in pieces of this size."""


class Handshake:
    """A row of flights under way, as both ends see it."""

    def __init__(self, flights: tuple[Flight, ...]) -> None:
        self.arrived = -1
        """Number of the newest flight that has arrived whole."""
        self._flights = flights
        self._last = {
            end: max(index for index, flight in enumerate(flights) if flight.sender is not end)
            for end in Role
        }
        self._pieces: dict[int, set[int]] = {}
        self._due: dict[int, tuple[float, float]] = {}

    @property
    def done(self) -> bool:
        """Whether the last flight has arrived."""
        return self.arrived == len(self._flights) - 1

    def is_up(self, end: Role) -> bool:
        """Whether ``end`` awaits nothing more."""
        return self.arrived >= self._last[end]

    def begin(self, now_s: float) -> list[tuple[int, int]]:
        """The first flight."""
        return self._send(0, now_s)

    def arrive(self, flight: int, piece: int, now_s: float) -> list[tuple[int, int]]:
        """A packet has arrived: gives those that leave for it, each as the numbers of flight and packet."""
        if flight < self.arrived:
            return []
        if flight > self.arrived:
            got = self._pieces.setdefault(flight, set())
            got.add(piece)
            if len(got) < len(self._flights[flight].sizes):
                return []
            self.arrived = flight
            self._due.pop(flight - 1, None)
        elif piece:
            return []
        return [] if self.done else self._send(flight + 1, now_s)

    def next_s(self) -> float | None:
        """When ``repeat`` wants to be called; None for never."""
        return min((due_s for due_s, _ in self._due.values()), default=None)

    def repeat(self, now_s: float) -> list[tuple[int, int]]:
        """Packets of flights whose answers are late."""
        late = [flight for flight, (due_s, _) in self._due.items() if due_s <= now_s]
        return [packet for flight in late for packet in self._send(flight, now_s)]

    def sender(self, flight: int) -> Role:
        """Who sends it."""
        return self._flights[flight].sender

    def size(self, flight: int, piece: int) -> int:
        """Bytes of one of its packets."""
        return self._flights[flight].sizes[piece]

    def _send(self, flight: int, now_s: float) -> list[tuple[int, int]]:
        patience_s = self._flights[flight].patience_s
        if patience_s:
            _, before_s = self._due.get(flight, (0.0, patience_s / 2))
            self._due[flight] = now_s + 2 * before_s, 2 * before_s
        return [(flight, piece) for piece in range(len(self._flights[flight].sizes))]
