"""Further connections for scene data, as an endpoint goes about them: one task for each word of the peer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from exgs.protocol.connection import Connection
from exgs.protocol.errors import RemoteProtocolError, TransportError
from exgs.protocol.messages import LinkAnswer, LinkOffer
from exgs.protocol.transport import LinkCarrier
from exgs.protocol.vocabulary import State


class Linking:
    """Carries what a connection decides about links to the transport, and back."""

    def __init__(self, carrier: LinkCarrier, connection: Connection, pump: Callable[[], None]) -> None:
        self._carrier, self._connection, self._pump = carrier, connection, pump
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def look(self, now_s: float) -> None:
        """Starts what is due."""
        link = self._connection.link_to_offer(now_s)
        if link is not None:
            self._start(self._offer(link))
        while (word := self._connection.next_link_word()) is not None:
            self._start(self._accept(word) if isinstance(word, LinkAnswer) else self._answer(word))

    def stop(self) -> None:
        """Gives up what is under way."""
        for task in self._tasks:
            task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _offer(self, link: int) -> None:
        try:
            sdp = await self._carrier.offer_link(link)
        except (TransportError, RemoteProtocolError):
            self._connection.link_failed(link, self._loop.time())
        else:
            self._say(LinkOffer(link, sdp))

    async def _accept(self, answer: LinkAnswer) -> None:
        try:
            await self._carrier.accept_link(answer.link, answer.sdp)
        except (TransportError, RemoteProtocolError):
            self._connection.link_failed(answer.link, self._loop.time())

    async def _answer(self, offer: LinkOffer) -> None:
        try:
            sdp = await self._carrier.answer_link(offer.link, offer.sdp)
        except (TransportError, RemoteProtocolError):
            sdp = ""  # what tells the client that there will be none
        self._say(LinkAnswer(offer.link, sdp))

    def _say(self, message: LinkOffer | LinkAnswer) -> None:
        if self._connection.state is State.OPEN:
            self._connection.send(message, self._loop.time())
            self._pump()
