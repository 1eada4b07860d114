"""Coverage: how much of what the views saw a reconstruction shows, and which views should go on for the rest.

What hides what is known only once depths are: so Gaussians are drawn as every view saw them, small. Where
hardly anything is drawn but the picture shows something, they cover nothing. Single pixels along edges do not
count, patches do. Nor does what an anchor misses in its own picture: the network left that out, and more
anchors would bring no more of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from exgs.feedforward.anchors import MOST
from exgs.feedforward.frusta import Points, points_behind, sees
from exgs.feedforward.views import Views, fit
from exgs.raster import Rasterizer
from exgs.scene import Gaussians
from exgs.scene.spread import evenly

SMALL_PIXELS = 224 * 128
"""Of a picture as coverage is looked at: those that the network learnt from."""
PATCH = 8
"""Pixels along each side of a patch of such a picture."""
OPAQUE = 0.5
"""Alpha below which nothing is drawn at a pixel; a patch is missing where half of its pixels are."""
BLACK = 16
"""Pixels of which no channel reaches this (0 to 255) may stay empty: black is what is drawn there anyway."""
SPARED = 0.02
"""Share of a view that may be missing beyond what anchors miss of their own pictures."""
GROWTH = 0.5
"""How many anchors are added at a time at most, as a share of those there are."""
LEFT = 0.1
"""Share of what is missing that may be left when anchors are added: the next look tells what became of it."""
MOST_PATCHES = 2048
"""Missing patches that are regarded then, evenly taken of all, so that time ends with many views."""


@dataclass(frozen=True, eq=False)
class Coverage:
    """Which patches of the views a reconstruction leaves empty."""

    missing: np.ndarray
    """[V,rows,columns] bool; pictures whose sides are no multiples of ``PATCH`` are continued to it."""

    @property
    def shares(self) -> np.ndarray:
        """[V] share of each view that is missing, 0 to 1."""
        return np.asarray(self.missing.mean(axis=(1, 2)))

    def short(self, anchors: Sequence[int] | None) -> list[int]:
        """The views that miss more than the views ``anchors`` themselves do, by more than ``SPARED``.

        ``anchors`` None stands for all views: each went on, and so no view is short.
        """
        if anchors is None:
            return []
        shares = self.shares
        limit = shares[list(anchors)].mean() + SPARED
        return [view for view in np.flatnonzero(shares > limit).tolist() if view not in anchors]

    def shortage(self, anchors: Sequence[int] | None) -> str:
        """How many views are ``short``, in words; empty where none is."""
        short = len(self.short(anchors))
        told = f"{short} of {len(self.missing)} views show what no anchor saw and stay empty there"
        return told if short else ""

    def summary(self, names: Sequence[str]) -> str:
        """How much of the pictures is shown, in words: of all, and of the view that is worst off.

        ``names`` are those of the views; one without is called by its number.
        """
        shares = self.shares
        worst = int(shares.argmax())
        alone = f", {1 - shares[worst]:.1%} of {names[worst] or worst}" if shares[worst] else ""
        return f"{1 - shares.mean():.1%} of what the pictures show{alone}"


def shrunk(views: Views) -> Views:
    """``views`` as coverage is looked at, with ``SMALL_PIXELS`` at most; they themselves where they are."""
    return views.resized(*_small(views))


def measure_coverage(gaussians: Gaussians, views: Views, *, rasterizer: Rasterizer) -> Coverage:
    """What ``gaussians`` show of each of the ``views``, one after the other."""
    size, found = _small(views), []
    for picture, camera in zip(views.pictures, views.cameras, strict=True):
        if size != views.size:
            picture, camera = fit(Image.fromarray(picture), camera, *size)
        alpha = rasterizer.render(gaussians, [camera]).alpha[0]
        found.append(_patches((alpha < OPAQUE) & (picture.max(axis=2) >= BLACK)))
    return Coverage(np.stack(found))


def more_anchors(coverage: Coverage, views: Views, anchors: Sequence[int]) -> list[int]:
    """Views that should go on besides ``anchors``, so that no view stays short; none where none is.

    ``views`` are as ``shrunk`` gives them. Each view that is added sees most of what is missing and none
    before it sees. How deep that lies is not known, so some depths between near and far count alike. Among
    equals the lowest index comes first.
    """
    short, room = coverage.short(anchors), min(MOST, len(views)) - len(anchors)
    if not short or room <= 0:
        return []
    free = [view for view in range(len(views)) if view not in anchors]
    points, span = _missing_points(coverage, views, short), (views.near, views.far)
    seen = np.stack([sees(views.cameras[view], points, span) for view in free])
    left = np.ones(len(points), bool)
    found: list[int] = []
    while len(found) < min(room, max(1, round(GROWTH * len(anchors)))) and left.mean() > LEFT:
        best = int(np.argmax((seen & left).sum(axis=1)))
        found.append(free[best])
        left &= ~seen[best]
    return found


def _small(views: Views) -> tuple[int, int]:
    width, height = views.size
    scale = min(math.sqrt(SMALL_PIXELS / (width * height)), 1.0)
    return max(round(scale * width), 1), max(round(scale * height), 1)


def _patches(empty: np.ndarray) -> np.ndarray:
    """[rows,columns] bool which patches of a picture are ``empty`` [H,W] in half of their pixels."""
    whole = np.pad(empty, [(0, -side % PATCH) for side in empty.shape], mode="edge")
    rows, columns = (side // PATCH for side in whole.shape)
    return np.asarray(whole.reshape(rows, PATCH, columns, PATCH).mean(axis=(1, 3)) >= 0.5)


def _missing_points(coverage: Coverage, views: Views, short: Sequence[int]) -> Points:
    """Points behind the missing patches of the views ``short``."""
    view, row, column = np.nonzero(coverage.missing[list(short)])
    kept = evenly(len(view), MOST_PATCHES)
    view, row, column = view[kept], row[kept], column[kept]
    width, height = views.size
    x, y = np.minimum((column + 0.5) * PATCH, width - 0.5), np.minimum((row + 0.5) * PATCH, height - 0.5)
    parts = [
        points_behind(views.cameras[index], x[view == place], y[view == place], (views.near, views.far))
        for place, index in enumerate(short)
    ]
    return Points.joined(parts)
