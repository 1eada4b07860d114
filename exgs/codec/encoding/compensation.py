"""Colours that make up for what quantising has done to everything else.

A coded splat stands a little beside where it was fitted, a little larger or more opaque. Its neighbours hide
part of that once their colours know of it: the colours are fitted again, with the geometry as a decoder will
have it, and coded once more in its place. Harmonics that were left out stay out: the others, and the constant
colours, are fitted to do without them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.codec.decoder import Decoder
from exgs.codec.encoding.refit import refit_colors
from exgs.codec.encoding.survey import Survey
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.serializer import Serialized
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians

TURNS = (1, 2)
"""Times that the views are gone through: for constant colours alone, and with further harmonics."""
_CHANNELS = np.array([[0.25, 0.5, 0.25], [0.5, 0.0, -0.5], [-0.25, 0.5, -0.25]])
"""Luma, chroma o and chroma g of red, green and blue."""
_NOTHING = 1e-6
"""Below any step."""


def compensate(pyramid: Pyramid, file: Serialized, views: Survey, rasterizer: Rasterizer) -> Pyramid:
    """``pyramid`` with the colours of its finest picture fitted to the geometry that ``file`` holds.

    ``file`` is what ``pyramid`` became; the colours of coarser splats stay.
    """
    coded = _decoded(pyramid, file)
    leaves = pyramid.leaves
    shown = [
        _with_colors(other.select(mask), level.gaussians.select(mask))
        for level, other, mask in zip(pyramid.levels, coded, leaves, strict=True)
    ]
    finest, kept = Gaussians.concatenate(shown), None
    if finest.sh_degree:
        coded_shN = [other.shN[mask] for other, mask in zip(coded, leaves, strict=True)]
        shN, kept = _left(finest.shN, np.concatenate(coded_shN))
        finest = replace(finest, shN=shN)
    degree, turns = finest.sh_degree, TURNS[finest.sh_degree > 0]
    fitted = refit_colors(finest, views, rasterizer, degree=degree, kept=kept, turns=turns)
    edges = np.cumsum([0, *(len(part) for part in shown)])
    levels = tuple(
        _recolored(level, mask, fitted.select(slice(edges[number], edges[number + 1])))
        for number, (level, mask) in enumerate(zip(pyramid.levels, leaves, strict=True))
    )
    return replace(pyramid, levels=levels)


def _left(shN: np.ndarray, coded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``shN`` [N,K,3] without lumas and chromas that ``coded`` lacks, and where [N,K] any is left."""
    kept = np.abs(coded.reshape(-1, 3) @ _CHANNELS.T) > _NOTHING
    left = (shN.reshape(-1, 3) @ _CHANNELS.T * kept) @ np.linalg.inv(_CHANNELS).T
    return left.astype(np.float32).reshape(shN.shape), kept.any(axis=1).reshape(shN.shape[:2])


def _decoded(pyramid: Pyramid, file: Serialized) -> list[Gaussians]:
    """The levels as a decoder has them, in the order of ``pyramid``."""
    chunks = Decoder().feed(file.data)
    coded = []
    for number, level in enumerate(pyramid.levels):
        parts = [chunk.gaussians for chunk in chunks if chunk.info.level == number]
        index = np.concatenate([index for at, index in file.places if at == number])
        place = np.empty(len(level.gaussians), np.int64)
        place[index] = np.arange(len(index))
        coded.append(Gaussians.concatenate(parts).select(place))
    return coded


def _with_colors(geometry: Gaussians, colors: Gaussians) -> Gaussians:
    return replace(geometry, sh0=colors.sh0, shN=colors.shN)


def _recolored(level: Level, mask: np.ndarray, fitted: Gaussians) -> Level:
    sh0, shN = level.gaussians.sh0.copy(), level.gaussians.shN.copy()
    sh0[mask], shN[mask] = fitted.sh0, fitted.shN
    return replace(level, gaussians=replace(level.gaussians, sh0=sh0, shN=shN))
