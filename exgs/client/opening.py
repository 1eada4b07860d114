"""Up to an opened scene: connects, chooses from the server's list, and waits for the manifest.

Where the beginning of the scene is here before that, the scene counts as opened with it, and the connection
is still being made. From then on all is as after a loss: whoever receives asks for what is not here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from exgs.client.beginning import Beginning
from exgs.client.errors import ClientError, quoted
from exgs.client.lifeline import Lifeline, Say
from exgs.codec import DecodeError, Preamble, parse_preamble
from exgs.protocol import (
    Closed,
    ManifestReceived,
    Opened,
    OpenScene,
    SceneInfo,
    SceneList,
    SceneState,
    SceneStatus,
)

MAX_NAMES_SHOWN = 12
TRANSPORT_GRACE_S = 5.0
"""The transport has a time-out of its own, and knows better what went wrong."""


@dataclass(frozen=True, eq=False)
class OpenedScene:
    """A scene whose chunks are on their way."""

    name: str
    """What the server calls it."""
    preamble: Preamble
    """Its header and manifest."""
    digest: bytes
    """SHA-256 of the preamble's bytes."""
    number: int = -1
    """Its number in the session; -1 before that is known."""
    chunks: tuple[tuple[int, bytes], ...] = ()
    """Ids and bytes of chunks that are here already."""
    connecting: asyncio.Task[None] | None = field(default=None, repr=False)
    """Makes the connection; None where there is one."""

    async def stop_connecting(self) -> None:
        """Gives up the connection where it is still being made; returns when nothing of that is left."""
        if self.connecting is not None:
            await _stop(self.connecting)


async def open_scene(
    line: Lifeline, name: str | None, *,
    timeout_s: float, say: Say, beginning: Awaitable[Beginning | None] | None = None,
) -> OpenedScene:  # fmt: skip
    """Connects and opens a scene, by its ``beginning`` where that is here before one was asked for.

    Raises:
        ClientError: the session does not come about, there is no such scene, or it cannot be had.
    """
    connecting = asyncio.create_task(_connect(line, say))
    asking = _Asking(line, name, timeout_s=timeout_s, say=say)
    opening = asyncio.create_task(asking.run(connecting))
    fetching = asyncio.ensure_future(beginning if beginning is not None else _nothing())
    try:
        await asyncio.wait({opening, fetching}, return_when=asyncio.FIRST_COMPLETED)
        early = fetching.result() if fetching.done() else None
        if early is None or asking.asked or opening.done():
            return await opening
        await _stop(opening)
        return OpenedScene(
            early.name, early.preamble, early.digest, chunks=early.chunks, connecting=connecting
        )
    except BaseException:
        await _stop(opening)
        await _stop(connecting)
        raise
    finally:
        await _stop(fetching)


class _Asking:
    """The way through the session."""

    def __init__(self, line: Lifeline, name: str | None, *, timeout_s: float, say: Say) -> None:
        self.asked = False
        """Whether a scene was asked for."""
        self._line, self._name, self._timeout_s, self._say = line, name, timeout_s, say

    async def run(self, connecting: asyncio.Task[None]) -> OpenedScene:
        """Waits for the connection and for the server's list, asks for a scene and waits for its manifest."""
        await asyncio.shield(connecting)
        try:
            async with asyncio.timeout(self._timeout_s + TRANSPORT_GRACE_S) as timer:
                return await self._open(timer)
        except TimeoutError as error:
            awaited = "manifest" if self.asked else "list of scenes"
            limit = f"within {self._timeout_s:g} s"
            raise ClientError(f"the server is there, but no {awaited} came {limit}") from error

    async def _open(self, timer: asyncio.Timeout) -> OpenedScene:
        chosen: SceneInfo | None = None
        endpoint = self._line.endpoint
        async for event in endpoint:
            if isinstance(event, Opened):
                self._say("opened", f"connected to {quoted(event.agent) or 'the server'}")
                self._line.opened(event.resume_token)
                self._extend(timer)
            elif isinstance(event, SceneList) and chosen is None:
                chosen = _choose(event.scenes, self._name)
                endpoint.send(OpenScene(chosen.scene))
                self.asked = True
                self._extend(timer)
            elif isinstance(event, SceneStatus) and _preparing(event, chosen, self._say):
                timer.reschedule(None)
            elif isinstance(event, ManifestReceived) and chosen and event.scene == chosen.scene:
                digest = sha256(event.data).digest()
                return OpenedScene(chosen.name, _parse(event.data), digest, chosen.scene)
            elif isinstance(event, Closed):
                raise ClientError(f"no session: {reason(event)}")
        raise ClientError("the connection ended before the scene was opened")

    def _extend(self, timer: asyncio.Timeout) -> None:
        timer.reschedule(asyncio.get_running_loop().time() + self._timeout_s)


async def _connect(line: Lifeline, say: Say) -> None:
    await line.open(lambda carrier: say("answered", f"the server answered ({carrier})"))


async def _nothing() -> None:
    """Where no beginning is to be had."""


async def _stop(task: asyncio.Future[Any]) -> None:
    """Cancels what still runs, and lets nothing of it be told."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


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
