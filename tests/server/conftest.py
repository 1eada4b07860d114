"""A small encoded scene, and servers without WebRTC, encoders or a network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from exgs.codec import Level, Precision, Pyramid, serialize
from exgs.codec.encoding.config import EncodeConfig
from exgs.scene import Gaussians, write_scene
from exgs.server.cache import Cache
from exgs.server.catalogue import Catalogue
from exgs.server.errors import SceneFailed
from exgs.server.library import Library
from exgs.server.metrics import Metrics
from exgs.server.worker import Job


def _gaussians(count: int, rng: np.random.Generator) -> Gaussians:
    def noise(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    quats = noise(count, 4)
    return Gaussians(
        noise(count, 3),
        quats,
        noise(count, 3) - 4,
        noise(count),
        noise(count, 1, 3),
        np.zeros((count, 0, 3), "f4"),
    )


@pytest.fixture(scope="session")
def encoded() -> bytes:
    """A .ugc file of two levels and a handful of chunks."""
    rng = np.random.default_rng(3)
    fine, coarse = _gaussians(24_000, rng), _gaussians(3_000, rng)
    parents = rng.integers(0, 3_000, size=24_000).astype(np.int32)
    parents[:3_000] = np.arange(3_000)
    levels = (
        Level(fine, parents, np.ones(24_000, np.float32)),
        Level(coarse, None, np.ones(3_000, np.float32)),
    )
    return serialize(Pyramid(levels), Precision())


@pytest.fixture
def scenes(tmp_path: Path, encoded: bytes) -> Path:
    """A folder with an encoded scene ``statue`` and a source scene ``room``."""
    folder = tmp_path / "scenes"
    folder.mkdir()
    (folder / "statue.ugc").write_bytes(encoded)
    write_scene(folder / "room.ply", _gaussians(4, np.random.default_rng(4)))
    return folder


class FakePool:
    """Encodes everything to the same bytes, when told to go on."""

    def __init__(self, result: bytes | SceneFailed) -> None:
        self.result = result
        self.notes: tuple[tuple[int, str], ...] = ()
        self.jobs: list[Job] = []
        self.go = asyncio.Event()
        self.go.set()

    async def run(self, job: Job, report: Callable[[float], None], note: Callable[[int, str], None]) -> bytes:
        self.jobs.append(job)
        for level, text in self.notes:
            note(level, text)
        report(0.5)
        await self.go.wait()
        if isinstance(self.result, SceneFailed):
            raise self.result
        return self.result


@pytest.fixture
def make_pool() -> Callable[[bytes | SceneFailed], FakePool]:
    """Makes pools that give that result; call it on the event loop."""
    return FakePool


@pytest.fixture
async def pool(encoded: bytes) -> FakePool:
    return FakePool(encoded)


@pytest.fixture
def make_library(scenes: Path, tmp_path: Path) -> Callable[[FakePool], Library]:
    """Makes libraries with empty memories over the same scenes and the same cache on disk."""

    def make(pool: FakePool) -> Library:
        cache = Cache(tmp_path / "cache")
        return Library(Catalogue(scenes), cache, pool, config=EncodeConfig(), metrics=Metrics())  # type: ignore[arg-type]

    return make


@pytest.fixture
async def library(make_library: Callable[[FakePool], Library], pool: FakePool) -> Library:
    return make_library(pool)
