"""Work shared out: several views at once, and many Gaussians in batches.

What of drawing a view takes a single thread is done beside the rest of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from exgs.raster.crew import Crew, ranges
from exgs.raster.seam import Rasterizer

MOST_AT_ONCE = 4
"""Views whose outcomes are held at a time."""
BATCH = 1 << 16
"""Gaussians that one thread works on at a time."""


def each(rasterizer: Rasterizer, look: Callable[[int], Any], views: Sequence[int]) -> Iterator[Any]:
    """``look(view)`` for each of ``views``, in their order; the next few are looked at meanwhile.

    Only the processor's rasteriser promises that any thread may call it at any time.
    """
    crew = Crew(None if rasterizer.name == "cpu" else 1)
    for first in range(0, len(views), MOST_AT_ONCE):
        yield from crew.share(look, [(view,) for view in views[first : first + MOST_AT_ONCE]])


def batches(count: int) -> list[tuple[int, int]]:
    """[0, ``count``) in ranges of at most ``BATCH``, the same ones on every machine."""
    return ranges(count, -(-count // BATCH))
