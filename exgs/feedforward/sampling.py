"""Which views of a set are context, to reconstruct from, and which are targets between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sets import ViewSet
from exgs.feedforward.views import Views

HELD_BACK = 8
"""Every so-manyth view set of those given, counted from the last, is never trained on, unless it is alone."""
SHORTEST_WALK = 24
"""Views of the shortest walk that training takes: twice what it is judged by while it goes on."""


@dataclass(frozen=True)
class Example:
    """One draw from a view set."""

    context: tuple[int, ...]
    """Views to reconstruct from, in the order of going."""
    targets: tuple[int, ...]
    """Views between them, to be judged by."""


@dataclass(frozen=True)
class SampleSettings:
    """How examples are drawn."""

    few: tuple[int, int] = (2, 4)
    """Range of the number of context views of examples without compression."""
    many: tuple[int, int] = (8, 28)
    """The same of examples with it."""
    few_apart: tuple[int, int] = (4, 10)
    """Range of steps between neighbouring context views of the first kind."""
    many_apart: tuple[float, float] = (1.25, 4.5)
    """The same of the second."""
    jitter: float = 0.9
    """How unevenly context views lie, as a share of the way between two of them."""
    targets: tuple[int, int] = (1, 3)
    """Range of the number of targets."""


def draw_example(
    views: ViewSet, *, many: bool, settings: SampleSettings, rng: np.random.Generator
) -> Example:
    """A stretch of one walk: context views about evenly along it, targets where no context view is.

    At most half of a walk's views are context, so that there are targets between them.

    Raises:
        FeedforwardError: the walks are too short.
    """
    walks = np.unique(views.walk)
    on_walk = np.flatnonzero(views.walk == walks[rng.integers(len(walks))])
    least, most = settings.many if many else settings.few
    nearest, farthest = settings.many_apart if many else settings.few_apart
    count = int(rng.integers(least, min(most, max(least, len(on_walk) // 2)) + 1))
    if len(on_walk) < 2 * count:
        raise FeedforwardError(f"{views.scene}: walks of {len(on_walk)} views, expected {2 * count} or more")
    apart = min(rng.uniform(nearest, farthest), (len(on_walk) - 1) / (count - 1))
    length = round(apart * (count - 1))
    begin = int(rng.integers(len(on_walk) - length))
    stretch = on_walk[begin : begin + length + 1]
    context = uneven(count, length, settings.jitter, rng)
    return Example(
        tuple(stretch[context].tolist()),
        between(stretch, context, int(rng.integers(settings.targets[0], settings.targets[1] + 1)), rng),
    )


def check_walks(sets: Sequence[ViewSet]) -> None:
    """Whether every walk is long enough to train on.

    Raises:
        FeedforwardError: one is not.
    """
    for views in sets:
        shortest = int(np.unique(views.walk, return_counts=True)[1].min())
        if shortest < SHORTEST_WALK:
            raise FeedforwardError(
                f"{views.scene}: a walk of {shortest} views, expected {SHORTEST_WALK} or more of each; "
                "--walk and --views of 'exgs feedforward make-views' say how many"
            )


def uneven(count: int, length: int, jitter: float, rng: np.random.Generator) -> np.ndarray:
    """About ``count`` of the places 0 to ``length``, with both ends, as evenly as ``jitter`` says."""
    shifts = jitter * length / (count - 1) * rng.uniform(-0.5, 0.5, count)
    shifts[[0, -1]] = 0
    return np.unique(np.round(np.linspace(0, length, count) + shifts).astype(np.int64))


def between(
    stretch: np.ndarray, context: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[int, ...]:
    """At most ``count`` views of ``stretch`` [n] that are not at the places ``context``."""
    free = np.setdiff1d(np.arange(len(stretch)), context)
    chosen = np.sort(rng.permutation(free)[:count])
    return tuple(stretch[chosen].tolist())


def spaced(count: int, stretch: Sequence[int]) -> tuple[int, ...]:
    """``count`` of the views ``stretch``, evenly from its first to its last."""
    places = np.round(np.linspace(0, len(stretch) - 1, count)).astype(np.int64)
    return tuple(int(stretch[place]) for place in places)


def split(sets: Sequence[ViewSet]) -> tuple[list[ViewSet], list[ViewSet]]:
    """The view sets to train on, and those held back: whole scenes.

    Raises:
        FeedforwardError: there are none.
    """
    if not sets:
        raise FeedforwardError("there are no view sets to train on")
    if len(sets) < 2:
        return list(sets), list(sets)
    back = {number for number in range(len(sets)) if (len(sets) - 1 - number) % HELD_BACK == 0}
    return [s for n, s in enumerate(sets) if n not in back], [s for n, s in enumerate(sets) if n in back]


def as_views(views: ViewSet, indices: Sequence[int]) -> Views:
    """Those views of a set, as a reconstruction takes them."""
    chosen = list(indices)
    cameras = tuple(views.cameras[index] for index in chosen)
    return Views(views.pictures[chosen], cameras, views.near, views.far, views.frame)
