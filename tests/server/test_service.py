"""Whole servers: over real WebRTC, and as a process with signals and exit codes."""

import asyncio
import os
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from exgs.codec import decode, open_container
from exgs.codec.encoding.config import EncodeConfig
from exgs.protocol import ChunkReceived, CloseCode, Closed, Endpoint, OpenScene, Role, SceneList, ViewUpdate
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.scene import generate_interior, write_scene
from exgs.server.config import ServerConfig
from exgs.server.errors import ServerError
from exgs.server.service import serve


async def _connect(url: str) -> tuple[Endpoint, str]:
    """A viewer over WebRTC and the path of its session."""
    transport, offer = await WebRtcTransport.offer()
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{url}/whep", data=offer, headers={"Content-Type": "application/sdp"}) as response,
    ):
        assert response.status == 201, await response.text()
        await transport.accept(await response.text())
        return Endpoint(Role.CLIENT, transport), response.headers["Location"]


async def _chunks(viewer: Endpoint, scene: str) -> AsyncIterator[tuple[int, bytes]]:
    """Ids and bytes of the chunks of ``scene`` as they arrive."""
    async for event in viewer:
        if isinstance(event, SceneList):
            names = [info.name for info in event.scenes]
            viewer.send(ViewUpdate(1, 0, (0.0, 0.0, -9.0), (1.0, 0.0, 0.0, 0.0), (0.6, 0.6)))
            viewer.send(OpenScene(names.index(scene)))
        elif isinstance(event, ChunkReceived):
            yield event.chunk, event.data


@pytest.mark.end_to_end
async def test_a_scene_crosses_real_webrtc(scenes: Path, tmp_path: Path, encoded: bytes) -> None:
    container = open_container(encoded)
    async with serve(ServerConfig(scenes, tmp_path / "cache", port=0)) as server:
        viewer, _ = await _connect(server.url)
        await viewer.opened()
        received: dict[int, bytes] = {}
        async with asyncio.timeout(60):
            async for chunk, data in _chunks(viewer, "statue"):
                assert container.manifest[chunk].parent in (-1, *received)
                received[chunk] = data
                if len(received) == len(container.manifest):
                    break
        assert all(data == container.chunk(chunk) for chunk, data in received.items())
        await viewer.close()
        async with asyncio.timeout(10):
            while len(server.reception):
                await asyncio.sleep(0.01)


@pytest.mark.end_to_end
async def test_a_source_is_encoded_by_a_real_process(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    write_scene(tmp_path / "scenes" / "room.ply", generate_interior(seed=1, count=4000))
    encode = EncodeConfig(ratio=20, views=2, levels=2, refit=False)
    config = ServerConfig(tmp_path / "scenes", tmp_path / "cache", port=0, encode=encode)
    heard: list[float] = []
    async with serve(config) as server:
        scene = await server.library.open("room", heard.append)
        assert decode(bytes(scene.container.data)).means.shape[1] == 3
        assert [report.state for report in await server.scenes()] == ["ready"]
    assert heard == sorted(heard) and heard[-1] == 1.0
    (kept,) = (tmp_path / "cache").iterdir()
    assert kept.read_bytes() == scene.container.data


async def test_a_port_in_use_is_one_line(scenes: Path, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        config = ServerConfig(scenes, tmp_path / "cache", port=other.getsockname()[1])
        with pytest.raises(ServerError, match=r"cannot listen at 127\.0\.0\.1 port \d+: it is in use"):
            async with serve(config):
                raise AssertionError("it listens")


async def test_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(ServerError, match="no such file or folder"):
        async with serve(ServerConfig(tmp_path / "absent", tmp_path / "cache", port=0)):
            raise AssertionError("it serves")


async def test_the_cache_is_no_folder_of_scenes(scenes: Path) -> None:
    with pytest.raises(ServerError, match="must lie elsewhere"):
        async with serve(ServerConfig(scenes, scenes / ".." / scenes.name, port=0)):
            raise AssertionError("it serves")


@asynccontextmanager
async def _process(*words: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exgs", "serve", *words, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _url(process: asyncio.subprocess.Process) -> str:
    """Where the process says it serves."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
    match = re.fullmatch(r"Serving 2 scenes at (http://127\.0\.0\.1:\d+)\n", line)
    assert match, line
    return match[1]


@pytest.mark.end_to_end
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
async def test_the_command_serves_says_goodbye_and_exits(scenes: Path, tmp_path: Path, name: str) -> None:
    async with _process(str(scenes), "--port", "0", "--cache", str(tmp_path / "cache")) as process:
        url = await _url(process)
        viewer, _ = await _connect(url)
        await viewer.opened()
        process.send_signal(signal.Signals[name])
        async with asyncio.timeout(10):
            async for event in viewer:
                if isinstance(event, Closed):
                    assert event.code is CloseCode.GOING_AWAY
            await viewer.close()
            output, errors = await process.communicate()
    assert process.returncode == 0 and errors == b""
    assert b"statue" in output and b"exgs play" in output


@pytest.mark.end_to_end
async def test_started_by_nohup_it_outlives_its_terminal(scenes: Path, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which children take over
    try:
        async with _process(str(scenes), "--port", "0", "--cache", str(tmp_path / "cache"), "-q") as process:
            url = await _url(process)
            process.send_signal(signal.SIGHUP)
            async with aiohttp.ClientSession() as http, http.get(f"{url}/healthz") as response:
                assert response.status == 200
            process.terminate()
            await process.communicate()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert process.returncode == 0


@pytest.mark.end_to_end
async def test_the_token_of_the_environment_is_asked_for(scenes: Path, tmp_path: Path) -> None:
    words = (str(scenes), "--port", "0", "--cache", str(tmp_path / "cache"), "-q")
    async with _process(*words, EXGS_TOKEN="sesame") as process, aiohttp.ClientSession() as http:
        url = await _url(process)
        statuses = []
        for headers in ({}, {"Authorization": "Bearer sesame"}):
            async with http.get(f"{url}/scenes", headers=headers) as response:
                statuses.append(response.status)
        process.terminate()
        output, _ = await process.communicate()
    assert statuses == [401, 200] and output == b""
