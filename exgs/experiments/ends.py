"""One end of a session on virtual time: the real connection, in the shell that endpoints have around it."""

from __future__ import annotations

from exgs.experiments.peering import Peerings
from exgs.protocol import Connection, ConnectionConfig, Event, Message, Role, State
from exgs.protocol.channels import Channel, spec_of
from exgs.protocol.drivers.pumping import next_pump_s, pump
from exgs.protocol.messages import LinkAnswer, LinkOffer

SDP = "v=0 " * 240
"""As long as a real description; what it says does not matter here."""


class End:
    """Moves what is due between a connection and its peerings, when anything has happened."""

    def __init__(self, role: Role, config: ConnectionConfig, peerings: Peerings) -> None:
        self.role = role
        """Which end."""
        self.connection = Connection(role, config)
        """What is said, by whom and when."""
        self._peerings = peerings
        self._due_s: float | None = None
        self.stirred = False
        """Whether ``turn`` has work."""

    def start(self, now_s: float) -> None:
        """Connection 0 is up."""
        self.connection.start(now_s)
        self.stir()

    def arrive(self, channel: Channel, data: bytes, now_s: float) -> None:
        """One whole message."""
        self.connection.receive(channel, data, now_s)
        self.stir()

    def say(self, message: Message, now_s: float) -> None:
        """Says it where there is somebody to hear it."""
        if self.connection.state is State.OPEN:
            self.connection.send(message, now_s)
            self.stir()

    def next_event(self, now_s: float) -> Event | None:
        """The oldest event that was not taken."""
        event = self.connection.next_event(now_s)
        if event is not None:
            self.stir()
        return event

    def stir(self) -> None:
        """Something has happened: the next ``turn`` has work."""
        self.stirred = True

    def turn(self, now_s: float) -> bool:
        """Moves what is due; whether there was anything to do."""
        if not self.stirred and (self._due_s is None or self._due_s > now_s):
            return False
        self.stirred = False
        self._pump(now_s)
        return True

    @property
    def due_s(self) -> float | None:
        """When ``turn`` wants to be called at the latest; None for never."""
        return self._due_s

    @property
    def buffered_bytes(self) -> int:
        """What the transport holds unsent."""
        return sum(self._peerings.buffered_bytes(self.role, channel) for channel in Channel)

    def _pump(self, now_s: float) -> None:
        connection, peerings = self.connection, self._peerings
        for channel, data in pump(
            connection, now_s, scene_channels=peerings.scene_channels(self.role),
            buffered_bytes=lambda channel: peerings.buffered_bytes(self.role, channel),
        ):  # fmt: skip
            peerings.send(self.role, channel, data, now_s)
        self._look_for_links(now_s)
        self._due_s = next_pump_s(connection, now_s)

    def _look_for_links(self, now_s: float) -> None:
        """Further connections, as the client proposes them and the server takes them."""
        link = self.connection.link_to_offer(now_s)
        if link is not None:
            self._peerings.drop(link)
            self.say(LinkOffer(link, SDP), now_s)
        while (word := self.connection.next_link_word()) is not None:
            if isinstance(word, LinkOffer):
                self.say(LinkAnswer(word.link, SDP), now_s)
            elif word.sdp:
                self._peerings.add(word.link, now_s)


def links_up(peerings: Peerings, end: Role) -> int:
    """How many connections for scene data are up beside the first."""
    return sum(bool(spec_of(channel).link) for channel in peerings.scene_channels(end))
