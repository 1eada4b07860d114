"""The owners of two live endpoints."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from exgs.protocol import (
    ChunkReceived,
    CloseCode,
    Closed,
    Endpoint,
    ManifestReceived,
    Opened,
    OpenScene,
    Role,
    SceneInfo,
    SceneList,
    Transport,
)

MANIFEST = bytes(range(256)) * 400


def chunk_data(chunk: int) -> bytes:
    """40,000 bytes that tell the chunk."""
    return chunk.to_bytes(4, "big") * 10_000


async def serve(endpoint: Endpoint, chunks: int) -> Closed:
    """Offers one scene and feeds it; gives how the session ended."""

    async def feed() -> None:
        for chunk in range(chunks):
            if not await endpoint.writable():
                return
            endpoint.send_chunk(1, chunk, chunk_data(chunk))

    async with endpoint, asyncio.TaskGroup() as tasks:
        async for event in endpoint:
            if isinstance(event, OpenScene):
                endpoint.send_manifest(1, MANIFEST)
                tasks.create_task(feed())
            elif isinstance(event, Closed):
                return event
            elif isinstance(event, Opened):
                endpoint.send(SceneList((SceneInfo(1, "room"),)))
    raise AssertionError("a session ends with Closed")


async def watch(endpoint: Endpoint, chunks: int) -> dict[int, bytes]:
    """Opens the first scene and says goodbye once every chunk is there."""
    received: dict[int, bytes] = {}
    async with endpoint:
        await endpoint.opened()
        async for event in endpoint:
            if isinstance(event, SceneList):
                endpoint.send(OpenScene(event.scenes[0].scene))
            elif isinstance(event, ManifestReceived):
                assert event.data == MANIFEST
                assert not received
            elif isinstance(event, ChunkReceived):
                received[event.chunk] = event.data
                if len(received) == chunks:
                    break
            else:
                assert not isinstance(event, Closed), event
        await endpoint.close(CloseCode.NORMAL, "seen")
    return received


@pytest.fixture
def play() -> Callable[[Transport, Transport, int], Awaitable[tuple[dict[int, bytes], Closed]]]:
    """Plays a whole session over the transports of a client and a server."""

    async def run(client: Transport, server: Transport, chunks: int) -> tuple[dict[int, bytes], Closed]:
        before = asyncio.all_tasks()
        async with asyncio.timeout(60):
            received, closed = await asyncio.gather(
                watch(Endpoint(Role.CLIENT, client), chunks), serve(Endpoint(Role.SERVER, server), chunks)
            )
        assert asyncio.all_tasks() <= before, "tasks were left behind"
        assert received == {chunk: chunk_data(chunk) for chunk in range(chunks)}
        return received, closed

    return run
