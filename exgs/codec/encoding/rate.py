"""Rate control: the finest precision with which a pyramid fits its budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.writing.precision import Precision
from exgs.codec.writing.pyramid import Pyramid
from exgs.codec.writing.serializer import Serialized, serialize_measured
from exgs.raster.crew import Crew

BALANCED = replace(Precision().scaled(0.65), thrift=0.1)
"""Steps and thrift at which, in most scenes, a byte buys as much in precision as in more Gaussians."""
TOLERANCE = 0.007
"""A file of at least (1 - TOLERANCE) x budget is taken as it is, unless told otherwise."""
MOST_TRIALS = 9
"""Serialisations at most."""
FINEST, COARSEST = 1 / 16, 2.5
"""Bounds of the factor on steps."""
SLOPES = (0.33, 1.5)
"""Bounds of how fast the logarithm of a size falls with that of the factor: small steps of it tell
little. The lower one, which most scenes are near, is the first guess, and halved with every further trial."""
INSIDE, LEAST_MOVE = 0.1, 0.02
"""Shares of the bracket that a trial keeps from its ends: of both once both are tried, else of the one."""
JUMP = 0.005
"""Where ends of the bracket so near, one within the budget and one beyond, are both no good, sizes jump
between them, by a bit of the lattice or a table, and looking on finds nothing."""
LEAST_SPLAT_BYTES = 3.0
"""No Gaussian is coded in fewer bytes: what a budget can hold at most."""
COUNT_POWER = 0.97
"""Power of the room by which counts shrink: most of the way, then bytes are looked at again, for what lies
farther apart takes more bits each."""


@dataclass(frozen=True, eq=False)
class Fit:
    """The best that fits, or, where nothing does, the smallest there is."""

    file: Serialized
    """Bytes and their sections."""
    factor: float
    """Factor on the steps that were given."""
    fits: bool
    """Whether the file is within the budget."""


def fewer(count: int, room: float) -> int:
    """How many of ``count`` Gaussians to try next, where a part ``room`` of their bytes is allowed."""
    return max(1, min(count - 1, int(count * room**COUNT_POWER)))


def fit_precision(
    pyramid: Pyramid,
    budget_bytes: int,
    precision: Precision = BALANCED,
    *,
    start: float = 1.0,
    finest: float = FINEST,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Serialises ``pyramid`` within ``budget_bytes``, as near to them as a few trials bring.

    All steps of ``precision`` are scaled by one factor; ``start`` is the first tried. A file of at least
    1 - ``tolerance`` of the budget is taken as it is.
    """
    spread = Crew().share

    def write(factor: float) -> Serialized:
        return serialize_measured(pyramid, precision.scaled(factor), spread)

    return search(write, budget_bytes, start, finest, tolerance)


def search(
    write: Callable[[float], Serialized],
    budget_bytes: int,
    start: float,
    finest: float = FINEST,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Looks for the smallest factor with which ``write`` stays within ``budget_bytes``."""
    low, high = float(np.log(finest)), float(np.log(COARSEST))
    known: list[tuple[float, int]] = []
    best: Fit | None = None
    smallest: Fit | None = None
    at = min(max(float(np.log(start)), low), high)
    for _ in range(MOST_TRIALS):
        file = write(float(np.exp(at)))
        size = len(file.data)
        fit = Fit(file, float(np.exp(at)), size <= budget_bytes)
        if smallest is None or size < len(smallest.file.data):
            smallest = fit
        if fit.fits and (best is None or size > len(best.file.data)):
            best = fit
        if fit.fits and (size >= budget_bytes * (1 - tolerance) or at <= low):
            break
        if not fit.fits and at >= high:
            break
        low, high = (low, min(high, at)) if fit.fits else (max(low, at), high)
        known.append((at, size))
        if high - low < JUMP and {low, high} <= {tried for tried, _ in known}:
            break
        at = _next(known, budget_bytes * (1 - tolerance / 2), low, high)
    if best is not None:
        return best
    assert smallest is not None
    return smallest


def _next(known: list[tuple[float, int]], goal: float, low: float, high: float) -> float:
    """Between the ends of the bracket by their sizes; along the slope of sizes where one end is not tried."""
    tried = dict(known)
    if low in tried and high in tried:
        share = float(np.log(tried[low] / goal) / np.log(tried[low] / tried[high]))
        return low + (high - low) * min(max(share, INSIDE), 1 - INSIDE)
    least, most = SLOPES[0] / 2.0 ** (len(known) - 1), SLOPES[1]
    slope = SLOPES[0]
    ends = sorted(known, key=lambda trial: abs(trial[1] - goal))[:2]
    if len(ends) == 2:
        (a, size_a), (b, size_b) = ends
        slope = min(max(float(np.log(size_a / size_b)) / (b - a), least), most)
    guess = ends[0][0] + float(np.log(ends[0][1] / goal)) / slope
    margin = LEAST_MOVE * (high - low)
    if low in tried:
        return high if guess >= high else max(guess, low + margin)
    return low if guess <= low else min(guess, high - margin)
