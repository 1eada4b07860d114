"""Rate control: the finest precision with which a pyramid fits its budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exgs.codec.precision import Precision
from exgs.codec.pyramid import Pyramid
from exgs.codec.serializer import Serialized, serialize_measured

BALANCED = Precision().scaled(0.65)
"""Steps at which a byte buys as much picture in precision as in more Gaussians."""
TOLERANCE = 0.015
"""A file of at least (1 - TOLERANCE) x budget is taken as it is."""
MOST_TRIALS = 9
"""Serialisations at most."""
FINEST, COARSEST = 1 / 16, 2.5
"""Bounds of the factor on the steps of ``BALANCED``."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The best that fits, or, where nothing does, the smallest there is."""

    file: Serialized
    """Bytes and their sections."""
    factor: float
    """Factor on the steps of ``BALANCED``."""
    fits: bool
    """Whether the file is within the budget."""


def fit_precision(pyramid: Pyramid, budget: int, *, start: float = 1.0, finest: float = FINEST) -> Fit:
    """Serialises ``pyramid`` within ``budget`` bytes, as near to it as a few trials bring."""
    return search(lambda factor: serialize_measured(pyramid, BALANCED.scaled(factor)), budget, start, finest)


def search(write: Callable[[float], Serialized], budget: int, start: float, finest: float = FINEST) -> Fit:
    """Looks for the smallest factor with which ``write`` stays within ``budget``."""
    low, high = float(np.log(finest)), float(np.log(COARSEST))
    known: list[tuple[float, int]] = []
    best: Fit | None = None
    smallest: Fit | None = None
    at = min(max(float(np.log(start)), low), high)
    for _ in range(MOST_TRIALS):
        file = write(float(np.exp(at)))
        size = len(file.data)
        fit = Fit(file, float(np.exp(at)), size <= budget)
        if smallest is None or size < len(smallest.file.data):
            smallest = fit
        if fit.fits and (best is None or size > len(best.file.data)):
            best = fit
        if fit.fits and (size >= budget * (1 - TOLERANCE) or at <= low):
            break
        if not fit.fits and at >= high:
            break
        low, high = (low, min(high, at)) if fit.fits else (max(low, at), high)
        known.append((at, size))
        at = _next(known, budget * (1 - TOLERANCE / 2), low, high)
    if best is not None:
        return best
    assert smallest is not None
    return smallest


def _next(known: list[tuple[float, int]], goal: float, low: float, high: float) -> float:
    """Secant through the two nearest sizes, kept inside the bracket."""
    if len(known) < 2:
        at, size = known[-1]
        guess = at + 1.5 * float(np.log(size / goal))
    else:
        (a, size_a), (b, size_b) = sorted(known, key=lambda trial: abs(trial[1] - goal))[:2]
        if size_a == size_b:
            return 0.5 * (low + high)
        guess = a + (b - a) * float(np.log(size_a / goal) / np.log(size_a / size_b))
    # The bracket's ends are worth a trial only where the guess lies beyond them.
    margin = 0.02 * (high - low)
    inside = min(max(guess, low + margin), high - margin)
    return (
        low
        if guess <= low and not _tried(known, low)
        else high
        if guess >= high and not _tried(known, high)
        else inside
    )


def _tried(known: list[tuple[float, int]], at: float) -> bool:
    return any(abs(at - other) < 1e-9 for other, _ in known)
