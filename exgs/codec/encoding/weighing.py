"""How much of the pictures each splat of a pyramid is, by which the harmonics are worth their bits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.codec.encoding.at_once import each
from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.visibility import LEAST_WEIGHT, floor_of
from exgs.codec.writing.pyramid import Pyramid
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians


def weighed(pyramid: Pyramid, views: Survey, rasterizer: Rasterizer) -> Pyramid:
    """``pyramid`` with the blending weights of its splats in ``views``; a parent has its children's."""
    leaves = pyramid.leaves
    parts = [level.gaussians.select(mask) for level, mask in zip(pyramid.levels, leaves, strict=True)]
    finest = Gaussians.concatenate(parts)
    seen = np.zeros(len(finest))

    def weigh(view: int) -> np.ndarray | None:
        return rasterizer.render(finest, [views.cameras[view]], weights=True).weight_sum

    for weight in each(rasterizer, weigh, range(len(views.cameras))):
        seen += weight
    weights: list[np.ndarray] = []
    for number, mask in enumerate(leaves):
        own = np.zeros(len(mask))
        own[mask], seen = seen[: mask.sum()], seen[mask.sum() :]
        parents = pyramid.levels[number - 1].parents if number else None
        if parents is not None:
            own += np.bincount(parents, weights[-1], len(own))
        weights.append(own)
    least = floor_of(np.concatenate(weights), LEAST_WEIGHT, 1e-6)
    levels = [
        replace(level, weight=np.maximum(own, least).astype(np.float32))
        for level, own in zip(pyramid.levels, weights, strict=True)
    ]
    return replace(pyramid, levels=tuple(levels))
