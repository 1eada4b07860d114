"""Reports of sessions: what they say as a scene goes out, and what they never say."""

import asyncio
from dataclasses import asdict

import pytest

from exgs.protocol import ChunkReceived, Endpoint, Limiter, OpenScene, Role, SceneList, Statistics, ViewUpdate
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.server.house import House
from exgs.server.library import Library
from exgs.server.metrics import Metrics
from exgs.server.session import Session
from exgs.server.standing import limiter_name


async def test_a_report_follows_a_scene_to_its_end(library: Library) -> None:
    ours, theirs = loopback_pair()
    client, server = Endpoint(Role.CLIENT, ours), Endpoint(Role.SERVER, theirs)
    session = Session("test", server, House(library, Metrics()), first="statue", carrier="websocket")
    task = asyncio.create_task(session.run())
    await client.opened()
    assert isinstance(await client.next_event(), SceneList)
    before = session.report
    assert (before.name, before.carrier, before.scene, before.state) == ("test", "websocket", "", "idle")
    assert (before.chunks, before.limiter) == (0, "")

    client.send(ViewUpdate(1, 0, (0.0, 0.0, -9.0), (1.0, 0.0, 0.0, 0.0), (0.6, 0.6)))
    client.send(Statistics({"splats": 5.0, "made_up": 1.0}))
    client.send(OpenScene(0))
    sizes: list[int] = []
    async with asyncio.timeout(10):
        while session.report.state != "complete" or len(sizes) < session.report.chunks:
            event = await client.next_event()
            if isinstance(event, ChunkReceived):
                sizes.append(len(event.data))
    report = session.report
    assert report.scene == "statue" and report.chunks == report.chunks_sent == len(sizes) > 1
    assert report.bytes_sent == sum(sizes)
    assert report.link_bytes[0] > report.bytes_sent and sum(report.link_bytes[1:]) == 0
    assert report.link_delays_ms[0] is not None and report.link_delays_ms[1:] == (None,) * 4
    assert report.viewer == {"splats": 5.0}
    assert report.age_s >= before.age_s
    assert not any("address" in name for name in asdict(report))
    await client.close()
    await task


@pytest.mark.parametrize(
    ("limiter", "remaining", "name"),
    [
        (Limiter.LINK, True, "link"),
        (Limiter.CREDIT, False, "credit"),
        (Limiter.OWNER, True, "cpu"),
        (Limiter.OWNER, False, "complete"),
    ],
)
def test_the_owner_is_told_by_what_remains(limiter: Limiter, remaining: bool, name: str) -> None:
    assert limiter_name(limiter, remaining=remaining) == name
