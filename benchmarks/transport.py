"""How much of a link scene data gets: real peer connections through an emulated link, a table of shares.

    python benchmarks/transport.py                  # the four bars, three runs each
    python benchmarks/transport.py --runs 1 --only 20,0.05,0.005

Share: payload bytes of chunks over what the link carries, in the second half of the transfer and over all of
it. A packet's headers are part of the link: about 0.93 is the most that there is. Server and client share one
event loop with the relay, so this machine's processor can be the bound from some 20 Mbit/s on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
from dataclasses import dataclass

from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.relay import UdpRelay
from exgs.protocol import (
    ChunkReceived,
    Closed,
    ConnectionConfig,
    Endpoint,
    Opened,
    OpenScene,
    Role,
    SceneInfo,
    SceneList,
)
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.settings import WebRtcConfig

CHUNK_BYTES = 9_000
"""As large as the encoder makes most of them."""
SECONDS = 20.0


@dataclass(frozen=True)
class Case:
    """One link, and what is asked of it."""

    mbps: float
    delay_s: float
    """One way."""
    loss: float
    bar: float
    """Share of the link that the second half of a transfer must have."""


CASES = (
    Case(5, 0.005, 0, 0.90),
    Case(5, 0.025, 0, 0.90),
    Case(20, 0.005, 0, 0.90),
    Case(20, 0.025, 0, 0.90),
    Case(20, 0.025, 0.005, 0.45),
    Case(20, 0.025, 0.02, 0.25),
)


@dataclass(frozen=True)
class Result:
    """One transfer."""

    second_half: float
    """Share of the link in its second half."""
    whole: float
    """Share over all of it."""
    links: int
    """Connections for scene data at its end."""
    full_s: float
    """When the last of them came up."""
    rtt_ms: float
    repeated_bytes: int


async def feed(server: Endpoint) -> None:
    """Serves one scene of more chunks than the link can carry in time."""

    async def stream() -> None:
        chunk = 0
        while await server.writable():
            server.send_chunk(1, chunk, bytes(CHUNK_BYTES))
            chunk += 1

    async with asyncio.TaskGroup() as tasks:
        async for event in server:
            if isinstance(event, Opened):
                server.send(SceneList((SceneInfo(1, "scene"),)))
            elif isinstance(event, OpenScene):
                server.send_manifest(1, bytes(10_000))
                tasks.create_task(stream())
            elif isinstance(event, Closed):
                return


async def watch(client: Endpoint, arrivals: list[tuple[float, int]]) -> None:
    """Notes when each chunk arrives."""
    loop = asyncio.get_running_loop()
    async for event in client:
        if isinstance(event, SceneList):
            client.send(OpenScene(1))
        elif isinstance(event, ChunkReceived):
            arrivals.append((loop.time(), len(event.data)))


async def transfer(case: Case, *, seconds: float, seed: int, max_links: int) -> Result:
    """One transfer of ``seconds``, from the first chunk."""
    loop = asyncio.get_running_loop()
    queue = max(65536, int(case.mbps * 1e6 / 8 * 0.1))
    down = LinkSettings(Rate.constant(case.mbps), case.delay_s, loss=case.loss, seed=seed, queue_bytes=queue)
    up = LinkSettings(Rate.constant(case.mbps), case.delay_s, loss=case.loss, seed=seed + 1)
    config = ConnectionConfig(max_links=max_links)
    arrivals: list[tuple[float, int]] = []
    ups: list[tuple[float, int]] = [(0.0, 0)]
    async with UdpRelay(up=up, down=down) as relay:
        transport, offer = await WebRtcTransport.offer(WebRtcConfig(route=relay))
        other, answer = await WebRtcTransport.answer(offer)
        await transport.accept(answer)
        async with Endpoint(Role.SERVER, other, config) as server:
            async with Endpoint(Role.CLIENT, transport, config) as client:
                tasks = [asyncio.create_task(feed(server)), asyncio.create_task(watch(client, arrivals))]
                while not arrivals or loop.time() < arrivals[0][0] + seconds:
                    await asyncio.sleep(0.05)
                    count = sum(int(channel) > 2 for channel in transport.scene_channels())
                    if arrivals and count != ups[-1][1]:
                        ups.append((loop.time() - arrivals[0][0], count))
                rtt_ms = 1000 * (client.rtt_s or 0)
            await asyncio.gather(*tasks)
            repeated = server.path.repeated_bytes
    start_s = arrivals[0][0]

    def share(since_s: float, until_s: float) -> float:
        got = sum(size for at_s, size in arrivals if since_s < at_s - start_s <= until_s)
        return got * 8 / 1e6 / (until_s - since_s) / case.mbps

    return Result(share(seconds / 2, seconds), share(0, seconds), ups[-1][1], ups[-1][0], rtt_ms, repeated)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--max-links", type=int, default=4)
    parser.add_argument("--only", metavar="MBPS,DELAY_S,LOSS", help="one link instead of all")
    args = parser.parse_args()
    cases = CASES
    if args.only:
        mbps, delay_s, loss = map(float, args.only.split(","))
        cases = (Case(mbps, delay_s, loss, 0.0),)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; median of {args.runs}"
    )
    print("Mbit/s  round trip  loss    2nd half (min-max)   whole   bar   links (up at)   rtt ms  sent twice")
    for case in cases:
        results = [
            asyncio.run(transfer(case, seconds=args.seconds, seed=10 * run + 1, max_links=args.max_links))
            for run in range(args.runs)
        ]
        halves = sorted(result.second_half for result in results)
        middle = statistics.median(halves)
        last = results[-1]
        print(
            f"{case.mbps:6g} {2000 * case.delay_s:8g} ms {100 * case.loss:5g} %"
            f"   {middle:5.3f} ({halves[0]:.3f}-{halves[-1]:.3f})"
            f"  {statistics.median(result.whole for result in results):6.3f}  {case.bar:4.2f} "
            f"{'ok  ' if middle >= case.bar else 'LESS'} {last.links} ({last.full_s:4.1f} s)"
            f"  {statistics.median(result.rtt_ms for result in results):8.0f}  {last.repeated_bytes:8d}",
            flush=True,
        )


if __name__ == "__main__":
    main()
