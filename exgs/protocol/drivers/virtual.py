"""Two connections joined by imagined links, on virtual time: whole sessions without any waiting."""

from __future__ import annotations

from collections.abc import Callable

from exgs.protocol.channels import Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.connection import Connection
from exgs.protocol.drivers.pipe import LinkModel, Pipe
from exgs.protocol.vocabulary import Role

_TINY_S = 1e-6


class VirtualSession:
    """A client and a server that step from one happening to the next.

    The owner's part is played by ``act``, called for each end after every happening and each ``tick_s``: it
    takes events, says messages and chunks.
    """

    def __init__(
        self,
        *,
        up: LinkModel | None = None,
        down: LinkModel | None = None,
        client: ConnectionConfig | None = None,
        server: ConnectionConfig | None = None,
        act: Callable[[Connection, float], None] | None = None,
        tick_s: float = 1.0,
    ) -> None:
        self.now_s = 0.0
        """The virtual time."""
        self.client = Connection(Role.CLIENT, client)
        """The client's end."""
        self.server = Connection(Role.SERVER, server)
        """The server's end."""
        self.up = Pipe(up)
        """From client to server."""
        self.down = Pipe(down)
        """From server to client."""
        self.links: dict[Channel, Pipe] = {}
        """Further connections that are up, by their scene channel: from server to client. Add and delete."""
        self.deaf: set[Role] = set()
        """Ends whose process stands still: they neither hear, speak nor act."""
        self._act = act
        self._tick_s = tick_s
        self.client.start(0.0)
        self.server.start(0.0)

    def run_until(self, end_s: float) -> None:
        """Lets everything happen up to ``end_s``."""
        self._settle()
        while (next_s := self._next_s()) <= end_s:
            self.now_s = max(self.now_s, next_s)
            self._settle()
        self.now_s = end_s
        self._settle()

    def _settle(self) -> None:
        """Lets everything happen that is due now."""
        for _ in range(1000):
            moved = [self._turn(self.client, self.down, self.up), self._turn(self.server, self.up, self.down)]
            if not any(moved):
                return
        raise RuntimeError(f"the session does not come to rest at {self.now_s} s")

    def _turn(self, end: Connection, incoming: Pipe, outgoing: Pipe) -> bool:
        """One end's turn; whether it sent anything."""
        if end.role in self.deaf:
            return False
        for pipe in (incoming, *self.links.values()) if incoming is self.down else (incoming,):
            for channel, data in pipe.pop(self.now_s):
                end.receive(channel, data, self.now_s)
        end.set_scene_channels(tuple(self.links) or (Channel.SCENE_0,), self.now_s)
        end.handle_deadline(self.now_s)
        if self._act is not None:
            self._act(end, self.now_s)
        for channel in Channel:
            pipe = self.links.get(channel, outgoing)
            end.set_buffered(channel, pipe.buffered_bytes(channel, self.now_s))
        leaving = end.messages_to_send(self.now_s)
        for channel, data in leaving:
            self.links.get(channel, outgoing).push(channel, data, self.now_s)
        return bool(leaving)

    def _next_s(self) -> float:
        """When something is next due."""
        awake = [end for end in (self.client, self.server) if end.role not in self.deaf]
        times = [end.next_deadline() for end in awake]
        down = ((pipe, Role.CLIENT) for pipe in (self.down, *self.links.values()))
        for pipe, reader in ((self.up, Role.SERVER), *down):
            times.append(pipe.next_s(self.now_s, heard=reader not in self.deaf))
        later = [max(at_s, self.now_s + _TINY_S) for at_s in times if at_s is not None]
        return min([*later, self.now_s + self._tick_s])
