"""Which views a fit goes by, in which order, and which it leaves out to be judged by."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from exgs.codec.encoding.at_once import each
from exgs.codec.encoding.survey import Survey
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians

HELD_OUT = 8
"""One view in so many is left out of a fit."""
FEWEST = 4
"""Of so many views at least one is left out, though it be one of less than ``HELD_OUT``."""
GOLDEN = 0.6180339887
"""Stride from one view to the next, in parts of their number: consecutive ones lie far apart."""


def held_apart(count: int) -> tuple[list[int], list[int]]:
    """Which of ``count`` views are fitted to, and which are left out, to judge the fit by."""
    held_out = [count // 2] if FEWEST <= count < HELD_OUT else list(range(HELD_OUT - 1, count, HELD_OUT))
    return [view for view in range(count) if view not in held_out], held_out


def groups_of(views: Sequence[int], draws: int, size: int) -> Iterator[list[int]]:
    """``draws`` of the views in groups; each comes as often as any other, neighbours far from one another."""
    count = len(views)
    stride = next(
        stride for stride in range(round(GOLDEN * count), 2 * count + 2) if math.gcd(stride, count) == 1
    )
    order = [views[turn * stride % count] for turn in range(draws)]
    for start in range(0, draws, size):
        yield order[start : start + size]


def miss(picture: np.ndarray, target: np.ndarray) -> np.ndarray:
    """What ``picture`` is off its target, as a display shows both: the gradient of half the square."""
    return np.asarray(np.clip(picture, 0.0, 1.0) - np.clip(target, 0.0, 1.0))


def squared_error(
    gaussians: Gaussians, views: Survey, rasterizer: Rasterizer, chosen: Sequence[int]
) -> float:
    """Squared error over the ``chosen`` views."""

    def error(view: int) -> float:
        picture = rasterizer.render(gaussians, [views.cameras[view]]).color[0]
        return float(np.square(miss(picture, views.pictures[view])).sum(dtype=np.float64))

    return float(sum(each(rasterizer, error, chosen)))
