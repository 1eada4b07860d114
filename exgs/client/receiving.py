"""From the connection to the decoder: passes on what arrives, over one connection after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from exgs.client.clock import Clock
from exgs.client.decoding import DecodeWorker
from exgs.client.errors import ClientError, quoted
from exgs.client.lifeline import Lifeline, Say
from exgs.client.opening import OpenedScene, reason
from exgs.protocol import (
    ChunkReceived,
    Closed,
    Forgotten,
    ManifestReceived,
    Opened,
    OpenScene,
    PeerHeard,
    PeerSilent,
    SceneInfo,
    SceneList,
    SceneState,
    SceneStatus,
)
from exgs.protocol.vocabulary import MAX_RECEIPT_CHUNKS

NEAR_CAP = 0.85
"""A rate above this share of what the user allows is held back by that."""


class Reception:
    """Passes chunks to the decoder until the session ends, no faster than it decodes."""

    def __init__(self, line: Lifeline, scene: OpenedScene, worker: DecodeWorker, *, clock: Clock, say: Say):
        self.started_s = clock.now()
        """When the manifest was there."""
        self.first_chunk_s: float | None = None
        """When the first chunk had arrived."""
        self.last_chunk_s: float | None = None
        """When the newest chunk had arrived."""
        self.chunk_bytes = 0
        """Bytes of the chunks that have arrived."""
        self.lost: str | None = None
        """Why the session ended before ``leave`` was called."""
        self.silent = False
        """Whether nothing is heard of the server."""
        self.leaving = False
        """Whether the end of the session is wanted."""
        self._line, self._scene, self._worker = line, scene, worker
        self._number = scene.number
        self._have: set[int] = set()
        self._clock, self._say = clock, say
        self._room = asyncio.Event()

    @property
    def goodput_bytes_per_s(self) -> float:
        """Bytes of all chunks over the time from the manifest to the newest of them; 0 before the first."""
        span_s = (self.last_chunk_s or self.started_s) - self.started_s
        return self.chunk_bytes / span_s if span_s > 0 else 0.0

    @property
    def bytes_received(self) -> int:
        """Bytes of the scene that have arrived, manifest included."""
        return self._scene.preamble.size_bytes + self.chunk_bytes

    @property
    def limiter(self) -> str:
        """What holds the scene back: "complete", "cpu" (this decoder), "cap" (the user) or "link"."""
        if len(self._have) >= len(self._scene.preamble.chunks):
            return "complete"
        if self._worker.full:
            return "cpu"
        cap = self._line.max_bytes_per_s
        return "cap" if cap and self._line.delivered_bytes_per_s > NEAR_CAP * cap else "link"

    def leave(self) -> None:
        """Notes that the end of the session is wanted."""
        self.leaving = True
        if self._scene.connecting is not None:
            self._scene.connecting.cancel()

    def decoded(self) -> None:
        """Notes that the decoder has made room."""
        self._room.set()

    def forgotten(self, chunks: Sequence[int]) -> None:
        """Tells the server what was let go to make room; it may come again.

        One that was not asked for the scene yet is told of what is here when it is.
        """
        self._have.difference_update(chunks)
        if self._number < 0:
            return
        for start in range(0, len(chunks), MAX_RECEIPT_CHUNKS):
            some = tuple(chunks[start : start + MAX_RECEIPT_CHUNKS])
            self._line.send(Forgotten(self._number, some))

    async def run(self) -> None:
        """Receives until the session ends for good, then closes the decoder's queue.

        Raises:
            ClientError: the session does not come about, or the server sent what the manifest does not name.
        """
        try:
            if not await self._begin():
                return
            closed = await self._receive()
            if not self._line.greeted and not self.leaving:
                raise ClientError(f"no session: {reason(closed)}")
            while not self.leaving and self.lost is None:
                self._say("reconnecting", f"connection lost: {reason(closed)}; trying again")
                if not await self._line.restore(closed):
                    break
                closed = await self._receive()
            if not self.leaving:
                self.lost = self.lost or reason(closed)
                self._say("lost", f"connection lost: {self.lost}; showing what has arrived")
        finally:
            self._worker.close()

    async def _begin(self) -> bool:
        """Passes on what came before the connection, and waits for that; False where it is not wanted."""
        for chunk, data in self._scene.chunks:
            await self._take(chunk, data)
        try:
            if self._scene.connecting is not None:
                await self._scene.connecting
        except asyncio.CancelledError:
            if not self.leaving:
                raise
            return False
        return True

    async def _receive(self) -> Closed:
        """Takes what one connection brings, to its end."""
        endpoint, self.silent = self._line.endpoint, False
        async for event in endpoint:
            match event:
                case ChunkReceived() if event.scene == self._number and self.lost is None:
                    await self._take(event.chunk, event.data)
                case Opened():
                    if not self._line.greeted:
                        self._say("opened", f"connected to {quoted(event.agent) or 'the server'}")
                    self._line.opened(event.resume_token)
                case SceneList():
                    await self._ask_again(event.scenes)
                case ManifestReceived():
                    self.lost = "the scene has changed on the server"
                    await endpoint.close()
                case SceneStatus() if event.state == SceneState.CONTINUING and self._line.reconnects:
                    self._say("reconnected", "connected again; what has arrived is not sent twice")
                case SceneStatus() if event.state == SceneState.REFUSED and event.scene == self._number:
                    self.lost = quoted(event.detail) or "the server refuses the scene"
                    await endpoint.close()
                case PeerHeard():
                    self.silent = False
                case PeerSilent():
                    self.silent = True
                    self._say("silent", f"nothing heard from the server for {event.silent_s:.0f} s")
                case Closed():
                    return event
        raise AssertionError("a session ends with Closed")

    async def _ask_again(self, scenes: Sequence[SceneInfo]) -> None:
        """By another way than before: the same scene, without what is here."""
        number = next((scene.scene for scene in scenes if scene.name == self._scene.name), None)
        if number is None:
            self.lost = "the server has the scene no more"
            await self._line.endpoint.close()
            return
        self._number = number
        have = bytearray((max(self._have, default=-1) >> 3) + 1)
        for chunk in self._have:
            have[chunk >> 3] |= 1 << (chunk & 7)
        self._line.endpoint.send(OpenScene(number, bytes(have), self._scene.digest))

    async def _take(self, chunk: int, data: bytes) -> None:
        now_s = self._clock.now()
        if self.first_chunk_s is None:
            self.first_chunk_s = now_s
            self._say("first_chunk", f"first chunk: {len(data)} bytes")
        self.last_chunk_s = now_s
        self.chunk_bytes += len(data)
        self._worker.submit(chunk, data)
        self._have.add(chunk)
        while self._worker.full:
            self._room.clear()
            if self._worker.full:
                await self._room.wait()
