import asyncio
import csv
import json
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from exgs.client import session
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.optics import Optics
from exgs.client.poses import PoseSource
from exgs.client.progress import Milestone
from exgs.client.session import play
from exgs.client.signalling import Answered, Link
from exgs.client.staging import Staging
from exgs.client.statistics import STAGES, PlaySummary
from exgs.client.status import Status
from exgs.codec import Preamble, decode, open_container, parse_preamble
from exgs.protocol import (
    CloseCode,
    Closed,
    Endpoint,
    OpenScene,
    Role,
    SceneInfo,
    SceneList,
    SceneState,
    SceneStatus,
    Statistics,
    ViewUpdate,
)
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.scene import Gaussians, StartView
from tests.client.stage import PaintedRasterizer, VirtualClock, encoded

DATA = encoded(2000)
MANIFEST = open_container(DATA).manifest
CHUNKS, FINEST = len(MANIFEST), sum(info.level == 0 for info in MANIFEST)
CONFIG = PlayConfig(
    "http://loopback", size=(64, 36), fps=20, seconds=0.5, path="orbit", reconnect_s=0.0, fade_s=0.0
)

Script = Callable[[Endpoint, int], Awaitable[None]]


class Theatre:
    """A server that plays a script to whoever opens its scene, and notes what it is told."""

    def __init__(self, script: Script, *, scenes: tuple[str, ...] = ("room",)) -> None:
        self.script, self.scenes = script, scenes
        self.views: list[ViewUpdate] = []
        self.statistics: list[Statistics] = []
        self.opened: list[int] = []
        self.closed: object = None
        self.hung_up = 0
        self._tasks: list[asyncio.Task[None]] = []

    async def connect(self, config: PlayConfig, answered: Answered) -> Link:
        answered("webrtc")
        client, server = loopback_pair()
        self._tasks.append(asyncio.create_task(self._serve(Endpoint(Role.SERVER, server))))
        endpoint = Endpoint(Role.CLIENT, client)

        async def hang_up() -> None:
            self.hung_up += 1
            await endpoint.close()

        return Link(endpoint, hang_up)

    async def _serve(self, endpoint: Endpoint) -> None:
        await endpoint.opened()
        endpoint.send(SceneList(tuple(SceneInfo(i, name) for i, name in enumerate(self.scenes))))
        playing = None
        async for event in endpoint:
            if isinstance(event, OpenScene):
                self.opened.append(event.scene)
                playing = asyncio.create_task(self.script(endpoint, event.scene))
                self._tasks.append(playing)
            elif isinstance(event, ViewUpdate):
                self.views.append(event)
            elif isinstance(event, Statistics):
                self.statistics.append(event)
            self.closed = event
        await endpoint.close()

    async def end(self) -> None:
        await asyncio.gather(*self._tasks)


class Audience:
    """Plays scenes on virtual time; the first picture waits until a milestone of kind ``until`` was told."""

    def __init__(self, until: str | None = "complete") -> None:
        self.told: list[Milestone] = []
        self.sums: list[PlaySummary] = []
        self.gate = threading.Event()
        self.until = until
        self.clock = VirtualClock()
        self.drawn = 0
        if until is None:
            self.gate.set()

    def listen(self, news: Milestone | Status) -> None:
        if isinstance(news, Milestone):
            self.told.append(news)
            if news.kind == self.until:
                self.gate.set()

    def before_drawing(self) -> None:
        self.drawn += 1
        if self.drawn > 1:  # the very first is the warm-up
            assert self.gate.wait(20)

    async def play(self, theatre: Theatre, config: PlayConfig = CONFIG) -> PlaySummary:
        try:
            return await play(
                config,
                listen=self.listen,
                connect=theatre.connect,
                rasterizer=PaintedRasterizer(self.before_drawing),
                clock=self.clock,
                interrupted=self.sums.append,
            )
        finally:
            self.gate.set()

    @property
    def kinds(self) -> list[str]:
        return [news.kind for news in self.told]


def sending(data: bytes = DATA, *, chunks: Sequence[int] | None = None, then: Script | None = None) -> Script:
    """A server that sends a file, or some of its chunks, and then does something else."""
    container = open_container(data)

    async def script(endpoint: Endpoint, scene: int) -> None:
        endpoint.send(SceneStatus(scene, SceneState.STREAMING))
        endpoint.send_manifest(scene, container.preamble)
        for chunk in range(len(container.manifest)) if chunks is None else chunks:
            if not await endpoint.writable():
                return
            endpoint.send_chunk(scene, chunk, bytes(container.chunk(chunk)))
        if then is not None:
            await then(endpoint, scene)
        else:
            endpoint.send(SceneStatus(scene, SceneState.COMPLETE, 1.0))

    return script


