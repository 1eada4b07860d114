"""Many viewers of one server: what idle ones cost, and how first loads at the same time share its upload.

    python benchmarks/viewers.py idle [--viewers 100] [--carrier websocket]
    python benchmarks/viewers.py load [--viewers 20] [--carrier websocket] [--max-mbps 40]

The server runs in this process, all viewers in another one. ``idle`` measures the server's processor time
three times: as it is, with the poses dropped where they come out of the carrier, and with
viewers that send none. The differences are the session's part of a pose and the carrier's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from exgs.cli import network
from exgs.client.signalling import post_offer
from exgs.codec import Level, Precision, Pyramid, serialize
from exgs.protocol import Channel, ChunkReceived, Endpoint, OpenScene, Role, SceneList, Transport, ViewUpdate
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.websocket import MAX_MESSAGE_BYTES, WebSocketTransport
from exgs.protocol.rules import rule_of
from exgs.protocol.wire import serialize as message_bytes
from exgs.scene import Gaussians
from exgs.server.config import Limits, ServerConfig
from exgs.server.service import serve

GROUPS = 9
"""The poses of all viewers are spread over this many moments of each beat."""
VIEW = ViewUpdate(1, 0, (0.0, 0.0, -9.0), (1.0, 0.0, 0.0, 0.0), (1.5, 1.5))
SETTLE_S = 1.5


# The viewers' process.


async def open_viewer(http: aiohttp.ClientSession, url: str, carrier: str) -> tuple[Endpoint, Transport]:
    """One viewer that was greeted."""
    transport: Transport
    if carrier == "websocket":
        transport = WebSocketTransport(await http.ws_connect(f"{url}/ws", max_msg_size=MAX_MESSAGE_BYTES))
    else:
        ours, offer = await WebRtcTransport.offer()
        answer = await post_offer(http, f"{url}/whep", offer, token=None)
        await ours.accept(answer.sdp)
        transport = ours
    endpoint = Endpoint(Role.CLIENT, transport)
    await endpoint.opened()
    assert isinstance(await endpoint.next_event(), SceneList)
    return endpoint, transport


async def send_poses(transports: list[Transport], hz: float, paused: Callable[[], bool]) -> None:
    """Every viewer's pose, ``hz`` times a second, for ever."""
    loop, sequence, data = asyncio.get_running_loop(), 0, bytearray(message_bytes(VIEW))
    due_s = loop.time()
    while True:
        sequence += 1
        data[1:5] = (sequence + 1).to_bytes(4, "big")
        for group in range(GROUPS):
            due_s += 1 / hz / GROUPS
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            for transport in [] if paused() else transports[group::GROUPS]:
                transport.send(Channel.POSE, bytes(data))


async def play_idle(url: str, carrier: str, count: int, hz: float) -> None:
    """Viewers that look about and ask for nothing; each line of input says whether they do."""
    loop, paused = asyncio.get_running_loop(), False
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        opened = [await open_viewer(http, url, carrier) for _ in range(count)]
        print("ready", flush=True)
        async with asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(send_poses([way for _, way in opened], hz, lambda: paused))
            while (line := await loop.run_in_executor(None, sys.stdin.readline)).strip() != "end":
                paused = line.strip() == "pause"
            sending.cancel()
        await asyncio.gather(*(endpoint.close() for endpoint, _ in opened))


async def load_one(endpoint: Endpoint, chunks: int) -> tuple[float, float]:
    """Seconds to the first chunk and to the last."""
    loop = asyncio.get_running_loop()
    start_s, times = loop.time(), []
    endpoint.send(VIEW)
    endpoint.send(OpenScene(0))
    async for event in endpoint:
        if isinstance(event, ChunkReceived):
            times.append(loop.time() - start_s)
            if len(times) == chunks:
                break
    return times[0], times[-1]


