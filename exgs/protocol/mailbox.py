"""Events that wait for the owner."""

from __future__ import annotations

from collections import deque

from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.events import ChunkReceived, Closed, Event, ManifestReceived, PeerSilent
from exgs.protocol.messages import Preferences, Statistics, ViewUpdate
from exgs.protocol.vocabulary import CloseCode

_MAX_WAITING = 512
_NEWEST_COUNTS = (ViewUpdate, Statistics, Preferences)
_BOUNDED_ELSEWHERE = (ChunkReceived, PeerSilent, Closed)
_OF_A_SCENE = (ManifestReceived, ChunkReceived)


class Mailbox:
    """A bounded queue, in which only the newest of all views, statistics and preferences waits."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()

    def put(self, event: Event) -> None:
        """Adds ``event``.

        Raises:
            RemoteProtocolError: the peer makes more events than the owner takes.
        """
        if isinstance(event, _NEWEST_COUNTS):
            for index, waiting in enumerate(self._waiting):
                if type(waiting) is type(event):
                    self._waiting[index] = event
                    return
        if len(self._waiting) >= _MAX_WAITING and not isinstance(event, _BOUNDED_ELSEWHERE):
            raise RemoteProtocolError(f"{_MAX_WAITING} events wait already", close_code=CloseCode.FLOOD)
        self._waiting.append(event)

    def take(self) -> Event | None:
        """The oldest; None when nothing waits."""
        return self._waiting.popleft() if self._waiting else None

    def forget_scene(self) -> None:
        """Drops manifests and chunks: another scene was asked for."""
        self._waiting = deque(event for event in self._waiting if not isinstance(event, _OF_A_SCENE))