async def delivered(endpoint: Endpoint) -> None:
    """Waits until the client has taken everything."""
    while endpoint.unacknowledged_bytes:
        await asyncio.sleep(0.01)


async def hang_up(endpoint: Endpoint, scene: int) -> None:
    await delivered(endpoint)
    await endpoint.close(CloseCode.GOING_AWAY, "the server stops")


async def test_a_whole_scene_is_shown_and_written_out(tmp_path: Path):
    theatre, audience = Theatre(sending()), Audience()
    outputs = {"out": tmp_path / "a.mp4", "stats": tmp_path / "a.csv", "status_log": tmp_path / "a.jsonl"}
    config = replace(CONFIG, **outputs, stereo=True)
    summary = await audience.play(theatre, config)
    await theatre.end()

    assert summary.scene == "room"
    assert summary.complete
    assert (summary.chunks, summary.chunks_expected, summary.chunks_corrupt) == (CHUNKS, CHUNKS, 0)
    assert summary.bytes_received == summary.bytes_expected == len(DATA)
    assert (summary.frames_shown, summary.frames_late, summary.frames_dropped) == (10, 0, 0)
    assert summary.splats == len(decode(DATA)) == 2000
    assert summary.lost_connection is None
    assert summary.outputs == tuple(str(path) for path in outputs.values())
    told = json.loads(json.dumps(summary.to_json()))
    assert told["complete"] is True and told["frames_due"] == 10
    assert told["frame_budget_ms"] == pytest.approx(1000 / config.fps, abs=1e-6)

    with av.open(str(tmp_path / "a.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert [frame.shape for frame in frames] == [(36, 128, 3)] * 10
    with (tmp_path / "a.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["tick"]) for row in rows] == list(range(10))
    assert {row["chunks_level_0"] for row in rows[1:]} == {str(FINEST)}
    for row in rows:
        assert sum(float(row[f"{stage}_ms"]) for stage in STAGES) == pytest.approx(float(row["total_ms"]))
    last = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[-1])
    assert (last["state"], last["limiter"], last["chunks"], last["splats"]) == (
        "ended",
        "complete",
        CHUNKS,
        2000,
    )
    assert last["complete_s"] is not None and last["levels"][0]["splats_shown"] == 2000
    assert isinstance(theatre.closed, Closed)
    assert theatre.closed.code == CloseCode.NORMAL
    assert theatre.closed.by_peer


async def test_milestones_come_in_order():
    theatre, audience = Theatre(sending()), Audience()
    await audience.play(theatre)
    order = ["connecting", "answered", "opened", "manifest", "first_chunk", *["level"] * 3, "complete"]
    assert [kind for kind in audience.kinds if kind != "first_frame"] == order
    assert audience.kinds.index("first_frame") > audience.kinds.index("complete")
    assert all(news.at_s == 0 or news.at_s is None for news in audience.told[:5])


async def test_an_orbit_is_laid_only_when_there_is_enough_to_lay_it_through(monkeypatch: pytest.MonkeyPatch):
    placed: list[int] = []
    place = Staging.place

    def noted(staging: Staging, gaussians: Gaussians, start: StartView | None) -> tuple[PoseSource, Optics]:
        placed.append(len(gaussians))
        return place(staging, gaussians, start)

    async def rest(endpoint: Endpoint, scene: int) -> None:
        await delivered(endpoint)
        await sending(chunks=range(1, CHUNKS))(endpoint, scene)

    monkeypatch.setattr(session, "PLACE_PATIENCE_S", 20.0)
    monkeypatch.setattr(Staging, "place", noted)
    await Audience().play(Theatre(sending(chunks=[0], then=rest)))
    assert placed == [len(decode(DATA))]


async def test_where_the_file_names_a_start_the_coarsest_level_is_shown_at_once(
    monkeypatch: pytest.MonkeyPatch,
):
    def parse_with_start(data: bytes) -> Preamble:
        preamble = parse_preamble(data)
        start = StartView(np.array([0.0, 0, -3]), np.zeros(3), 1.0)
        return replace(preamble, header=replace(preamble.header, start=start))

    monkeypatch.setattr(session, "PLACE_PATIENCE_S", 20.0)
    monkeypatch.setattr("exgs.client.opening.parse_preamble", parse_with_start)

    async def rest(endpoint: Endpoint, scene: int) -> None:
        while not theatre.views:
            await asyncio.sleep(0.01)
        await sending(chunks=range(1, CHUNKS))(endpoint, scene)

    theatre, audience = Theatre(sending(chunks=[0], then=rest)), Audience()
    async with asyncio.timeout(15):
        summary = await audience.play(theatre, replace(CONFIG, path="head"))
    assert summary.complete
    assert theatre.views[0].position == pytest.approx((0, 0, -3), abs=0.01)


async def test_the_server_hears_where_the_head_is():
    theatre, audience = Theatre(sending()), Audience()
    await audience.play(theatre)
    view = theatre.views[0]
    assert np.linalg.norm(view.orientation) == pytest.approx(1, abs=1e-5)
    assert view.fov_rad[1] == pytest.approx(CONFIG.fov_y_rad)
    assert view.height_px == 36


async def test_a_lost_connection_is_told_and_what_arrived_plays_to_its_end():
    theatre, audience = Theatre(sending(chunks=[0, 1], then=hang_up)), Audience("lost")
    summary = await audience.play(theatre)
    assert summary.lost_connection == "the server said: the server stops"
    assert not summary.complete
    assert summary.frames_shown == 10
    assert summary.chunks == 2
    assert "lost" in audience.kinds


async def test_a_connection_lost_before_anything_arrived():
    theatre = Theatre(sending(chunks=[], then=hang_up))
    with pytest.raises(ClientError, match="lost before anything could be shown: the server said"):
        await Audience().play(theatre)
    assert theatre.hung_up == 1


async def test_a_connection_lost_before_the_scene_was_whole_shows_what_there_is():
    data = encoded(120_000, levels=2)
    assert open_container(data).manifest[1].level == 1
    theatre, audience = Theatre(sending(data, chunks=[0], then=hang_up)), Audience("lost")
    summary = await audience.play(theatre)
    assert summary.frames_shown == 10
    assert 0 < summary.splats < 30_000


async def test_the_first_scene_is_taken_unless_one_is_named():
    theatre = Theatre(sending(), scenes=("garden", "room"))
    assert (await Audience().play(theatre)).scene == "garden"
    assert (await Audience().play(theatre, replace(CONFIG, scene="room"))).scene == "room"
    assert theatre.opened == [0, 1]


async def test_a_scene_that_is_not_there():
    theatre = Theatre(sending(), scenes=("garden", "room"))
    with pytest.raises(ClientError, match=r"no scene 'cellar'; it has: garden, room"):
        await Audience().play(theatre, replace(CONFIG, scene="cellar"))


async def test_a_server_without_scenes():
    with pytest.raises(ClientError, match="no scenes"):
        await Audience().play(Theatre(sending(), scenes=()))


async def test_a_scene_that_is_prepared_first():
    async def script(endpoint: Endpoint, scene: int) -> None:
        for progress in (0.0, 0.5):
            endpoint.send(SceneStatus(scene, SceneState.PREPARING, progress))
        await sending()(endpoint, scene)

    audience = Audience()
    summary = await audience.play(Theatre(script))
    assert summary.complete
    told = [news.text for news in audience.told]
    assert "the server prepares the scene: 50 %" in told
    assert "the server prepares the scene: 0 %" not in told, "it is ready: reading it is no news"


async def test_a_scene_that_cannot_be_had():
    async def script(endpoint: Endpoint, scene: int) -> None:
        endpoint.send(SceneStatus(scene, SceneState.REFUSED, detail="its file is broken"))

    with pytest.raises(ClientError, match="scene 'room': its file is broken"):
        await Audience().play(Theatre(script))


async def test_a_manifest_that_cannot_be_read():
    async def script(endpoint: Endpoint, scene: int) -> None:
        endpoint.send_manifest(scene, b"no manifest at all")

    with pytest.raises(ClientError, match="the manifest of the scene is unusable"):
        await Audience().play(Theatre(script))


def with_broken_chunk(chunk: int) -> bytes:
    info = open_container(DATA).manifest[chunk]
    broken = bytearray(DATA)
    broken[info.offset + info.size_bytes // 2] ^= 0xFF
    return bytes(broken)


async def test_a_corrupt_chunk_is_left_out_and_the_rest_is_shown():
    audience = Audience("corrupt")
    summary = await audience.play(Theatre(sending(with_broken_chunk(1))))
    assert summary.chunks_corrupt == 1
    assert not summary.complete
    assert summary.frames_shown == 10
    assert any(news.text.startswith("chunk 1 left out") for news in audience.told)


async def test_a_scene_whose_coarsest_chunk_is_corrupt_ends_at_once():
    with pytest.raises(ClientError, match="nothing that can be shown came; corrupt chunks: 1"):
        await Audience("lost").play(Theatre(sending(with_broken_chunk(0))))


async def test_a_stream_of_rubbish_ends_with_a_clear_error():
    async def rubbish(endpoint: Endpoint, scene: int) -> None:
        container = open_container(encoded(120_000, levels=1))
        endpoint.send_manifest(scene, container.preamble)
        for chunk in range(len(container.manifest)):
            if not await endpoint.writable():
                return
            endpoint.send_chunk(scene, chunk, b"rubbish")

    theatre = Theatre(rubbish)
    with pytest.raises(ClientError, match="the stream is broken"):
        await Audience().play(theatre)
    assert theatre.hung_up == 1


async def test_a_chunk_that_the_manifest_does_not_name():
    async def then(endpoint: Endpoint, scene: int) -> None:
        endpoint.send_chunk(scene, 77, b"what")

    with pytest.raises(ClientError, match=f"chunk 77; the manifest names {CHUNKS}"):
        await Audience("lost").play(Theatre(sending(chunks=[], then=then)))


async def test_a_server_that_says_nothing():
    async def script(endpoint: Endpoint, scene: int) -> None:
        return

    with pytest.raises(ClientError, match=r"no manifest came within 0\.05 s"):
        await Audience().play(Theatre(script), replace(CONFIG, connect_timeout_s=0.05))
    with pytest.raises(ClientError, match=r"nothing that can be shown came within 0\.05 s"):
        await Audience().play(Theatre(sending(chunks=[])), replace(CONFIG, stall_timeout_s=0.05))


async def test_an_output_that_cannot_be_written_is_known_before_connecting(tmp_path: Path):
    theatre = Theatre(sending())
    with pytest.raises(ClientError, match="there is no folder"):
        await Audience().play(theatre, replace(CONFIG, out=tmp_path / "nowhere" / "a.mp4"))
    assert theatre.hung_up == 0


async def test_a_full_disk_ends_it_with_a_clear_error_and_no_output(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full to stand for a full disk")
    (tmp_path / ".a.csv.partial").symlink_to("/dev/full")
    theatre = Theatre(sending())
    config = replace(CONFIG, stats=tmp_path / "a.csv", seconds=20, out=tmp_path / "pictures")
    with pytest.raises(ClientError, match="No space left"):
        await Audience().play(theatre, config)
    assert not list(tmp_path.iterdir())
    assert theatre.hung_up == 1


async def test_a_log_that_cannot_be_written_ends_it(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full to stand for a full disk")
    theatre = Theatre(sending())
    with pytest.raises(ClientError, match="No space left"):
        await Audience().play(theatre, replace(CONFIG, status_log=Path("/dev/full"), seconds=1e6))
    assert theatre.hung_up == 1


async def test_cancelled_it_writes_out_what_was_shown_and_says_goodbye(tmp_path: Path):
    theatre, audience = Theatre(sending()), Audience()
    config = replace(CONFIG, out=tmp_path / "pictures", stats=tmp_path / "a.csv", seconds=1e6)
    playing = asyncio.create_task(audience.play(theatre, config))
    shown, sums = asyncio.Event(), audience.sums
    listen = audience.listen

    def hear(news: Milestone | Status) -> None:
        listen(news)
        if isinstance(news, Milestone) and news.kind == "first_frame":
            shown.set()

    audience.listen = hear  # type: ignore[method-assign]
    await shown.wait()
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    await theatre.end()
    assert len(list((tmp_path / "pictures").iterdir())) >= 1
    assert (tmp_path / "a.csv").exists()
    assert isinstance(theatre.closed, Closed)
    assert [summary.frames_shown > 0 for summary in sums] == [True]
    assert sums[0].outputs == (str(tmp_path / "pictures"), str(tmp_path / "a.csv"))


async def test_cancelled_before_there_is_anything_to_show_it_claims_no_more_than_it_wrote(tmp_path: Path):
    theatre, audience = Theatre(sending(chunks=[])), Audience()
    outputs = {"out": tmp_path / "a.mp4", "stats": tmp_path / "a.csv", "status_log": tmp_path / "a.jsonl"}
    playing = asyncio.create_task(audience.play(theatre, replace(CONFIG, **outputs)))
    while not (tmp_path / "a.jsonl").exists():
        await asyncio.sleep(0.01)
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    await theatre.end()
    assert [summary.outputs for summary in audience.sums] == [(str(tmp_path / "a.jsonl"),)]
    (line,) = (tmp_path / "a.jsonl").read_text().splitlines()
    assert json.loads(line)["frames_shown"] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
