"""A server that is killed and started again while a scene is on its way; real processes, real WebRTC."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest

from exgs.client.config import PlayConfig
from exgs.client.progress import Milestone
from exgs.client.session import play
from exgs.client.status import Status
from tests.client.stage import PaintedRasterizer, encoded

pytestmark = pytest.mark.end_to_end


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def start(folder: Path, port: int) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "exgs", "serve", str(folder / "scenes"), "--port", str(port),
        "--cache", str(folder / "cache"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(120):
        assert b"Serving" in await process.stdout.readline()
    return process


async def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_a_killed_server_costs_nothing_that_had_arrived(tmp_path: Path) -> None:
    data = encoded(40_000, levels=4)
    (tmp_path / "scenes").mkdir()
    (tmp_path / "scenes" / "ball.ugc").write_bytes(data)
    port = free_port()
    config = PlayConfig(
        f"http://127.0.0.1:{port}", size=(32, 18), fps=5, seconds=45.0, path="orbit",
        max_bytes_per_s=len(data) // 4,
    )  # fmt: skip
    some = asyncio.Event()

    def listen(news: Milestone | Status) -> None:
        if isinstance(news, Status) and news.bytes_received > len(data) // 4:
            some.set()

    server = await start(tmp_path, port)
    playing = asyncio.create_task(play(config, listen=listen, rasterizer=PaintedRasterizer()))
    try:
        async with asyncio.timeout(120):
            await some.wait()
            server.kill()
            await server.communicate()
            server = await start(tmp_path, port)
            summary = await playing
    finally:
        playing.cancel()
        await asyncio.gather(playing, return_exceptions=True)
        await end(server)
    assert summary.complete and summary.lost_connection is None
    assert summary.reconnects >= 1
    assert summary.bytes_received == len(data)
