"""The client over real WebRTC on this machine, with a server that is only as much as it needs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.session import play
from exgs.codec import open_container
from exgs.protocol import Endpoint, OpenScene, Role, SceneInfo, SceneList, SceneState, SceneStatus
from exgs.protocol.drivers.links import WebRtcTransport
from tests.client.stage import PaintedRasterizer, encoded

pytestmark = pytest.mark.end_to_end

DATA = encoded(2000)
CONFIG = PlayConfig("", size=(32, 18), fps=20, seconds=0.3, path="orbit", token="secret")


class Host:
    """Speaks WHEP and sends one scene to whoever shows the token."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.deleted: list[str] = []
        self.tasks: list[asyncio.Task[None]] = []

    async def open(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer secret":
            return web.Response(status=401)
        transport, answer = await WebRtcTransport.answer(await request.text())
        if not self.answers:
            await transport.close()
            return web.Response(status=201, text=answer, headers={"Location": "/whep/session/1"})
        self.tasks.append(asyncio.create_task(self.serve(Endpoint(Role.SERVER, transport))))
        return web.Response(status=201, text=answer, headers={"Location": "/whep/session/1"})

    async def end(self, request: web.Request) -> web.Response:
        self.deleted.append(request.path)
        return web.Response(status=204)

    async def serve(self, endpoint: Endpoint) -> None:
        await endpoint.opened()
        endpoint.send(SceneList((SceneInfo(0, "ball"),)))
        async for event in endpoint:
            if isinstance(event, OpenScene):
                container = open_container(DATA)
                endpoint.send_manifest(0, container.preamble)
                for chunk in container.manifest:
                    await endpoint.writable()
                    endpoint.send_chunk(0, chunk.id, bytes(container.chunk(chunk.id)))
                endpoint.send(SceneStatus(0, SceneState.COMPLETE, 1.0))
        await endpoint.close()


@asynccontextmanager
async def hosting(host: Host) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/whep", host.open)
    app.router.add_delete("/whep/session/1", host.end)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await asyncio.gather(*host.tasks)
        await runner.cleanup()


async def test_a_scene_comes_over_webrtc():
    host = Host()
    async with hosting(host) as url:
        summary = await play(replace(CONFIG, url=url), rasterizer=PaintedRasterizer())
    assert summary.complete
    assert summary.bytes_received == len(DATA)
    assert summary.frames_shown + summary.frames_dropped == 6
    assert summary.frames_shown > 0
    assert 0 < summary.first_chunk_s <= summary.first_frame_s
    assert summary.goodput_bytes_per_s > 0
    assert host.deleted == ["/whep/session/1"]


async def test_a_wrong_token():
    async with hosting(Host()) as url:
        with pytest.raises(ClientError, match="--token"):
            await play(replace(CONFIG, url=url, token="guess"), rasterizer=PaintedRasterizer())


async def test_no_route_to_the_peer():
    host = Host(answers=False)
    async with hosting(host) as url:
        config = replace(CONFIG, url=url, connect_timeout_s=1.0)
        with pytest.raises(ClientError, match="no session"):
            await play(config, rasterizer=PaintedRasterizer())
    assert host.deleted == ["/whep/session/1"]