async def play_load(url: str, carrier: str, count: int, chunks: int) -> None:
    """Viewers that ask for the scene at the same moment; prints what each had to wait."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        opened = [await open_viewer(http, url, carrier) for _ in range(count)]
        times = await asyncio.gather(*(load_one(endpoint, chunks) for endpoint, _ in opened))
        print(json.dumps(times), flush=True)
        await asyncio.gather(*(endpoint.close() for endpoint, _ in opened))


# The server's process.


def scene_bytes(splats: int) -> bytes:
    """A scene of two levels whose content does not matter."""
    rng = np.random.default_rng(3)

    def level(count: int, parents: np.ndarray | None) -> Level:
        def noise(*shape: int) -> np.ndarray:
            return rng.normal(size=shape).astype(np.float32)

        shN = np.zeros((count, 0, 3), np.float32)
        values = noise(count, 3), noise(count, 4), noise(count, 3) - 4, noise(count), noise(count, 1, 3), shN
        return Level(Gaussians(*values), parents, np.ones(count, np.float32))

    coarse = splats // 8
    parents = np.concatenate([np.arange(coarse), rng.integers(0, coarse, splats - coarse)]).astype(np.int32)
    return serialize(Pyramid((level(splats, parents), level(coarse, None))), Precision())


class Ear:
    """Counts the poses that arrive at all sessions, and can keep them from going further."""

    def __init__(self) -> None:
        self.count = 0
        self.deaf = False

    def listen(self) -> None:
        hear, pose = Endpoint.message_arrived, rule_of(VIEW).number

        def message_arrived(endpoint: Endpoint, channel: Channel, data: bytes) -> None:
            if channel is Channel.POSE and data[0] == pose:
                self.count += 1
                if self.deaf:
                    return
            hear(endpoint, channel, data)

        Endpoint.message_arrived = message_arrived  # type: ignore[method-assign]


async def cores(seconds: float, ear: Ear) -> tuple[float, float]:
    """Processor seconds per second of this process, and poses a second, over a window."""
    await asyncio.sleep(SETTLE_S)
    count, cpu_s, start_s = ear.count, time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    took_s = time.monotonic() - start_s
    return (time.process_time() - cpu_s) / took_s, (ear.count - count) / took_s


async def measure_idle(player: asyncio.subprocess.Process, args: argparse.Namespace) -> None:
    """Prints the three windows and what they tell."""
    assert player.stdin is not None and player.stdout is not None
    ear = Ear()
    ear.listen()
    await player.stdout.readline()
    found: dict[str, tuple[float, float]] = {}
    for name, word, deaf in (
        ("as it is", "go", False),
        ("dropped", "go", True),
        ("no poses", "pause", False),
    ):
        player.stdin.write(f"{word}\n".encode())
        ear.deaf = deaf
        found[name] = await cores(args.seconds, ear)
        print(f"{name:10} {found[name][0]:.3f} cores  {found[name][1]:7.0f} poses/s", flush=True)
    player.stdin.write(b"end\n")
    whole, dropped, silent = (found[name][0] for name in ("as it is", "dropped", "no poses"))
    carrier_us = 1e6 * (dropped - silent) / max(found["dropped"][1], 1.0)
    session_us = 1e6 * (whole - silent) / max(found["as it is"][1], 1.0) - carrier_us
    print(f"a pose costs {carrier_us:.1f} us in the carrier and {session_us:.1f} us in the session")


async def measure_load(player: asyncio.subprocess.Process, size_bytes: int) -> None:
    """Prints how evenly the viewers were served."""
    assert player.stdout is not None
    cpu_s = time.process_time()
    first, last = np.array(json.loads(await player.stdout.readline())).T
    print(
        f"{len(first)} viewers, {size_bytes / 1e6:.2f} MB each: first chunk p50 {np.median(first):.3f} s, "
        f"p95 {np.quantile(first, 0.95):.3f} s, max {first.max():.3f} s; whole scene {last.min():.2f} to "
        f"{last.max():.2f} s, max/min {last.max() / last.min():.2f}, "
        f"{len(first) * size_bytes * 8e-6 / last.max():.1f} Mbit/s in all, "
        f"{1e3 * (time.process_time() - cpu_s) / (len(first) * size_bytes / 1e6):.0f} ms of the server a MB"
    )


async def main_server(args: argparse.Namespace) -> None:
    """Serves one scene to the viewers of a second process."""
    data = scene_bytes(args.splats)
    with tempfile.TemporaryDirectory() as folder:
        scenes = Path(folder, "scenes")
        scenes.mkdir()
        (scenes / "scene.ugc").write_bytes(data)
        count = args.viewers
        config = ServerConfig(
            scenes, Path(folder, "cache"), port=0, max_bytes_per_s=args.max_mbps * 1e6 / 8,
            limits=Limits(max_sessions=count, max_sessions_per_address=count, calls=count, max_late_s=9.0),
        )  # fmt: skip
        async with serve(config) as server:
            scene = await server.library.open("scene")
            flags = ["--as-viewers", server.url, "--chunks", str(len(scene.container.manifest))]
            player = await asyncio.create_subprocess_exec(
                sys.executable, __file__, *sys.argv[1:], *flags,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            if args.what == "idle":
                await measure_idle(player, args)
            else:
                await measure_load(player, len(data))
            await player.wait()


def main() -> Any:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("idle", "load"))
    parser.add_argument("--viewers", type=int, default=None, help="100 idle ones, or 20 that load")
    parser.add_argument("--carrier", choices=("websocket", "webrtc"), default="websocket")
    parser.add_argument("--hz", type=float, default=90.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--max-mbps", type=float, default=0.0)
    parser.add_argument("--splats", type=int, default=150_000)
    parser.add_argument("--as-viewers", metavar="URL", help=argparse.SUPPRESS)
    parser.add_argument("--chunks", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.viewers = args.viewers or (100 if args.what == "idle" else 20)
    if args.as_viewers and args.what == "idle":
        return network.run(play_idle(args.as_viewers, args.carrier, args.viewers, args.hz))
    if args.as_viewers:
        return network.run(play_load(args.as_viewers, args.carrier, args.viewers, args.chunks))
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {args.carrier}")
    return network.run(main_server(args))


if __name__ == "__main__":
    main()
