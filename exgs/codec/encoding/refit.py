"""Fits the colours of simplified Gaussians to pictures of the source, geometry fixed.

The views are gone through in turn, a few at a time, and every Gaussian learns from each what its colours are
to be (``learning``). Some are left out, and the outcome is taken only if it shows those better: the refit
never does worse there than no refit.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.codec.encoding.at_once import MOST_AT_ONCE, each
from exgs.codec.encoding.learning import learn
from exgs.codec.encoding.left_out import groups_of, held_apart, miss, squared_error
from exgs.codec.encoding.survey import Survey
from exgs.raster.crew import Crew
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians

PRIOR = (0.01, 0.02)
"""Weight by which colours are known at first, in parts of the mean that a Gaussian has in all views together:
of the constant colour, of all further harmonics."""
LEAST_DRAWS = 48
"""Pictures drawn at least: of fewer views some are gone through again."""


def refit_colors(
    gaussians: Gaussians,
    views: Survey,
    rasterizer: Rasterizer,
    *,
    degree: int,
    kept: np.ndarray | None = None,
    turns: int = 1,
) -> Gaussians:
    """``gaussians`` with colours, and harmonics up to ``degree``, fitted to the pictures of ``views``.

    ``kept`` [N,K] bool tells which of the further harmonics may change; None that all may. The
    views are gone through ``turns`` times.
    """
    fitted, held_out = held_apart(len(views.cameras))
    if not held_out:
        return gaussians
    known = _known(len(gaussians), views, degree, kept)
    found = replace(gaussians, sh0=gaussians.sh0.copy(), shN=gaussians.shN.copy())
    draws = max(turns * len(fitted), LEAST_DRAWS)
    for group in groups_of(fitted, draws, MOST_AT_ONCE):
        _learn(found, views, rasterizer, group, known)
    before, after = (squared_error(one, views, rasterizer, held_out) for one in (gaussians, found))
    return found if after < before else gaussians


def _known(count: int, views: Survey, degree: int, kept: np.ndarray | None) -> np.ndarray:
    """[N,B] float32 weight by which each harmonic is known before any view; infinite where it stays."""
    mean = np.prod(views.pictures.shape[:3]) / count
    known = np.full((count, (degree + 1) ** 2), PRIOR[1] * mean, np.float32)
    known[:, 0] = PRIOR[0] * mean
    if kept is not None:
        known[:, 1:][~kept[:, : known.shape[1] - 1]] = np.inf
    return known


def _learn(
    gaussians: Gaussians, views: Survey, rasterizer: Rasterizer, group: list[int], known: np.ndarray
) -> None:
    """Lets ``gaussians``, which are written to, learn from a ``group`` of the views."""
    count = len(gaussians)
    weights, lacks = np.empty((len(group), count), np.float32), np.empty((len(group), count, 3), np.float32)

    def look(number: int) -> None:
        camera, target = views.cameras[group[number]], views.pictures[group[number]]
        lacking = rasterizer.share_out(gaussians, camera, lambda picture: -miss(picture, target))
        lacks[number], weights[number] = lacking

    for _ in each(rasterizer, look, range(len(group))):
        pass
    eyes = np.array([views.cameras[view].position for view in group], np.float32)
    crew, colors = Crew(), (gaussians.means, gaussians.sh0, gaussians.shN)
    crew.share(learn, [(a, b, (weights, lacks), eyes, known, colors) for a, b in crew.parts(count)])
