"""Anchors: the few views that a reconstruction keeps, into which all others are gathered.

Which views are anchors is decided as published: farthest-point sampling of the camera centres, begun with the
view farthest from their barycentre; every other view supports its nearest anchor. How many there are is a
constant of the published method (6 in training), too few for a walk through a flat. Here that is the least,
and the number follows from the views themselves (``anchors_needed``): as many as see, finely and squarely
enough, nearly all that the views see together, if nothing hides anything. What something does hide is found
by trying, and views are added that see it (``coverage``).

Source: ZPressor, arXiv 2505.23734; the number of anchors is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.frusta import Points, points_behind, sees
from exgs.scene import Camera

COVERED = 0.95
"""Share of what all views see that the anchors must see."""
LEAST, MOST = 6, 24
"""Bounds of the number that is chosen here: with four, which see a short stretch as well, what lies between
comes out up to 2 dB worse than with the six that networks learn with, and memory must end."""
COLUMNS, ROWS = 6, 4
"""Pixels of each view behind which points are laid."""
TIE = 1e-9
"""Distances that differ by less, relative to the largest, are equal: rounding decides nothing."""


@dataclass(frozen=True)
class Anchors:
    """Which views go on, and which other views each of them gathers."""

    indices: tuple[int, ...]
    """Views that are anchors, in the order they were chosen."""
    supports: tuple[tuple[int, ...], ...]
    """Of each anchor, the views that joined it, nearest first; itself not among them."""

    def __len__(self) -> int:
        return len(self.indices)


def choose_anchors(centres: np.ndarray, count: int) -> Anchors:
    """``count`` anchors among views that stand at ``centres`` [V,3]; all views where there are no more.

    Among equals the lowest index comes first, so the same centres always give the same anchors. More anchors
    than distinct centres repeat places: those views may look elsewhere.

    Raises:
        FeedforwardError: there is no view, a centre is not finite, or ``count`` is below 1.
    """
    centres = np.asarray(centres, np.float64)
    if count < 1:
        raise FeedforwardError(f"{count} anchors: expected 1 or more")
    return gather(centres, farthest_first(centres, min(count, len(centres))))


def gather(centres: np.ndarray, indices: Sequence[int]) -> Anchors:
    """The views ``indices`` as anchors; each other one of those at ``centres`` [V,3] joins its nearest.

    Among equally near anchors the first one counts.
    """
    distances = np.linalg.norm(centres[:, None] - centres[list(indices)], axis=-1)
    least = distances.min(axis=1, keepdims=True)
    nearest = np.argmax(distances <= least + TIE * _extent(centres), axis=1)
    supports = tuple(_joined(distances[:, place], nearest == place, indices) for place in range(len(indices)))
    return Anchors(tuple(indices), supports)


def farthest_first(centres: np.ndarray, count: int) -> list[int]:
    """The first ``count`` of [V,3] centres, each the farthest from all before it; begun outermost.

    Raises:
        FeedforwardError: there is no centre, or one is not finite.
    """
    if centres.ndim != 2 or centres.shape[1] != 3 or len(centres) == 0 or not np.isfinite(centres).all():
        raise FeedforwardError(f"centres of shape {centres.shape}: expected finite [V,3] of one view or more")
    tie = TIE * _extent(centres)
    distances = np.linalg.norm(centres - centres.mean(axis=0), axis=1)
    chosen: list[int] = []
    free = np.ones(len(centres), bool)
    while len(chosen) < count:
        best = distances[free].max()
        index = int(np.argmax(free & (distances >= best - tie)))
        chosen.append(index)
        free[index] = False
        apart = np.linalg.norm(centres - centres[index], axis=1)
        distances = apart if len(chosen) == 1 else np.minimum(distances, apart)
    return chosen


def anchors_needed(cameras: Sequence[Camera], near: float, far: float) -> int:
    """How many anchors these views need: from ``LEAST`` to ``MOST``, and no more than there are views.

    Points are laid into each view's frustum, over its picture and between ``near`` and ``far`` along the
    view, evenly in inverse depth. An anchor sees a point that lies in its own frustum, from a similar side
    and not much more coarsely than the view it belongs to. Anchors are added in the order of
    ``choose_anchors`` until they see ``COVERED`` of all points. What hides what is not known here, so walls
    are seen through: where depth varies much, the number is rather too small than too large.

    Raises:
        FeedforwardError: there is no view, or not 0 < ``near`` < ``far``.
    """
    if not 0 < near < far < math.inf:
        raise FeedforwardError(f"near {near:g} and far {far:g}: expected 0 < near < far")
    centres = np.array([camera.position for camera in cameras]).reshape(-1, 3)
    most = min(MOST, len(centres))
    order, span = farthest_first(centres, most), (near, far)
    points = _frustum_points(cameras, span)
    unseen = np.ones(len(points), bool)
    for number, index in enumerate(order, start=1):
        left = np.flatnonzero(unseen)
        unseen[left[sees(cameras[index], points.select(left), span)]] = False
        if number >= LEAST and unseen.mean() <= 1 - COVERED:
            return number
    return most


def _extent(centres: np.ndarray) -> float:
    return float(np.abs(centres - centres[0]).max())


def _joined(distances: np.ndarray, mine: np.ndarray, anchors: Sequence[int]) -> tuple[int, ...]:
    """The views of an anchor, nearest first, without anchors."""
    order = np.argsort(distances, kind="stable")
    return tuple(int(index) for index in order if mine[index] and index not in anchors)


def _frustum_points(cameras: Sequence[Camera], span: tuple[float, float]) -> Points:
    """The points behind ``COLUMNS`` x ``ROWS`` pixels of each view, view by view."""
    rows, columns = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    x, y = (columns + 0.5) / COLUMNS, (rows + 0.5) / ROWS
    return Points.joined([points_behind(one, x * one.width, y * one.height, span) for one in cameras])
