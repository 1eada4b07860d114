"""What of a scene is worth encoding at all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.encoding.at_once import batches
from exgs.codec.encoding.neighbours import along_curve, nearest
from exgs.codec.encoding.survey import Survey
from exgs.codec.errors import EncodeError
from exgs.raster.crew import Crew
from exgs.scene import Gaussians
from exgs.scene.finite import finite_mask

LEAST_OPACITY_LOGIT = float(np.log((1 / 255) / (1 - 1 / 255)))
"""Below this nothing is drawn: alpha is cut at 1/255."""
FARTHEST = 1e9
"""Bound of coordinates, in units: beyond it single precision cannot weigh merges."""
LONELY = 8.0
"""A floater is this many times farther from its neighbours than nine in ten of the scene's Gaussians are."""
LONELY_SIZES = 4.0
"""It is farther from them than so many times its own largest scale, too."""
FAINT = 1e-4
"""Floaters' blending weights add up to at most this share of all pixels, over all views."""
_NEIGHBOURS = 4
"""The last of so many neighbours says how far they are."""
_FEWEST = 32
"""Of so few Gaussians none is told from the rest."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """The Gaussians worth encoding, and how many were not."""

    gaussians: Gaussians
    """Sound and visible Gaussians, in the order of the source."""
    unsound: int
    """Dropped: a value is not finite, the rotation is none, or a coordinate is beyond ``FARTHEST``."""
    invisible: int
    """Dropped: never drawn."""
    splats_in: int
    """Gaussians of the source."""
    sh_degree_in: int
    """Degree of the source's harmonics."""
    float_bytes: int
    """Size of the source as a float32 PLY of its own degree."""
    floaters: int = 0
    """Dropped: alone in space and next to invisible."""

    def without(self, floaters: np.ndarray) -> Prepared:
        """The scene without those of ``floaters`` [N] bool."""
        if not floaters.any():
            return self
        return replace(self, gaussians=self.gaussians.select(~floaters), floaters=int(floaters.sum()))


def prepare(gaussians: Gaussians) -> Prepared:
    """Drops what no rasteriser of this model draws.

    Raises:
        EncodeError: nothing is left.
    """
    masks = Crew().share(lambda a, b: _masks(gaussians.select(slice(a, b))), batches(len(gaussians)))
    sound, visible = (np.concatenate(parts) for parts in zip(*masks, strict=True))
    if not visible.any():
        raise EncodeError(_nothing_left(len(gaussians), int(sound.sum())))
    kept = gaussians if visible.all() else gaussians.select(visible)
    unsound = len(gaussians) - int(sound.sum())
    return Prepared(
        kept,
        unsound,
        len(gaussians) - unsound - len(kept),
        splats_in=len(gaussians),
        sh_degree_in=gaussians.sh_degree,
        float_bytes=gaussians.float_bytes,
    )


def _masks(gaussians: Gaussians) -> tuple[np.ndarray, np.ndarray]:
    """[N] bool: which are sound, and which of these are drawn."""
    sound = finite_mask(gaussians)
    sound[sound] = (np.abs(gaussians.means[sound]) <= FARTHEST).all(axis=1)
    return sound, sound & (np.where(sound, gaussians.opacity_logits, 0.0) >= LEAST_OPACITY_LOGIT)


def _nothing_left(count: int, sound: int) -> str:
    if not count:
        return "a scene without Gaussians: nothing to encode"
    if sound:
        return f"none of the scene's {count} Gaussians can be seen: nothing to encode"
    unsound = f"a value that is not finite, no rotation, or a place beyond {FARTHEST:g} units"
    return f"all {count} Gaussians have {unsound}"


def without_floaters(gaussians: Gaussians, views: Survey) -> np.ndarray:
    """[N] bool: all but the Gaussians that hang alone in space, as long as together they hardly show."""
    keep = np.ones(len(gaussians), bool)
    if len(gaussians) <= _FEWEST:
        return keep
    distance = _distances(gaussians.means)
    size = np.exp(gaussians.log_scales.max(axis=1))
    alone = distance > np.maximum(LONELY * np.percentile(distance, 90), LONELY_SIZES * size)
    pixels = np.prod(views.pictures.shape[:3])
    candidates = np.flatnonzero(alone)
    weight = views.weight_sum[candidates]
    order = np.argsort(weight, kind="stable")
    keep[candidates[order[np.cumsum(weight[order]) <= FAINT * pixels]]] = False
    return keep


def _distances(means: np.ndarray) -> np.ndarray:
    """[N] float32 distance of each mean to the last of its nearest neighbours."""
    order = along_curve(means)
    sorted_means = means[order]
    last = nearest(sorted_means, _NEIGHBOURS, Crew())[:, -1]
    distance = np.empty(len(means), np.float32)
    distance[order] = np.linalg.norm(sorted_means - sorted_means[last], axis=1)
    return distance
