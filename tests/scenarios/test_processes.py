"""What goes wrong in sessions between real processes, over real WebRTC.

The server is a process of its own, with less patience than servers have. The rest of the list is in
tests/client/test_restart.py (a server that is killed and started again).
"""

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from typing import Any

import pytest

from exgs.client import session, signalling
from exgs.client.config import PlayConfig
from exgs.client.progress import Milestone
from exgs.client.session import play
from exgs.client.signalling import Answered, Link, connect
from exgs.client.statistics import PlaySummary
from exgs.client.status import Status
from exgs.codec import open_container
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.relay import UdpRelay
from exgs.protocol import ChunkReceived, Opened, OpenScene, SceneList
from tests.client.stage import PaintedRasterizer, encoded

pytestmark = pytest.mark.end_to_end

SERVE = """
import asyncio, sys
from pathlib import Path
from exgs.protocol import ConnectionConfig
from exgs.server.config import ServerConfig
from exgs.server.service import run_server

async def ready(server):
    print("Serving", flush=True)

folder, port = Path(sys.argv[1]), int(sys.argv[2])
connection = ConnectionConfig(
    "exgs", pause_after_s=0.6, silent_timeout_s=1.5, stall_s=0.8, min_credit_bytes=int(sys.argv[3])
)
config = ServerConfig(folder / "scenes", folder / "cache", port=port, connection=connection)
asyncio.run(run_server(config, ready))
"""
CREDIT_BYTES = 256 << 10
SILENT_S = 1.0
"""After this long without a word the client looks for the server anew."""


