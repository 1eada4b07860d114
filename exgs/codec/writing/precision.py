"""Precision: how finely each attribute is kept, and the parameters of a file that follow from it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.coding import NEVER, Coding
from exgs.codec.errors import EncodeError
from exgs.codec.model import MAX_AXIS_BITS, TURN_THRESHOLDS
from exgs.codec.writing.pyramid import Pyramid
from exgs.scene import Gaussians

TYPICAL_CLASS = 3
"""Class of precision of a splat of its level's median weight: steps are given for it."""
STEPS = ("position", "scale", "rotation", "opacity", "colour", "sh")
"""Names of the steps among the fields of ``Precision``."""
_BEYOND = 0.12
"""How the sensitivity to rotation rises beyond the steepest: shapes do not all gain a bit at once."""
_LARGEST_DIFFERENCE = 1 << 13


@dataclass(frozen=True)
class Precision:
    """Quantisation steps for a splat of the median weight (opacity times size) of its level; all positive."""

    position: float = 0.19
    """Step of the means, in median splat sizes (standard deviations) of the level."""
    scale: float = 0.46
    """Step of the log scales, natural logarithm."""
    rotation: float = 0.24
    """Step of the angle between axes whose scales differ by a factor of 2.4, in radians."""
    opacity: float = 0.1
    """Step of the opacity, in 0 to 1."""
    colour: float = 0.056
    """Step of the colour, in 0 to 1."""
    sh: float = 0.2
    """Step of the further harmonics' coefficients."""
    weighting: float = 0.6
    """Steps go with the weight of a splat to the power of minus this, 0 to 1."""
    flattest: float = 4.5
    """Largest difference kept between the log scales of a splat."""
    steepest: float = 2.0
    """Sensitivity to rotation, the sinh of the difference of log scales, beyond which it rises slowly."""
    fine_below: int = 3
    """Class below which log scales gain a bit for each class."""
    thrift: float = 0.0
    """Squared error of the harmonics, in steps, that a bit of theirs must save; 0 keeps all as they round."""
    coarser_levels: float = 1.0
    """All steps of a level, relative to those of the next finer one."""

    def scaled(self, factor: float) -> Precision:
        """All steps times ``factor``: above one is coarser."""
        return self.stretched(dict.fromkeys(STEPS, factor))

    def stretched(self, factors: Mapping[str, float]) -> Precision:
        """The steps named in ``factors`` times these."""
        return replace(self, **{name: getattr(self, name) * factor for name, factor in factors.items()})


def choose_coding(pyramid: Pyramid, precision: Precision) -> Coding:
    """The parameters of a file, all but predictions and classes, for this pyramid.

    Raises:
        EncodeError: a step is not positive and finite.
    """
    numbers = [getattr(precision, name) for name in STEPS]
    if not all(math.isfinite(number) and number > 0 for number in numbers):
        raise EncodeError(f"{precision}: steps must be positive")
    scale_step = single(precision.scale)
    sizes = [typical_size(level.gaussians) for level in pyramid.levels]
    factors = [precision.coarser_levels**level for level in range(len(sizes))]
    least = _extent(pyramid) / ((1 << MAX_AXIS_BITS) - 2)
    return Coding(
        scale_step=scale_step,
        colour_step=single(precision.colour / (1 << TYPICAL_CLASS)),
        sh_step=single(precision.sh / (1 << TYPICAL_CLASS)),
        opacity_levels=min(max(round(1.0 / precision.opacity), 2), 256),
        class_slope=min(round(32768 * precision.weighting * scale_step / math.log(2)), 65535),
        opacity_slope=min(round(256 * precision.weighting), 255),
        fine_below=precision.fine_below,
        shift_slope=min(round(128 * scale_step / math.log(2)), 255),
        turn_thresholds=_turn_thresholds(precision, scale_step),
        predictions=((0, 0),) * 4,
        position_steps=tuple(
            single(max(precision.position * factor * size, least, 1e-12))
            for size, factor in zip(sizes, factors, strict=True)
        ),
        shift_from=tuple(round((math.log(size) + 1.0) / scale_step) for size in sizes),
        class_from=(0,) * len(sizes),
    )


def typical_size(gaussians: Gaussians) -> float:
    """Median of the geometric mean of the two larger standard deviations."""
    ordered = np.sort(np.clip(gaussians.log_scales, -30.0, 30.0), axis=1)
    return float(np.exp(np.median(ordered[:, 1:].mean(axis=1))))


def single(value: float) -> float:
    """The nearest 32-bit number."""
    return float(np.float32(value))


def _extent(pyramid: Pyramid) -> float:
    """Longest side of the box of all levels: their lattices begin at one origin."""
    low = np.min([level.gaussians.means.min(axis=0) for level in pyramid.levels], axis=0)
    high = np.max([level.gaussians.means.max(axis=0) for level in pyramid.levels], axis=0)
    return float((high.astype(np.float64) - low).max())


def _turn_thresholds(precision: Precision, scale_step: float) -> tuple[int, ...]:
    """Where the bits of an angle rise: a quarter turn in steps of ``rotation`` over the sensitivity."""
    differences = np.arange(_LARGEST_DIFFERENCE)
    apart, bend = differences * (scale_step / 2), math.asinh(precision.steepest)
    sensitivity = np.sinh(np.minimum(apart, bend)) * (1 + _BEYOND * np.maximum(apart - bend, 0))
    cells = math.pi / 2 / precision.rotation * np.maximum(sensitivity, 1e-9)
    bits = np.round(np.log2(cells)) + TYPICAL_CLASS
    reached = [int(np.searchsorted(bits, number + 1)) for number in range(TURN_THRESHOLDS)]
    return tuple(start for start in reached if start < _LARGEST_DIFFERENCE and start < NEVER)
