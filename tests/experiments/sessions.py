"""Sessions made by hand, for what judges and tabulates them."""

import functools
from collections.abc import Sequence

import numpy as np

from exgs.codec import Container, EncodeConfig, encode, open_container
from exgs.experiments.timeline import ChunkRow, FrameRow, Timeline, Trial
from exgs.raster import choose_rasterizer
from exgs.scene import Gaussians, HeadPath, StartView, synthetic_head_trace
from exgs.scene.orbit import starting_view


@functools.cache
def ball() -> Gaussians:
    """Gaussians on a sphere of radius 1, coloured by place."""
    rng = np.random.default_rng(5)
    means = rng.normal(size=(2500, 3))
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return Gaussians(
        means.astype(np.float32),
        rng.normal(size=(2500, 4)).astype(np.float32),
        rng.uniform(-3.4, -2.8, size=(2500, 3)).astype(np.float32),
        rng.uniform(1, 4, size=2500).astype(np.float32),
        (means[:, None] * 1.2).astype(np.float32),
        np.zeros((2500, 0, 3), np.float32),
    )


@functools.cache
def container() -> Container:
    """The ball at a tenth of its size, in two levels at least."""
    config = EncodeConfig(ratio=10, effort="fast", views=12, levels=3)
    return open_container(encode(ball(), config, rasterizer=choose_rasterizer("cpu")).data)


@functools.cache
def start() -> StartView:
    """Where a viewer of the ball begins."""
    return starting_view(ball())


@functools.cache
def path() -> HeadPath:
    """A way around the ball."""
    return synthetic_head_trace(seconds=4, seed=2).retarget(ball(), start=start())


def timeline(
    shown_s: Sequence[float | None], *, seconds: float = 4.0, max_splats: int | None = None
) -> Timeline:
    """A session in which chunk n came on display at ``shown_s[n]``, each 10 ms after it was there."""
    trial = Trial(container(), path(), seconds=seconds, fps=10.0, max_splats=max_splats)
    rows = tuple(
        ChunkRow(
            id, chunk.level, chunk.size_bytes, chunk.count, 0.1,
            None if at_s is None else at_s - 0.01, at_s,
        )
        for id, (chunk, at_s) in enumerate(zip(container().manifest, shown_s, strict=True))
    )  # fmt: skip
    there = [row for row in rows if row.received_s is not None]
    received = sum(row.size_bytes for row in there)
    roots = [row.shown_s for row in rows if container().manifest[row.chunk].parent < 0]
    first = None if None in roots else max(at for at in roots if at is not None)
    frames = tuple(
        FrameRow(
            number / 10, path().pose_at(number / 10), 0, 0,
            sum(row.size_bytes for row in there if row.received_s and row.received_s <= number / 10), "link",
        )
        for number in range(int(seconds * 10))
    )  # fmt: skip
    complete = None if None in shown_s else max(at for at in shown_s if at is not None)
    return Timeline(
        trial, "virtual", rows, frames, first, complete, 0.05, received, received, 0, received / seconds,
        received + 100, 900, 2,
    )  # fmt: skip