@dataclass(frozen=True)
class Host:
    """A server that runs."""

    url: str
    data: bytes
    chunks: int

    def sessions(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/status", timeout=10) as answer:
            return json.load(answer)["sessions"]  # type: ignore[no-any-return]

    async def until(self, met: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Waits until the sessions are as they should be."""
        async with asyncio.timeout(60):
            while not met(await asyncio.to_thread(self.sessions)):
                await asyncio.sleep(0.1)

    def config(self, **settings: Any) -> PlayConfig:
        config = PlayConfig(self.url, size=(32, 18), fps=5, path="orbit", seconds=60.0, fade_s=0.0)
        return replace(config, **settings)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signalling, "SILENT_TIMEOUT_S", SILENT_S)
    monkeypatch.setattr(session, "PLACE_PATIENCE_S", 0.1)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "scenes").mkdir()
    data = encoded(120_000, levels=4)
    (folder / "scenes" / "ball.ugc").write_bytes(data)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with Popen(
        [sys.executable, "-c", SERVE, folder, str(port), str(CREDIT_BYTES)], stdout=PIPE, stderr=DEVNULL
    ) as process:
        assert process.stdout is not None and b"Serving" in process.stdout.readline()
        yield Host(f"http://127.0.0.1:{port}", data, len(open_container(data).manifest))
        process.kill()


async def watch(
    config: PlayConfig, share: float, mishap: Callable[[UdpRelay], Awaitable[None]], *, mbps: float = 6.0
) -> PlaySummary:
    """Plays through a relay; ``mishap`` comes once that share of the scene is here."""
    some = asyncio.Event()

    def listen(news: Milestone | Status) -> None:
        if isinstance(news, Status) and news.bytes_received > share * news.bytes_expected:
            some.set()

    down = LinkSettings(Rate.constant(mbps), 0.01)
    async with asyncio.timeout(60), UdpRelay(up=LinkSettings(delay_s=0.01), down=down) as relay:

        async def through(config: PlayConfig, answered: Answered) -> Link:
            return await connect(config, answered, route=relay)

        playing = asyncio.create_task(
            play(config, listen=listen, connect=through, rasterizer=PaintedRasterizer())
        )
        await asyncio.wait({playing, asyncio.create_task(some.wait())}, return_when=asyncio.FIRST_COMPLETED)
        await mishap(relay)
        return await playing


async def test_a_viewer_whose_address_changes_goes_on(host: Host) -> None:
    before = []

    async def move(relay: UdpRelay) -> None:
        before.extend(made.to_server.address for made in relay.detours)
        for made in relay.detours:
            await made.move()
        assert not set(before) & {made.to_server.address for made in relay.detours}

    summary = await watch(host.config(seconds=7.0), 0.3, move)
    assert summary.complete and summary.lost_connection is None
    assert summary.reconnects == 1
    assert summary.bytes_received == len(host.data), "nothing that had arrived came again"
    alone_s = len(host.data) * 8 / 6e6
    assert summary.complete_s is not None and summary.complete_s < alone_s + SILENT_S + 6


async def test_one_of_several_connections_may_die(host: Host) -> None:
    cut = []

    async def end_one(relay: UdpRelay) -> None:
        async with asyncio.timeout(20):
            while len(relay.detours) < 2 or not relay.detours[1].to_server.heard_bytes > 100_000:
                await asyncio.sleep(0.02)
        relay.detours[1].close()
        cut.append(relay.detours[1])

    summary = await watch(host.config(seconds=8.0), 0.05, end_one, mbps=4.0)
    assert cut and summary.complete and summary.reconnects == 0
    assert summary.bytes_received == len(host.data)


async def test_a_slow_reader_holds_back_itself_alone(host: Host) -> None:
    link = await connect(host.config())
    try:
        arrived: list[int] = []
        async with asyncio.timeout(60):
            while not arrived:
                event = await link.endpoint.next_event()
                if isinstance(event, SceneList):
                    link.endpoint.send(OpenScene(0))
                elif isinstance(event, ChunkReceived):
                    arrived.append(event.chunk)
            await host.until(lambda sessions: sessions[0]["limiter"] == "credit")
            held = [(await asyncio.to_thread(host.sessions))[0]["unacknowledged_bytes"] for _ in range(3)]
            assert held[0] == held[2] and CREDIT_BYTES // 2 < held[0] <= CREDIT_BYTES + 65536
            other = await connect(host.config())
            assert isinstance(await other.endpoint.next_event(), Opened), "another is served meanwhile"
            await other.hang_up()
            while len(arrived) < host.chunks:
                event = await link.endpoint.next_event()
                if isinstance(event, ChunkReceived):
                    arrived.append(event.chunk)
        assert len(arrived) == len(set(arrived))
    finally:
        await link.hang_up()


@pytest.mark.skipif(os.name != "posix", reason="processes cannot be stopped and continued here")
async def test_a_viewer_that_sleeps_goes_on_and_one_that_is_killed_leaves_its_place(
    host: Host, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    mbps = len(host.data) * 8 / 1e6 / 6
    command = [
        sys.executable, "-m", "exgs", "play", host.url, "--size", "32x18", "--fps", "2", "--seconds", "120",
        "--orbit", "--max-mbps", f"{mbps:.2f}", "--stats", str(log), "--quiet",
    ]  # fmt: skip
    viewer = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await host.until(lambda sessions: bool(sessions) and sessions[0]["bytes_sent"] > len(host.data) // 4)
        viewer.send_signal(signal.SIGSTOP)
        await host.until(lambda sessions: not sessions)
        viewer.send_signal(signal.SIGCONT)
        await host.until(lambda sessions: bool(sessions) and sessions[0]["state"] == "complete")
        status = await newest(log, lambda status: status["complete_s"] is not None)
        assert status["reconnects"] == 1 and status["bytes_received"] == len(host.data)
        viewer.kill()
        await host.until(lambda sessions: not sessions)
    finally:
        if viewer.returncode is None:
            viewer.kill()
        await viewer.wait()


async def newest(log: Path, met: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first line of a log that is as it should be."""
    async with asyncio.timeout(60):
        while True:
            lines = log.read_text().splitlines() if log.exists() else []
            for line in lines:
                if line.endswith("}") and met(status := json.loads(line)):
                    return status  # type: ignore[no-any-return]
            await asyncio.sleep(0.2)
