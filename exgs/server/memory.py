"""What is kept of sessions whose viewer may come back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from exgs.protocol import Preferences, ViewUpdate

TOKEN_BYTES = 32


@dataclass
class Remembered:
    """What a viewer's session knows beyond its connection."""

    name: str
    """Of the session, in logs."""
    wishes: Preferences = field(default_factory=Preferences)
    """What the viewer wants."""
    view: ViewUpdate | None = None
    """Where its head was."""


class Memory:
    """Sessions by their resume token: those that live, and for a while those that lost their viewer.

    Tokens are looked up by their hash, so how long a look takes says nothing about any of them.
    """

    def __init__(self, keep_s: float, max_kept: int) -> None:
        self._keep_s, self._max_kept = keep_s, max_kept
        self._known: dict[bytes, tuple[Remembered, Callable[[], None]]] = {}
        self._leaving: dict[bytes, asyncio.TimerHandle] = {}

    def __contains__(self, token: object) -> bool:
        return isinstance(token, bytes) and sha256(token).digest() in self._known

    def __len__(self) -> int:
        return len(self._known)

    def enter(self, remembered: Remembered, leave: Callable[[], None]) -> bytes:
        """A session begins; ``leave`` is called when another connection continues it. Gives its token."""
        token = secrets.token_bytes(TOKEN_BYTES)
        self._known[sha256(token).digest()] = (remembered, leave)
        return token

    def continued(self, token: bytes) -> Remembered | None:
        """What another connection goes on with; the one before ends, and its token with it."""
        found = self._known.pop(sha256(token).digest(), None)
        self._stop_timer(token)
        if found is None:
            return None
        remembered, leave = found
        leave()
        return remembered

    def lost(self, token: bytes) -> None:
        """The session's connection broke: it may be continued for a while."""
        key = sha256(token).digest()
        if key not in self._known:
            return
        remembered, _ = self._known[key]
        self._known[key] = (remembered, _nothing)
        self._leaving[key] = asyncio.get_running_loop().call_later(self._keep_s, self._forget, key)
        if len(self._leaving) > self._max_kept:
            self._forget(next(iter(self._leaving)))

    def over(self, token: bytes) -> None:
        """The session ended as it should."""
        self._forget(sha256(token).digest())

    def close(self) -> None:
        """Forgets everything."""
        for key in list(self._known):
            self._forget(key)

    def _forget(self, key: bytes) -> None:
        self._known.pop(key, None)
        timer = self._leaving.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _stop_timer(self, token: bytes) -> None:
        timer = self._leaving.pop(sha256(token).digest(), None)
        if timer is not None:
            timer.cancel()


def _nothing() -> None:
    """There is no connection left to end."""
