"""Time and parts that tests of the client play with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from exgs.client.snapshots import Snapshot
from exgs.codec import Level, Precision, Pyramid, serialize
from exgs.raster import Rendering, Telling
from exgs.scene import Camera, Gaussians


class VirtualClock:
    """Time that moves only when somebody sleeps or works."""

    def __init__(self, start_s: float = 1000.0) -> None:
        self.time_s = start_s

    def now(self) -> float:
        return self.time_s

    def sleep_until(self, time_s: float, interrupt: threading.Event) -> None:
        if not interrupt.is_set():
            self.time_s = max(self.time_s, time_s)

    def work(self, seconds: float) -> None:
        self.time_s += seconds


class PaintedRasterizer:
    """Fills pictures with the number of splats, and takes as long as it is told."""

    name = "painted"

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._before = before
        self.cameras: list[Sequence[Camera]] = []
        self.splats: list[int] = []

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        self._before()
        self.cameras.append(cameras)
        self.splats.append(len(gaussians))
        shape = (len(cameras), cameras[0].height, cameras[0].width)
        alpha = np.ones(shape, np.float32)
        return Rendering(np.full((*shape, 3), 0.5, np.float32), alpha, 2 * alpha if depth else None)

    def share_out(self, gaussians: Gaussians, camera: Camera, tell: Telling) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


def some_gaussians(count: int, *, seed: int = 0, sh_degree: int = 0) -> Gaussians:
    """A ball of Gaussians around the origin."""
    rng = np.random.default_rng(seed)
    higher = (0, 3, 8, 15)[sh_degree]
    return Gaussians(
        means=rng.normal(0, 1, (count, 3)).astype(np.float32),
        quats=rng.normal(0, 1, (count, 4)).astype(np.float32),
        log_scales=rng.normal(-3, 0.3, (count, 3)).astype(np.float32),
        opacity_logits=rng.normal(1, 1, count).astype(np.float32),
        sh0=rng.normal(0, 1, (count, 1, 3)).astype(np.float32),
        shN=rng.normal(0, 0.1, (count, higher, 3)).astype(np.float32),
    )


def snapshot(number: int, splats: int = 10) -> Snapshot:
    """A snapshot with a number of its own."""
    return Snapshot(
        number=number,
        gaussians=some_gaussians(splats),
        splats_resident=splats + 5,
        chunks_by_level=(0, number),
        bytes_received=100 * number,
        base=True,
        complete=False,
        last=False,
    )


def encoded(count: int = 2000, *, levels: int = 3, seed: int = 0, sh_degree: int = 0) -> bytes:
    """A small .ugc file: each level every fourth Gaussian of the finer one."""
    gaussians = some_gaussians(count, seed=seed, sh_degree=sh_degree)
    made = []
    for level in range(levels):
        last = level == levels - 1
        parents = None if last else (np.arange(len(gaussians)) // 4).astype(np.int32)
        made.append(Level(gaussians, parents, np.ones(len(gaussians), np.float32)))
        gaussians = gaussians.select(slice(None, None, 4))
    return serialize(Pyramid(tuple(made)), Precision())
