"""From the connection to the decoder: chooses a scene, and passes on what arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from exgs.client.clock import Clock
from exgs.client.decoding import DecodeWorker
from exgs.client.errors import ClientError, quoted
from exgs.client.lifeline import Lifeline
from exgs.client.progress import Kind
from exgs.codec import DecodeError, Preamble, parse_preamble
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

MAX_NAMES_SHOWN = 12
NEAR_CAP = 0.85
"""A rate above this share of what the user allows is held back by that."""
TRANSPORT_GRACE_S = 5.0
"""The transport has a time-out of its own, and knows better what went wrong."""

Say = Callable[[Kind, str], None]


@dataclass(frozen=True, eq=False)
class OpenedScene:
    """A scene whose chunks are on their way."""

    info: SceneInfo
    """Its row in the server's list."""
    preamble: Preamble
    """Its header and manifest."""
    digest: bytes
    """SHA-256 of the preamble's bytes."""


async def open_scene(line: Lifeline, name: str | None, *, timeout_s: float, say: Say) -> OpenedScene:
    """Waits for the server's list, asks for a scene and waits for its manifest, however long it is prepared.

    Raises:
        ClientError: the session does not come about, there is no such scene, or it cannot be had.
    """
    chosen: SceneInfo | None = None
    endpoint = line.endpoint
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(timeout_s + TRANSPORT_GRACE_S) as timer:
            async for event in endpoint:
                if isinstance(event, Opened):
                    say("opened", f"connected to {quoted(event.agent) or 'the server'}")
                    line.opened(event.resume_token)
                    timer.reschedule(now() + timeout_s)
                elif isinstance(event, SceneList) and chosen is None:
                    chosen = _choose(event.scenes, name)
                    endpoint.send(OpenScene(chosen.scene))
                    timer.reschedule(now() + timeout_s)
                elif isinstance(event, SceneStatus) and _preparing(event, chosen, say):
                    timer.reschedule(None)
                elif isinstance(event, ManifestReceived) and chosen and event.scene == chosen.scene:
                    return OpenedScene(chosen, _parse(event.data), sha256(event.data).digest())
                elif isinstance(event, Closed):
                    raise ClientError(f"no session: {reason(event)}")
    except TimeoutError as error:
        awaited = "list of scenes" if chosen is None else "manifest"
        raise ClientError(f"the server is there, but no {awaited} came within {timeout_s:g} s") from error
    raise ClientError("the connection ended before the scene was opened")


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
        self._number = scene.info.scene
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
        return "cap" if cap and self._line.endpoint.delivered_bytes_per_s > NEAR_CAP * cap else "link"

    def leave(self) -> None:
        """Notes that the end of the session is wanted."""
        self.leaving = True

    def decoded(self) -> None:
        """Notes that the decoder has made room."""
        self._room.set()

    def forgotten(self, chunks: Sequence[int]) -> None:
        """Tells the server what was let go to make room; it may come again."""
        self._have.difference_update(chunks)
        for start in range(0, len(chunks), MAX_RECEIPT_CHUNKS):
            some = tuple(chunks[start : start + MAX_RECEIPT_CHUNKS])
            self._line.send(Forgotten(self._number, some))

    async def run(self) -> None:
        """Receives until the session ends for good, then closes the decoder's queue.

        Raises:
            ClientError: the server sent what the manifest does not name.
        """
        try:
            closed = await self._receive()
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

    async def _receive(self) -> Closed:
        """Takes what one connection brings, to its end."""
        endpoint, self.silent = self._line.endpoint, False
        async for event in endpoint:
            match event:
                case ChunkReceived() if event.scene == self._number and self.lost is None:
                    await self._take(event)
                case Opened():
                    self._line.opened(event.resume_token)
                case SceneList():
                    self._ask_again(event.scenes)
                case ManifestReceived():
                    self.lost = "the scene has changed on the server"
                    await endpoint.close()
                case SceneStatus() if event.state == SceneState.CONTINUING:
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

    def _ask_again(self, scenes: Sequence[SceneInfo]) -> None:
        """After a reconnection: the same scene, without what is here."""
        number = next((scene.scene for scene in scenes if scene.name == self._scene.info.name), None)
        if number is None:
            return
        self._number = number
        have = bytearray((max(self._have, default=-1) >> 3) + 1)
        for chunk in self._have:
            have[chunk >> 3] |= 1 << (chunk & 7)
        self._line.endpoint.send(OpenScene(number, bytes(have), self._scene.digest))

    async def _take(self, event: ChunkReceived) -> None:
        now_s = self._clock.now()
        if self.first_chunk_s is None:
            self.first_chunk_s = now_s
            self._say("first_chunk", f"first chunk: {len(event.data)} bytes")
        self.last_chunk_s = now_s
        self.chunk_bytes += len(event.data)
        self._worker.submit(event.chunk, event.data)
        self._have.add(event.chunk)
        while self._worker.full:
            self._room.clear()
            if self._worker.full:
                await self._room.wait()


def reason(event: Closed) -> str:
    """Why the session ended, for a person."""
    text = quoted(event.reason) or event.code.name.lower().replace("_", " ")
    return f"the server said: {text}" if event.by_peer else text


def _choose(scenes: Sequence[SceneInfo], name: str | None) -> SceneInfo:
    names = ", ".join(quoted(scene.name) for scene in scenes[:MAX_NAMES_SHOWN])
    if len(scenes) > MAX_NAMES_SHOWN:
        names += f" and {len(scenes) - MAX_NAMES_SHOWN} more"
    if not scenes:
        raise ClientError("the server has no scenes")
    if name is None:
        return scenes[0]
    for scene in scenes:
        if scene.name == name:
            return scene
    raise ClientError(f"the server has no scene {name!r}; it has: {names}")


def _preparing(event: SceneStatus, chosen: SceneInfo | None, say: Say) -> bool:
    """Whether the scene is being encoded, which may take minutes; raises where it cannot be had."""
    if chosen is None or event.scene != chosen.scene:
        return False
    if event.state == SceneState.REFUSED:
        raise ClientError(f"scene {quoted(chosen.name)!r}: {quoted(event.detail) or 'refused by the server'}")
    if event.state != SceneState.PREPARING:
        return False
    if event.progress > 0 or not chosen.ready:  # a ready scene is only read
        say("preparing", f"the server prepares the scene: {100 * event.progress:.0f} %")
    return True


def _parse(data: bytes) -> Preamble:
    try:
        return parse_preamble(data)
    except DecodeError as error:
        raise ClientError(f"the manifest of the scene is unusable: {error}") from error
