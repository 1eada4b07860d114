"""Lets viewers in, keeps count of them, and sees them out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from exgs.protocol import CloseCode, Closed, ConnectionConfig, Endpoint, ProtocolError, Role, Transport
from exgs.server.callers import Callers
from exgs.server.config import Limits
from exgs.server.errors import Refused
from exgs.server.house import House
from exgs.server.memory import Memory, Remembered
from exgs.server.session import Session
from exgs.server.standing import SessionReport

RETRY_AFTER_S = 10
"""What a refused viewer is told to wait."""

_MAY_COME_BACK = (CloseCode.TRANSPORT_LOST, CloseCode.TIMEOUT)

Answerer = Callable[[str], Awaitable[tuple[Transport, str]]]
"""Takes an SDP offer, gives the server's end of the transport and the SDP answer."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Admission:
    """A viewer that was let in."""

    key: str
    """Names the session in its URL; knowing it is enough to end it, so it is long and random."""
    answer: str
    """SDP for the viewer."""


class Reception:
    """Every live session of one server."""

    def __init__(
        self,
        house: House,
        *,
        limits: Limits,
        connection: ConnectionConfig,
        answerer: Answerer,
    ) -> None:
        self._house, self._metrics, self._limits = house, house.metrics, limits
        self._connection, self._answerer = connection, answerer
        self._addresses: Counter[str] = Counter()
        self._sessions: dict[str, tuple[Session, asyncio.Task[None]]] = {}
        self._closing = False
        self._memory = Memory(limits.resume_s, limits.max_sessions)
        self._callers = Callers(limits.calls, limits.calls_per_s)
        self._leaving: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return self._addresses.total()

    def reports(self) -> list[SessionReport]:
        """How each session stands, the oldest first; no address is told."""
        return [session.report for session, _ in self._sessions.values()]

    async def admit(self, offer: str, *, address: str, first: str | None = None) -> Admission:
        """Answers an offer and starts a session; ``first`` is the scene that heads its list.

        Raises:
            Refused: the server is full or stops.
            RemoteProtocolError: the offer is at fault.
            TransportError: this machine cannot answer it.
            TimeoutError: no answer was found in time.
        """
        with self._place(address):
            async with asyncio.timeout(self._limits.answer_timeout_s):
                transport, answer = await self._answerer(offer)
            await self._check_open(transport)
        return Admission(self._start(transport, address, first, carrier="webrtc"), answer)

    async def attend(
        self, connect: Callable[[], Awaitable[Transport]], *, address: str, first: str | None = None
    ) -> None:
        """Starts a session over the transport that ``connect`` opens, and waits for its end.

        Raises:
            Refused: the server is full, before ``connect`` is called; or it stops.
        """
        with self._place(address):
            transport = await connect()
            await self._check_open(transport)
        key = self._start(transport, address, first, carrier="websocket")
        await asyncio.wait([self._sessions[key][1]])

    async def end(self, key: str) -> bool:
        """Ends the session of that key; False where there is none."""
        if key not in self._sessions:
            return False
        session, task = self._sessions[key]
        await session.close(CloseCode.NORMAL, "ended by request")
        await asyncio.wait([task], timeout=self._limits.shutdown_s)
        return True

    async def close(self) -> None:
        """Says goodbye to everybody and lets nobody in any more."""
        self._closing = True
        self._memory.close()
        goodbyes = [
            part
            for session, task in self._sessions.values()
            for part in (session.close(CloseCode.GOING_AWAY, "the server stops"), task)
        ]
        if not goodbyes:
            return
        together = asyncio.gather(*goodbyes, return_exceptions=True)
        _, late = await asyncio.wait([together], timeout=self._limits.shutdown_s)
        if late:
            together.cancel()
            await asyncio.wait([together], timeout=self._limits.shutdown_s)

    @contextmanager
    def _place(self, address: str) -> Iterator[None]:
        """Takes a place for one more viewer, which is free again where that one does not come about.

        Raises:
            Refused: see ``_check_room``.
        """
        self._check_room(address)
        self._addresses[address] += 1
        self._metrics.sessions.set(len(self))
        try:
            yield
        except BaseException:
            self._release(address)
            raise

    async def _check_open(self, transport: Transport) -> None:
        """Lets go of a transport that came when the server had begun to stop."""
        if self._closing:
            await transport.close()
            raise _stopping()

    def _check_room(self, address: str) -> None:
        """Counts a call from ``address``, and whether one more viewer may come from there now.

        Raises:
            Refused: the server is full, stops, or that address calls too often.
        """
        wait_s = self._callers.wait_s(address, asyncio.get_running_loop().time())
        if wait_s > 0:
            raise Refused.too_often(wait_s)
        self.check_places(address)

    def check_places(self, address: str) -> None:
        """Whether one more viewer may come from ``address`` now.

        Raises:
            Refused: the server is full, or stops.
        """
        limits, taken = self._limits, self._addresses[address]
        if self._closing:
            raise _stopping()
        if len(self) >= limits.max_sessions:
            raise _refused(f"all {limits.max_sessions} places are taken", "full")
        if taken >= limits.max_sessions_per_address:
            raise _refused(f"your address has {taken} sessions, no more are allowed", "address")
        self._check_head_room()

    def _check_head_room(self) -> None:
        """Whether one more viewer would leave enough for all.

        Raises:
            Refused: it would not.
        """
        uplink = self._house.uplink
        rate, active = uplink.turns.bytes_per_s, uplink.active
        if rate and rate / (active + 1) < self._limits.min_share_bytes_per_s:
            raise _refused(
                f"{active} viewers share the upload, and it has nothing left for one more", "upload"
            )
        if self._house.load.late_s > self._limits.max_late_s:
            raise _refused("the server is too busy to do one more viewer justice", "busy")

    def _release(self, address: str) -> None:
        self._addresses[address] -= 1
        if not self._addresses[address]:
            del self._addresses[address]
        self._metrics.sessions.set(len(self))

    def _start(self, transport: Transport, address: str, first: str | None, *, carrier: str) -> str:
        key, name = secrets.token_urlsafe(18), secrets.token_hex(4)
        remembered = Remembered(name)
        token = self._memory.enter(remembered, lambda: self._make_way(key))
        config = replace(self._connection, session=name, resume_token=token, resumable=self._memory)
        session = Session(
            name, Endpoint(Role.SERVER, transport, config), self._house,
            first=first, remembered=remembered, recall=self._memory.continued, carrier=carrier,
        )  # fmt: skip
        logger.info("session %s: opened from %s", name, address)
        task = asyncio.create_task(self._attend(key, session, address, token), name=f"session {name}")
        self._sessions[key] = (session, task)
        return key

    def _make_way(self, key: str) -> None:
        """Another connection continues the session of that key."""
        if key in self._sessions:
            session, _ = self._sessions[key]
            session.note_view()
            task = asyncio.create_task(session.close(CloseCode.GOING_AWAY, "continued by another connection"))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def _attend(self, key: str, session: Session, address: str, token: bytes) -> None:
        """A session's whole life; whatever happens in it, its place is free afterwards."""
        closed: Closed | None = None
        try:
            closed = await session.run()
            logger.info("session %s: %s", session.name, _ending(closed))
        except (ExceptionGroup, ProtocolError):
            logger.exception("session %s: failed", session.name)
        finally:
            if closed is not None and closed.code in _MAY_COME_BACK:
                self._memory.lost(token)
            else:
                self._memory.over(token)
            del self._sessions[key]
            self._release(address)


def _stopping() -> Refused:
    return _refused("the server stops", "stopping")


def _refused(message: str, reason: str) -> Refused:
    return Refused(message, reason=reason, retry_after_s=RETRY_AFTER_S)


def _ending(closed: Closed | None) -> str:
    """How a session ended, for the log."""
    if closed is None:
        return "never opened"
    side = "by the viewer" if closed.by_peer else "here"
    return f"ended {side}: {closed.code.name.lower()} {closed.reason}".rstrip()
