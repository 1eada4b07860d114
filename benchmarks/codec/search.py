"""Looks for the number of Gaussians whose file is as large as may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Made = TypeVar("Made")
CLOSE = 0.98
"""A file of so much of the budget is taken as it is."""
AIM = 0.99
"""Share of the budget that trials aim at."""
TRIALS = 3
"""Trials where one of them fits; looking goes on to MOST_TRIALS where none does."""
MOST_TRIALS = 8


@dataclass(frozen=True)
class Found(Generic[Made]):
    """The largest that fits."""

    made: Made
    count: int
    size: int
    trials: int


def fill_budget(
    make: Callable[[int], tuple[Made, int]], budget: int, most: int, splat_bytes: float
) -> Found[Made] | None:
    """Makes files of at most ``most`` Gaussians until one is just below ``budget`` bytes; None if none fits.

    ``make`` gives a file and its size; ``splat_bytes`` is a guess at the bytes of one Gaussian.
    """
    sizes: dict[int, int] = {}
    best: Found[Made] | None = None
    count = min(max(int(AIM * budget / splat_bytes), 1), most)
    while count not in sizes and len(sizes) < (MOST_TRIALS if best is None else TRIALS):
        made, size = make(count)
        sizes[count] = size
        if size <= budget and (best is None or size > best.size):
            best = Found(made, count, size, 0)
        if CLOSE * budget <= size <= budget or (count == most and size <= budget):
            break
        count = min(max(_next(sizes, budget), 1), most)
    return None if best is None else Found(best.made, best.count, best.size, len(sizes))


def _next(sizes: dict[int, int], budget: int) -> int:
    """Where the line through the two nearest sizes meets the aim, between what fits and what does not."""
    goal = AIM * budget
    near = sorted(sizes, key=lambda count: abs(sizes[count] - goal))[:2]
    count, size = near[0], sizes[near[0]]
    guess = count * goal / size
    if len(near) == 2 and (slope := (sizes[near[1]] - size) / (near[1] - count)) > 0:
        guess = count + (goal - size) / slope
    fits = max((count for count in sizes if sizes[count] <= budget), default=0)
    over = min((count for count in sizes if sizes[count] > budget), default=None)
    if over is None:
        return int(guess)
    return int(min(max(guess, fits + 0.1 * (over - fits)), over - 0.1 * (over - fits)))


STEPS = 1.02
"""Files that differ by less are alike."""


def next_match(known: list[tuple[int, float]], target: float) -> int | None:
    """How many bytes to try next for the smallest file of at least ``target`` dB; None where it is found.

    ``known`` are sizes and PSNRs of files; where none of them is good enough there is nothing to look for.
    """
    enough = [size for size, psnr in known if psnr >= target]
    if not enough:
        return None
    above = min(enough)
    below = max(((size, psnr) for size, psnr in known if size < above), default=None)
    if below is None:
        return above // 2
    if above / below[0] < STEPS:
        return None
    psnr = next(psnr for size, psnr in known if size == above)
    share = (target - below[1]) / (psnr - below[1])
    share = min(max(share, 0.1), 0.9)
    return round(below[0] * (above / below[0]) ** share)
