"""What it gains to refine each Gaussian of a tree: the error of the pictures in which it shows.

The squared error of a pixel is shared out among the Gaussians that blend into it, by their weights. What the
views do not see is judged by the closed form of the merges, which also steadies what they hardly see.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.encoding.at_once import each
from exgs.codec.encoding.simplify import Tree
from exgs.codec.encoding.survey import Survey
from exgs.raster import Rasterizer, blamed_error
from exgs.scene import Gaussians

CLOSED_SHARE = 0.1
"""Weight of the closed form beside the error seen, the sums of both being equal."""


def errors_to_blame(gaussians: Gaussians, views: Survey, rasterizer: Rasterizer) -> np.ndarray:
    """[N] float64 squared error of the pictures of ``gaussians``, shared out by blending weight."""

    def blame(view: int) -> np.ndarray:
        return blamed_error(gaussians, views.cameras[view], views.pictures[view], rasterizer)

    total = np.zeros(len(gaussians))
    for share in each(rasterizer, blame, range(len(views.cameras))):
        total += share
    return total


def importance(tree: Tree, seen: np.ndarray) -> np.ndarray:
    """[N] float64 error that each Gaussian removes in place of its parent, all children alike.

    ``seen`` [N] is the error for which the pictures blame each Gaussian that has children. What is finer
    never counts for more than its parent, so that the tree can be sent in the order of importance.
    """
    children = np.flatnonzero(tree.parents >= 0)
    parents = tree.parents[children]
    count = len(tree.parents)
    family = np.bincount(parents, minlength=count)
    closed = np.maximum(tree.error - np.bincount(parents, tree.error[children], count), 0.0)
    closed[family == 0] = 0.0
    scale = seen[family > 0].sum() / max(closed.sum(), 1e-30)
    worth = (seen + CLOSED_SHARE * scale * closed) / np.maximum(family, 1)
    result = np.full(count, np.inf)
    for picture in range(tree.pictures - 1, -1, -1):
        here = children[tree.born[children] == picture]
        result[here] = np.minimum(worth[tree.parents[here]], result[tree.parents[here]])
    most = result[children].max(initial=0.0)
    return np.where(np.isfinite(result), result, most)
