"""How finely each attribute is to be kept, and how many Gaussians: bits divided on equal slopes.

Theory of operation. Bytes buy less error in three ways: more Gaussians, finer steps, and steps of one
attribute rather than of another. At the best division a further bit saves the same whichever way it goes
(equal slopes; Shoham and Gersho 1988). Near a step, error goes with it to a power, bits with its logarithm;
the error of merging goes with the count. So a slope says how long each step is, the steps how many bits a
Gaussian takes, these how many fit, and all of that how large the error is: the slope with the least wins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.codec.writing.precision import STEPS, Precision

FARTHEST = (0.4, 1.5)
"""Bounds of the change of a step: farther off error and bits have to be looked at again."""
TRIED = np.geomspace(1e3, 1e-3, 181)
"""Slopes that are tried, in parts of the mean one."""


@dataclass(frozen=True)
class Step:
    """What one step of quantising does."""

    name: str
    """Which it is of ``Precision``."""
    error: float
    """Squared error that it makes."""
    power: float
    """Power of the step with which that goes."""
    octave: float
    """Bits of a Gaussian that halving it takes."""


@dataclass(frozen=True)
class Merging:
    """What merging ``leaves`` Gaussians does: an error of ``scale * (1 / count - 1 / leaves) ** power``."""

    leaves: int
    """Gaussians where none is merged."""
    scale: float
    """Squared error where the power is taken of 1."""
    power: float
    """How fast the error grows as Gaussians become few."""

    def error(self, count: int) -> float:
        """Squared error of ``count`` Gaussians."""
        return float(self.scale * max(1 / count - 1 / self.leaves, 0.0) ** self.power)


@dataclass(frozen=True)
class Slopes:
    """Where error comes from. Squared errors are means over all values of pictures."""

    steps: tuple[Step, ...]
    """Those that matter."""
    bits: float
    """Bits of a Gaussian in all."""
    merging: Merging
    """What fewer Gaussians do."""


def balanced(precision: Precision, slopes: Slopes, budget_bits: float, most: int) -> tuple[Precision, int]:
    """The best division of ``budget_bits``: steps, and how many Gaussians that leaves room for.

    There are ``most`` of these at most; steps differ from those of ``precision`` by ``FARTHEST`` at most.
    """
    names = [step.name for step in slopes.steps]
    rows = [(step.error, step.power, step.octave) for step in slopes.steps]
    errors, powers, octaves = np.array(rows, np.float64).reshape(-1, 3).T
    found, least = (precision, max(1, min(int(budget_bits / slopes.bits), most))), np.inf
    mean = errors.sum() / octaves.sum() if rows else 0.0
    for slope in mean * TRIED:
        goal = slope * octaves / (np.log(2.0) * powers * errors)
        factors = np.clip(goal ** (1.0 / powers), *FARTHEST)
        bits = max(slopes.bits - float(octaves @ np.log2(factors)), 1.0)
        count = max(1, min(int(budget_bits / bits), most))
        error = float(errors @ factors**powers) + slopes.merging.error(count)
        if error < least:
            found, least = (
                (precision.stretched(dict(zip(names, factors.tolist(), strict=True))), count),
                error,
            )
        if count == most and bits >= slopes.bits:
            break  # All of them fit: what is left of the budget shortens all steps alike.
    return found


def between(one: Precision, other: Precision, share: float) -> Precision:
    """Steps a ``share`` of the way from ``one`` to ``other``, by their logarithms."""
    return one.stretched({name: (getattr(other, name) / getattr(one, name)) ** share for name in STEPS})
