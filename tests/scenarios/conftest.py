"""The owners of both ends, as simple as they can be."""

from dataclasses import dataclass, field

import pytest

from exgs.protocol import (
    ChunkReceived,
    Closed,
    Connection,
    Event,
    ManifestReceived,
    Opened,
    OpenScene,
    Role,
    SceneInfo,
    SceneList,
    ViewUpdate,
)


@dataclass
class Play:
    """A server with one scene and a client that watches it. Passed to VirtualSession as ``act``."""

    chunks: int = 100
    chunk_bytes: int = 40_000
    view_hz: float = 0.0
    take: bool = True
    """Whether the client takes its events."""
    log: list[tuple[float, Role, Event]] = field(default_factory=list)
    _sent: int = 0
    _streaming: bool = False
    _views: int = 0

    def __call__(self, end: Connection, now_s: float) -> None:
        while (end.role is Role.SERVER or self.take) and (event := end.next_event(now_s)) is not None:
            self.log.append((now_s, end.role, event))
            self._react(end, event, now_s)
        if end.role is Role.SERVER:
            self._stream(end, now_s)
        elif self.view_hz and self._views < now_s * self.view_hz and end.state.value == "open":
            self._views += 1
            end.send(ViewUpdate(self._views, 0, (0, 0, 0), (1, 0, 0, 0), (1, 1)), now_s)

    def _react(self, end: Connection, event: Event, now_s: float) -> None:
        if end.role is Role.SERVER and isinstance(event, Opened):
            end.send(SceneList((SceneInfo(5, "room"),)), now_s)
        elif isinstance(event, SceneList):
            end.send(OpenScene(5), now_s)
        elif isinstance(event, OpenScene):
            end.send_manifest(5, b"manifest" * 1000, now_s)
            self._streaming = True

    def _stream(self, server: Connection, now_s: float) -> None:
        if self._streaming and self._sent < self.chunks and server.wants_chunk(now_s):
            data = self._sent.to_bytes(4, "big") * (self.chunk_bytes // 4)
            assert server.send_chunk(5, self._sent, data, now_s)
            self._sent += 1

    def seen(self, role: Role, kind: type) -> list[Event]:
        """The events of one kind that one end took."""
        return [event for _, of, event in self.log if of is role and isinstance(event, kind)]

    def time_of(self, role: Role, kind: type) -> float:
        """When one end first took an event of a kind."""
        return next(at_s for at_s, of, event in self.log if of is role and isinstance(event, kind))

    def complete(self) -> bool:
        """Whether the client has every chunk, whole and once, after the manifest."""
        chunks = self.seen(Role.CLIENT, ChunkReceived)
        whole = all(c.data == c.chunk.to_bytes(4, "big") * (self.chunk_bytes // 4) for c in chunks)
        manifests = self.seen(Role.CLIENT, ManifestReceived)
        return whole and len(manifests) == 1 and sorted(c.chunk for c in chunks) == list(range(self.chunks))

    def closed(self, role: Role) -> Closed | None:
        """How the session ended for one end."""
        return next(iter(self.seen(role, Closed)), None)


@pytest.fixture
def make_play() -> type[Play]:
    """Makes the owners of a session."""
    return Play
