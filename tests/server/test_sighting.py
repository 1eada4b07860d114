"""Pictures drawn in a scene: what is hidden is worth little, and the same file gives the same sight."""

import asyncio
import logging
from functools import cache

import numpy as np
import pytest

from exgs.codec import Container, Level, Precision, Pyramid, open_container, serialize
from exgs.raster import choose_rasterizer
from exgs.scene import Gaussians, StartView
from exgs.scene.outlook import View, foresee
from exgs.server.errors import SceneFailed
from exgs.server.pool import WorkerPool
from exgs.server.scouting import Scouts
from exgs.server.sight import FEWEST_BYTES, Scouted, Sight, is_worth_a_look
from exgs.server.sighting import measure_sight
from exgs.server.worker import Look

START = StartView(np.array([0, 0, 4.0]), np.zeros(3), 1.0)


def cloud(means: np.ndarray, size: float, color: np.ndarray, opacity: float = 4.0) -> Gaussians:
    count = len(means)
    return Gaussians(
        means.astype(np.float32),
        np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        np.full((count, 3), np.log(size), np.float32),
        np.full(count, opacity, np.float32),
        color.reshape(count, 1, 3).astype(np.float32),
        np.zeros((count, 0, 3), np.float32),
    )


@cache
def walled() -> Container:
    """A wall between two motley boards, of which the coarse picture knows the mean colour alone."""
    rng = np.random.default_rng(0)
    side = np.arange(40) / 20 - 0.975
    board = np.stack([*np.meshgrid(side, side), np.ones((40, 40))], axis=-1).reshape(-1, 3)
    fine = np.concatenate([board, board * (1, 1, -1)])
    cell = (np.arange(40) // 4)[:, None] * 10 + np.arange(40)[None] // 4
    parents = np.concatenate([cell.ravel(), 100 + cell.ravel()])
    middles = np.array([fine[parents == parent].mean(axis=0) for parent in range(200)])
    span = np.arange(24) / 4 - 2.875
    wall = np.stack([*np.meshgrid(span, span), np.zeros((24, 24))], axis=-1).reshape(-1, 3)
    bricks = cloud(wall, 0.25, np.zeros((len(wall), 3)), 6.0)
    coarse = Gaussians.concatenate([cloud(middles, 0.1, np.zeros((200, 3))), bricks])
    levels = (
        Level(
            cloud(fine, 0.03, rng.normal(size=(3200, 3))), parents.astype(np.int32), np.ones(3200, np.float32)
        ),
        Level(coarse, None, np.ones(len(coarse), np.float32)),
    )
    return open_container(serialize(Pyramid(levels, START), Precision()))


@cache
def sight() -> Sight:
    return measure_sight(walled(), choose_rasterizer("cpu", threads=1))


def test_what_is_behind_a_wall_is_worth_little() -> None:
    view = View(START.position, np.diag([1.0, -1, -1]), 1.2, 1.2)
    found = sight().benefit(np.arange(len(walled().manifest)), foresee(view, 0.1))
    here, behind = (
        [
            found[chunk.id]
            for chunk in walled().manifest
            if not chunk.level and (sign * chunk.bounds_min > 0.5)[2] and (sign * chunk.bounds_max > 0.5)[2]
        ]
        for sign in (1, -1)
    )
    assert len(here) > 2 and len(behind) > 2
    assert min(here) > 10 * max(behind) > 0


def test_there_is_a_place_where_the_viewer_begins() -> None:
    assert sight().places[-1] == pytest.approx(START.position)
    assert len(sight().places) == 25 and sight().worth.shape[:2] == (25, len(walled().manifest))


def test_parts_lie_in_the_box_of_what_they_replace() -> None:
    fine = [chunk.id for chunk in walled().manifest if not chunk.level]
    low = np.array([walled().manifest[id].bounds_min for id in fine])
    high = np.array([walled().manifest[id].bounds_max for id in fine])
    inside = (sight().centres[fine] >= low[:, None] - 0.2) & (sight().centres[fine] <= high[:, None] + 0.2)
    assert inside.mean() > 0.95
    assert (sight().variances >= 0).all()


def test_the_same_file_gives_the_same_sight() -> None:
    again = measure_sight(walled(), choose_rasterizer("cpu", threads=2))
    assert again.to_bytes() == sight().to_bytes()


async def test_another_process_finds_the_same() -> None:
    assert await WorkerPool().run(Look(walled().data)) == sight().to_bytes()


class _Pool:
    """Finds at once what it is told to, or fails."""

    def __init__(self, found: bytes | SceneFailed) -> None:
        self.found, self.looks = found, 0

    async def run(self, job: Look) -> bytes:
        self.looks += 1
        await asyncio.sleep(0)
        if isinstance(self.found, SceneFailed):
            raise self.found
        return self.found


async def scouted(found: bytes | SceneFailed, container: Container) -> tuple[Scouted, _Pool]:
    pool, result = _Pool(found), Scouted()
    scouts = Scouts(pool)  # type: ignore[arg-type]
    scouts.send("room", container, result)
    for _ in range(5):
        await asyncio.sleep(0)
    await scouts.close()
    return result, pool


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Container:
    """A scene that counts as large enough."""
    monkeypatch.setattr("exgs.server.sight.FEWEST_BYTES", 1000)
    return walled()


async def test_what_is_found_is_there_for_all(large: Container) -> None:
    result, _ = await scouted(sight().to_bytes(), large)
    assert result.sight is not None and (result.sight.worth == sight().worth).all()


async def test_a_look_that_fails_is_a_line_in_the_log(
    large: Container, caplog: pytest.LogCaptureFixture
) -> None:
    for found in (SceneFailed("killed"), b"", sight().to_bytes()[:99]):
        with caplog.at_level(logging.WARNING):
            result, _ = await scouted(found, large)
        assert result.sight is None
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "scene room is served without being looked at"
    ] * 3


async def test_small_files_are_not_looked_at() -> None:
    assert len(walled().data) < FEWEST_BYTES and not is_worth_a_look(walled())
    result, pool = await scouted(b"", walled())
    assert result.sight is None and pool.looks == 0


async def test_closing_ends_a_look(large: Container) -> None:
    class Endless:
        async def run(self, job: Look) -> bytes:
            await asyncio.Event().wait()
            return b""

    scouts, result = Scouts(Endless()), Scouted()  # type: ignore[arg-type]
    scouts.send("room", large, result)
    await asyncio.sleep(0)
    await asyncio.wait_for(scouts.close(), 5)
    assert result.sight is None
