"""Fits every value of simplified Gaussians to pictures of the source, by gradients of the rasteriser.

Steps are those of Adam, one for each group of ``BATCH`` views, in units of the Gaussian itself: its mean
moves along its own axes in parts of its scales, its rotation about its own axes, its scales and opacity
change by factors. A Gaussian that no view of a group meets stays, and keeps its moments. How far a step
goes falls along half a cosine to nothing. No Gaussian grows or shrinks beyond bounds around its merged
size: what no view sees of it must stay near what merging made.

Every eighth view is left out; of the way that was gone as much is taken as shows those better than the start.
Source: Kingma and Ba 2015 for the steps, Kerbl et al. 2023 for the values that are fitted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.encoding.descent import move, take_gradients
from exgs.codec.encoding.left_out import groups_of, held_apart, miss, squared_error
from exgs.codec.encoding.survey import Survey
from exgs.raster.crew import Crew, ranges
from exgs.raster.seam import Gradients, Rasterizer
from exgs.scene import SH_C0, Gaussians
from exgs.scene.gaussians import VALUES

BATCH = 2
"""Views of one step."""
FLOOR = 0.03
"""Least root of a second moment, in parts of its mean over the Gaussians: the hardly seen hardly move."""
MEANS, TURNS, LOG_SCALES, LOGITS = 0.024, 0.012, 0.024, 0.018
"""Lengths of the first steps: in standard deviations, radians, logarithms and logits."""
COLOUR, FURTHER = 0.009, 0.25
"""The same of the constant colour, in 0 to 1, and of a further harmonic, in those of the constant one."""
MANY, LARGE_ERROR = 12_000, 0.012
"""Gaussians up to which, and error of a pixel from which on, steps have their full length."""
ROWS = 1 << 14
"""Gaussians that one thread moves at a time."""
SHARES = (1.0, 0.5, 0.25)
"""Parts of the whole way, tried in turn until one shows the views left out better than its start."""
CAUTION, TOUCH_CAUTION = 0.75, 0.4
"""How steps shorten with the number of Gaussians beyond, as a power: where there are many steps, and few."""


def finetune(
    gaussians: Gaussians,
    views: Survey,
    rasterizer: Rasterizer,
    *,
    degree: int,
    draws: int,
    free: np.ndarray | None = None,
) -> Gaussians:
    """``gaussians`` with every value, and harmonics up to ``degree``, fitted to the pictures of ``views``.

    ``draws`` pictures are drawn and carried back. Never worse over the views left out; where none are, with
    less than four, nothing is changed. ``free`` [N] bool tells which Gaussians may change, None that all may.
    """
    return _descended(gaussians, views, rasterizer, (degree, free), (draws, CAUTION))


def touch_up(
    gaussians: Gaussians, views: Survey, rasterizer: Rasterizer, *, degree: int, draws: int
) -> Gaussians:
    """As ``finetune``, of Gaussians that are nearly fitted, in a few long steps."""
    return _descended(gaussians, views, rasterizer, (degree, None), (draws, TOUCH_CAUTION))


def _descended(
    gaussians: Gaussians,
    views: Survey,
    rasterizer: Rasterizer,
    which: tuple[int, np.ndarray | None],
    pace: tuple[int, float],
) -> Gaussians:
    """``which`` are the highest degree and the free Gaussians, ``pace`` draws and the power of caution."""
    draws, power = pace
    fitted, held_out = held_apart(len(views.cameras))
    if not held_out or not len(gaussians) or draws < 1:
        return gaussians
    before = squared_error(gaussians, views, rasterizer, held_out)
    groups = list(groups_of(fitted, draws, BATCH))
    descent = _Descent(gaussians, *which)
    caution = _caution(len(gaussians), power, math.sqrt(before / views.pictures[held_out].size))
    for number, group in enumerate(groups):
        targets = [views.pictures[view] for view in group]
        gradients = rasterizer.gradients(
            descent.gaussians, [views.cameras[view] for view in group], _Misses(targets)
        )
        descent.step(gradients, caution * (0.5 + 0.5 * math.cos(math.pi * number / len(groups))))
    for share in SHARES:
        found = _between(gaussians, descent.gaussians, share)
        if squared_error(found, views, rasterizer, held_out) < before:
            return found
    return gaussians


def _between(start: Gaussians, end: Gaussians, share: float) -> Gaussians:
    """``share`` of the way from ``start`` to ``end``; what is the same in both stays so."""
    if share == 1:
        return end
    values = {}
    for name in VALUES:
        first, last = getattr(start, name), getattr(end, name)
        mixed = np.float32(1 - share) * first + np.float32(share) * last
        values[name] = np.where(first == last, first, mixed)
    return replace(end, **values)


def _caution(count: int, power: float, error: float) -> float:
    """Share of the steps' full length: short where little is wrong, or where Gaussians are below a pixel.

    What such a Gaussian looks like from nearer by small pictures do not tell.
    """
    return min(1.0, MANY / count) ** power * min(1.0, error / LARGE_ERROR)


@dataclass(frozen=True, eq=False)
class _Misses:
    """What pictures are off their targets."""

    targets: list[np.ndarray]

    def __call__(self, view: int, picture: np.ndarray) -> np.ndarray:
        return miss(picture, self.targets[view])


class _Descent:
    """Gaussians on their way down, with the moments of their gradients."""

    def __init__(self, gaussians: Gaussians, degree: int, free: np.ndarray | None) -> None:
        count, bands = len(gaussians), 1 + gaussians.shN.shape[1]
        self.gaussians = replace(gaussians, **{name: getattr(gaussians, name).copy() for name in VALUES})
        self._crew, self._rows = Crew(), ranges(count, -(-count // ROWS))
        self._free = np.ones(count, np.bool_) if free is None else np.ascontiguousarray(free, np.bool_)
        self._merged = gaussians.log_scales
        lengths = np.zeros((bands, 3))
        lengths[: (degree + 1) ** 2] = COLOUR * FURTHER / SH_C0
        lengths[0] = COLOUR / SH_C0
        shape = [MEANS] * 3 + [TURNS] * 3 + [LOG_SCALES] * 3 + [LOGITS]
        self._lengths = np.concatenate([shape, lengths.ravel()]).astype(np.float32)
        self._first = np.zeros((count, len(self._lengths)), np.float32)
        self._second = np.zeros_like(self._first)
        self._met = np.zeros(count, np.int32)

    def step(self, gradients: Gradients, share: float) -> None:
        """Goes down ``share`` of the first steps' length; the Gaussians are written to."""
        found, count = self.gaussians, len(self.gaussians)
        slopes = (
            gradients.means,
            gradients.turns,
            gradients.log_scales,
            gradients.opacity_logits,
            gradients.harmonics.reshape(count, -1),
        )
        moments = (self._first, self._second)
        taken = ((found.quats, found.log_scales), slopes, moments, (self._met, self._free))
        squares = sum(self._crew.share(take_gradients, [(*rows, *taken) for rows in self._rows]))
        floors = FLOOR * np.sqrt(squares / count) + 1e-12
        lengths = (self._lengths * np.float32(share), floors.astype(np.float32))
        colors = (found.sh0.reshape(count, -1), found.shN.reshape(count, -1))
        values = (found.means, found.quats, found.log_scales, found.opacity_logits, *colors)
        moved = (values, lengths, moments, (self._met, self._merged))
        self._crew.share(move, [(*rows, *moved) for rows in self._rows])
