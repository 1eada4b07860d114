"""A session that outlives its connections: what is lost is opened again, and goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.progress import Kind
from exgs.client.signalling import Answered, Link
from exgs.protocol import CloseCode, Closed, Endpoint, Message, PathFigures, Preferences, State
from exgs.protocol.channels import Channel

Connect = Callable[[PlayConfig, Answered], Awaitable[Link]]
Say = Callable[[Kind, str], None]

FIRST_WAIT_S, LONGEST_WAIT_S = 0.25, 4.0
"""Between one try to connect again and the next, doubled from the first to the longest."""
NOTHING_KNOWN = PathFigures(rtt_s=None, jitter_s=0.0, loss=0.0, links=0, repeated_bytes=0)
"""Of a way on which nothing has passed."""
RESUMABLE = (CloseCode.TRANSPORT_LOST, CloseCode.TIMEOUT, CloseCode.GOING_AWAY)
"""Ends that trying again may mend; all others were meant."""


class Lifeline:
    """The connection that there is at the moment. Lives on the event loop."""

    def __init__(self, config: PlayConfig, connect: Connect, *, say: Say) -> None:
        self.reconnects = 0
        """How often a lost connection was made again."""
        self.greeted = False
        """Whether any connection ever was open."""
        self._config, self._connect, self._say = config, connect, say
        self._link: Link | None = None
        self._token = b""
        self._wishes = Preferences(config.max_bytes_per_s, config.max_splats)
        self._leaving = asyncio.Event()

    @property
    def endpoint(self) -> Endpoint:
        """This end of the newest connection."""
        assert self._link is not None, "open first"
        return self._link.endpoint

    @property
    def state(self) -> State:
        """Where the newest connection stands."""
        return State.NEW if self._link is None else self._link.endpoint.state

    @property
    def path(self) -> PathFigures:
        """What is known of the way to the server."""
        return NOTHING_KNOWN if self._link is None else self._link.endpoint.path

    @property
    def delivered_bytes_per_s(self) -> float:
        """Goodput of scene bytes over the last second."""
        return 0.0 if self._link is None else self._link.endpoint.delivered_bytes_per_s

    @property
    def bytes_received(self) -> Mapping[Channel, int]:
        """Message bytes that the newest connection brought, by channel."""
        return dict.fromkeys(Channel, 0) if self._link is None else self._link.endpoint.bytes_received

    @property
    def carrier(self) -> str:
        """What carries the newest connection."""
        return "" if self._link is None else self._link.carrier

    @property
    def max_bytes_per_s(self) -> int:
        """What the user allows; 0 for no bound."""
        return self._wishes.max_bytes_per_s

    @property
    def max_splats(self) -> int:
        """How many splats the user lets this side hold; 0 for no bound."""
        return self._wishes.max_splats

    async def open(self, answered: Answered = lambda carrier: None) -> Endpoint:
        """Connects; ``answered`` hears when the server answers.

        Raises:
            ClientError: the server cannot be reached, or refuses.
        """
        self._link = await self._connect(replace(self._config, resume_token=self._token), answered)
        return self._link.endpoint

    def opened(self, token: bytes) -> None:
        """The greeting is over; ``token`` opens the next connection. The server learns the user's wishes."""
        self._token, self.greeted = token, True
        if self._wishes != Preferences():
            self.endpoint.send(self._wishes)

    def prefer(self, wishes: Preferences) -> None:
        """What the user wants from now on, over this connection and those to come."""
        self._wishes = wishes
        self.send(wishes)

    def send(self, message: Message) -> None:
        """Says ``message`` where there is somebody to hear it; never waits."""
        if self._link is not None and self.endpoint.state is State.OPEN:
            self.endpoint.send(message)

    async def restore(self, closed: Closed) -> bool:
        """Connects again after ``closed``, with pauses that grow; False where that is of no use."""
        if closed.code not in RESUMABLE or not self._token or self._leaving.is_set():
            return False
        loop = asyncio.get_running_loop()
        give_up_s, wait_s = loop.time() + self._config.reconnect_s, FIRST_WAIT_S
        await self._let_go()
        while loop.time() < give_up_s and not await self._left_within(wait_s):
            try:
                opened = await self._open_while_wanted()
            except ClientError as error:
                self._say("reconnecting", f"not yet: {error}")
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
                continue
            self.reconnects += opened
            return opened
        return False

    async def close(self) -> None:
        """Says goodbye; nothing is restored from now on."""
        self._leaving.set()
        if self._link is not None:
            await self.endpoint.close()

    async def hang_up(self) -> None:
        """Says goodbye and lets go of everything; never fails."""
        self._leaving.set()
        if self._link is not None:
            await self._link.hang_up()

    async def _let_go(self) -> None:
        if self._link is not None:
            await (self._link.let_go or self._link.hang_up)()

    async def _open_while_wanted(self) -> bool:
        """Connects; False where the end of the session was wanted before that was done."""
        opening, leaving = asyncio.create_task(self.open()), asyncio.create_task(self._leaving.wait())
        try:
            await asyncio.wait({opening, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not self._leaving.is_set():
                opening.result()
            return not self._leaving.is_set()
        finally:
            for task in (opening, leaving):
                task.cancel()
            await asyncio.gather(opening, leaving, return_exceptions=True)

    async def _left_within(self, wait_s: float) -> bool:
        """Waits; whether the end of the session was wanted meanwhile."""
        try:
            async with asyncio.timeout(wait_s):
                await self._leaving.wait()
        except TimeoutError:
            return False
        return True
