"""A scene of a few hundred kilobytes that costs nothing to make, and trials of it."""

import functools
from dataclasses import replace

import numpy as np

from exgs.codec import Container, Level, Precision, Pyramid, open_container, serialize
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.timeline import Trial
from exgs.scene import Gaussians, HeadPath, StartView, synthetic_head_trace

FINE, COARSE = 80_000, 4_000


@functools.cache
def container() -> Container:
    """Noise in two levels and some tens of chunks."""
    rng = np.random.default_rng(3)
    parents = rng.integers(0, COARSE, size=FINE).astype(np.int32)
    parents[:COARSE] = np.arange(COARSE)
    fine = Level(_noise(FINE, rng), parents, rng.uniform(0.1, 1, FINE).astype(np.float32))
    coarse = Level(_noise(COARSE, rng), None, np.ones(COARSE, np.float32))
    return open_container(serialize(Pyramid((fine, coarse)), Precision()))


@functools.cache
def path() -> HeadPath:
    """A head in the middle of it."""
    start = StartView(np.zeros(3), np.array([0.0, 0.0, 1.0]), 1.0)
    return synthetic_head_trace(seconds=10, seed=1).placed(start, np.array([0.0, 1.0, 0.0]))


def link(mbps: float | None = 10.0, *, delay_s: float = 0.02, loss: float = 0.0) -> LinkSettings:
    """A link with a queue of a tenth of a second."""
    if mbps is None:
        return LinkSettings(None, delay_s, loss=loss)
    queue = max(65536, int(mbps * 1e6 / 8 * 0.1))
    return LinkSettings(Rate.constant(mbps), delay_s, loss=loss, queue_bytes=queue)


def trial(down: LinkSettings | None = None, **settings: object) -> Trial:
    """A session of ten seconds with ten frames a second."""
    plain = Trial(container(), path(), down or link(), link(), seconds=10.0, fps=10.0)
    return replace(plain, **{"decode_splats_per_s": 1e6, **settings})  # type: ignore[arg-type]


def _noise(count: int, rng: np.random.Generator) -> Gaussians:
    def noise(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).astype(np.float32)

    return Gaussians(
        noise(count, 3), noise(count, 4), noise(count, 3) - 4, noise(count), noise(count, 1, 3),
        np.zeros((count, 0, 3), "f4"),
    )  # fmt: skip
