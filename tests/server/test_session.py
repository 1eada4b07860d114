"""A viewer's session over the in-memory driver: everything arrives, in order, and nothing stays behind."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import numpy as np
import pytest

from exgs.codec import open_container, parse_preamble
from exgs.protocol import (
    ChunkReceived,
    CloseCode,
    Closed,
    ConnectionConfig,
    Endpoint,
    Forgotten,
    ManifestReceived,
    OpenScene,
    Preferences,
    Role,
    SceneList,
    SceneState,
    SceneStatus,
    Statistics,
    ViewUpdate,
)
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.server.errors import SceneFailed
from exgs.server.house import House
from exgs.server.library import Library
from exgs.server.metrics import Metrics
from exgs.server.session import Session


def _view(orientation: tuple[float, float, float, float] = (1, 0, 0, 0)) -> ViewUpdate:
    return ViewUpdate(1, 0, (0.0, 0.0, -9.0), orientation, (0.6, 0.6))


@asynccontextmanager
async def _viewer(
    library: Library, metrics: Metrics | None = None, first: str | None = None
) -> AsyncIterator[Endpoint]:
    """A client whose session runs; both are over at the end."""
    ours, theirs = loopback_pair()
    client, server = Endpoint(Role.CLIENT, ours), Endpoint(Role.SERVER, theirs)
    session = Session("test", server, House(library, metrics or Metrics()), first=first)
    task = asyncio.create_task(session.run())
    try:
        await client.opened()
        yield client
    finally:
        await client.close()
        await task


async def _scene_list(client: Endpoint) -> list[str]:
    event = await client.next_event()
    assert isinstance(event, SceneList)
    return [scene.name for scene in event.scenes]


async def _receive(client: Endpoint, chunks: int | None = None) -> tuple[list[Any], list[SceneStatus]]:
    """Manifest and chunks as they arrive, and what is said of the scene, until it is whole or refused.

    Whole is it with so many ``chunks``; where no number is given, with as many as the manifest names.
    """
    arrived: list[Any] = []
    said: list[SceneStatus] = []
    async with asyncio.timeout(20):
        async for event in client:
            if isinstance(event, SceneStatus):
                said.append(event)
            elif isinstance(event, ManifestReceived | ChunkReceived):
                arrived.append(event)
            state = said[-1].state if said else None
            if state == SceneState.REFUSED or (state == SceneState.COMPLETE and _whole(arrived, chunks)):
                return arrived, said
    raise AssertionError("the session ended first")


def _whole(arrived: list[Any], chunks: int | None = None) -> bool:
    if chunks is not None:
        return sum(isinstance(event, ChunkReceived) for event in arrived) == chunks
    return bool(arrived) and len(arrived) - 1 == len(parse_preamble(arrived[0].data).chunks)


async def test_every_chunk_arrives_parents_first(library: Library, encoded: bytes) -> None:
    container = open_container(encoded)
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(_view())
        client.send(OpenScene(names.index("statue")))
        arrived, said = await _receive(client)
    manifest, *chunks = arrived
    assert manifest.data == container.preamble
    order = [event.chunk for event in chunks]
    assert sorted(order) == list(range(len(container.manifest)))
    assert all(event.data == container.chunk(event.chunk) for event in chunks)
    place = {chunk_id: index for index, chunk_id in enumerate(order)}
    assert all(info.parent < 0 or place[info.parent] < place[info.id] for info in container.manifest)
    assert [status.state for status in said][-2:] == [SceneState.STREAMING, SceneState.COMPLETE]


@pytest.mark.parametrize("same", [True, False])
async def test_what_the_viewer_has_of_the_same_manifest_is_left_out(
    library: Library, encoded: bytes, same: bool
) -> None:
    container = open_container(encoded)
    count = len(container.manifest)
    digest = sha256(container.preamble if same else b"of another encoding").digest()
    async with _viewer(library) as client:
        names = await _scene_list(client)
        have = np.packbits(np.arange(count) != count - 1, bitorder="little").tobytes()
        client.send(OpenScene(names.index("statue"), have, digest))
        arrived, said = await _receive(client, 1 if same else count)
    chunks = [event.chunk for event in arrived if isinstance(event, ChunkReceived)]
    assert sorted(chunks) == ([count - 1] if same else list(range(count)))
    assert len(arrived) - len(chunks) == (0 if same else 1), "the manifest"
    assert (SceneState.CONTINUING in [status.state for status in said]) == same


async def test_an_encoding_is_announced(library: Library, pool: Any) -> None:
    pool.go.clear()
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(OpenScene(names.index("room")))
        progress = []
        while len(progress) < 2:
            event = await client.next_event()
            assert isinstance(event, SceneStatus) and event.state == SceneState.PREPARING
            progress.append(event.progress)
        assert progress == [0.0, 0.5]
        pool.go.set()
        arrived, _ = await _receive(client)
    assert _whole(arrived)


async def test_a_failing_scene_is_refused_and_another_can_be_had(library: Library, pool: Any) -> None:
    pool.result = SceneFailed("too odd " + "é" * 600)
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(OpenScene(names.index("room")))
        _, said = await _receive(client)
        assert said[-1].state == SceneState.REFUSED and said[-1].detail.startswith("too odd")
        client.send(OpenScene(names.index("statue")))
        arrived, _ = await _receive(client)
    assert _whole(arrived)


async def test_an_unknown_number_is_refused(library: Library) -> None:
    async with _viewer(library) as client:
        await _scene_list(client)
        client.send(OpenScene(77))
        _, said = await _receive(client)
    assert said[-1].state == SceneState.REFUSED and "77" in said[-1].detail


async def test_a_second_wish_ends_the_first(library: Library, pool: Any) -> None:
    pool.go.clear()
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(OpenScene(names.index("room")))
        client.send(OpenScene(names.index("statue")))
        arrived, said = await _receive(client)
        pool.go.set()
    assert {event.scene for event in arrived} == {names.index("statue")}
    assert said[-1].scene == names.index("statue")


async def test_the_scene_asked_for_by_url_heads_the_list(library: Library) -> None:
    async with _viewer(library, first="statue") as client:
        assert await _scene_list(client) == ["statue", "room"]


async def test_a_budget_of_splats_holds_until_it_is_raised(library: Library, encoded: bytes) -> None:
    container = open_container(encoded)
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(Preferences(max_splats=3_000))
        client.send(OpenScene(names.index("statue")))
        coarse = sum(info.parent < 0 for info in container.manifest)
        chunks = 0
        while chunks < coarse:
            chunks += isinstance(await client.next_event(), ChunkReceived)
        client.send(Preferences())
        while chunks < len(container.manifest):
            chunks += isinstance(await client.next_event(), ChunkReceived)
    assert chunks == len(container.manifest)


async def test_what_the_viewer_lets_go_comes_again(library: Library) -> None:
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(OpenScene(names.index("statue")))
        arrived, _ = await _receive(client)
        gone = arrived[-1].chunk
        client.send(Forgotten(names.index("statue"), (gone,)))
        async with asyncio.timeout(20):
            async for event in client:
                if isinstance(event, ChunkReceived):
                    assert event == arrived[-1]
                    break


async def test_a_rate_is_kept(library: Library, encoded: bytes) -> None:
    loop = asyncio.get_running_loop()
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(Preferences(max_bytes_per_s=2 * len(encoded)))
        client.send(OpenScene(names.index("statue")))
        start_s = loop.time()
        await _receive(client)
        took_s = loop.time() - start_s
    assert took_s > 0.25  # half a second, less the last chunk, for which nobody waits


async def test_a_rate_that_is_raised_acts_at_once(library: Library) -> None:
    async with _viewer(library) as client:
        names = await _scene_list(client)
        client.send(Preferences(max_bytes_per_s=100))
        client.send(OpenScene(names.index("statue")))
        taken = 0
        async with asyncio.timeout(4):
            async for event in client:
                taken += isinstance(event, ChunkReceived)
                if isinstance(event, ManifestReceived):
                    client.send(Preferences(max_bytes_per_s=10**9))
                if isinstance(event, SceneStatus) and event.state == SceneState.COMPLETE:
                    break
    assert taken > 1


async def test_what_holds_streaming_back_is_counted(library: Library) -> None:
    metrics = Metrics()
    async with _viewer(library, metrics) as client:
        names = await _scene_list(client)
        client.send(OpenScene(names.index("statue")))
        await _receive(client)
        client.send(Statistics({"frames_shown": 1.0}))
        async with asyncio.timeout(5):
            while b'exgs_limited_seconds_total{limiter="complete"}' not in metrics.text():
                client.send(Statistics({"frames_shown": 1.0}))
                await asyncio.sleep(0.01)
    counted = metrics.text().split(b'exgs_limited_seconds_total{limiter="complete"} ')[1].split()[0]
    assert 0 < float(counted) < 60


async def test_statistics_are_kept_while_the_viewer_is_there(library: Library) -> None:
    metrics = Metrics()
    async with _viewer(library, metrics) as client:
        await _scene_list(client)
        client.send(Statistics({"frames_shown": 12.0, "Bad name": 1.0}))
        async with asyncio.timeout(5):
            while b"frames_shown" not in metrics.text():
                await asyncio.sleep(0)
        assert b'exgs_client{measure="frames_shown",session="test"} 12.0' in metrics.text()
        assert b"Bad name" not in metrics.text()
    assert b"frames_shown" not in metrics.text()
    assert b'exgs_sessions_closed_total{code="normal"} 1.0' in metrics.text()


async def test_a_viewer_that_vanishes_mid_transfer_ends_the_session(library: Library) -> None:
    ours, theirs = loopback_pair()
    client, server = Endpoint(Role.CLIENT, ours), Endpoint(Role.SERVER, theirs)
    session = Session("test", server, House(library, Metrics()))
    task = asyncio.create_task(session.run())
    await client.opened()
    names = await _scene_list(client)
    client.send(OpenScene(names.index("statue")))
    while not isinstance(await client.next_event(), ChunkReceived):
        pass
    await ours.close()
    async with asyncio.timeout(5):
        closed = await task
    assert isinstance(closed, Closed) and closed.code is CloseCode.TRANSPORT_LOST
    await client.close()


async def test_a_viewer_that_falls_silent_mid_transfer_is_let_go(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = loopback_pair()
    client = Endpoint(Role.CLIENT, ours)
    config = ConnectionConfig(pause_after_s=0.1, silent_timeout_s=0.2)
    task = asyncio.create_task(
        Session("t", Endpoint(Role.SERVER, theirs, config), House(library, Metrics())).run()
    )
    await client.opened()
    names = await _scene_list(client)
    client.send(OpenScene(names.index("statue")))
    while not isinstance(await client.next_event(), ChunkReceived):
        pass
    monkeypatch.setattr(ours, "send", lambda channel, data: None)
    async with asyncio.timeout(5):
        closed = await task
    assert isinstance(closed, Closed) and closed.code is CloseCode.TIMEOUT
    await client.close()
