"""Fits the colours of simplified Gaussians to pictures of the source, geometry fixed.

With geometry and order fixed a picture is linear in the colours, so the best ones solve a sparse
least-squares problem. The unknowns are corrections to the merged colours, one per harmonic, in colour units;
each is held to zero by a ridge of ``RIDGE`` x the blending weight that the Gaussian has in the views, so
that what is hardly seen stays as merged. Conjugate gradients, preconditioned by the same weights, take
``steps`` steps; every eighth view is left out of the fit, and the step that shows those best is taken: the
refit never does worse there than no refit.
Source: Hestenes and Stiefel 1952 for conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from exgs.codec.encoding.at_once import each
from exgs.codec.encoding.survey import Survey
from exgs.raster import sh_basis, view_colors, view_directions
from exgs.raster.seam import Blending, Rasterizer
from exgs.scene import SH_C0, Gaussians

RIDGE = (0.03, 0.1)
"""Ridge per unit of blending weight: of the constant colour, of all further harmonics."""
HELD_OUT = 8
"""One view in so many is left out of the fit."""


def held_apart(count: int) -> tuple[list[int], list[int]]:
    """Which of ``count`` views are fitted to, and which are left out, to judge the fit by."""
    held_out = list(range(HELD_OUT - 1, count, HELD_OUT))
    return [view for view in range(count) if view not in held_out], held_out


class _Problem:
    """The normal equations over the views of a fit; unknowns are [N,B,3]."""

    def __init__(
        self,
        gaussians: Gaussians,
        views: Survey,
        rasterizer: Rasterizer,
        degree: int,
        kept: np.ndarray | None,
    ) -> None:
        self.gaussians, self.views, self.degree, self.rasterizer = gaussians, views, degree, rasterizer
        self.free: np.ndarray | None = None
        if kept is not None:
            constant = np.ones((len(kept), 1), np.float32)
            self.free = np.concatenate([constant, kept[:, : (degree + 1) ** 2 - 1]], axis=1)[:, :, None]
        count, bands = len(views.cameras), (degree + 1) ** 2
        self.fitted, self.held_out = held_apart(count)
        self.blendings: list[Blending] = [None] * count  # type: ignore[list-item]
        self.residual = np.empty_like(views.pictures)
        self.right = np.zeros((len(gaussians), bands, 3), np.float32)
        weight = np.zeros(len(gaussians), np.float32)
        for seen, pulled in each(rasterizer, self._look, range(count)):
            weight += seen
            self.right += pulled
        ridge = np.full(bands, RIDGE[1], np.float32)
        ridge[0] = RIDGE[0]
        self.weight = np.maximum(weight, 1e-3)[:, None, None]
        self.ridge = self.weight * ridge[None, :, None]

    def _look(self, view: int) -> tuple[np.ndarray, np.ndarray | np.float32]:
        """Blending weights [N] in ``view``, and what its picture lacks, gathered [N,B,3]; keeps both."""
        camera, picture = self.views.cameras[view], self.views.pictures[view]
        blending = self.blendings[view] = self.rasterizer.blending(self.gaussians, [camera])
        self.residual[view] = picture - blending.forward(0, view_colors(self.gaussians, camera))
        weight = blending.transpose(0, np.ones_like(picture))[:, 0]
        fitted = view not in self.held_out
        return weight, self.gather(view, self.residual[view]) if fitted else np.float32(0)

    def basis(self, view: int) -> np.ndarray:
        """[N,B] the harmonics towards ``view``; the constant one is 1."""
        directions = view_directions(self.gaussians.means, self.views.cameras[view])
        return sh_basis(directions, self.degree) / np.float32(SH_C0)

    def picture(self, view: int, unknowns: np.ndarray) -> np.ndarray:
        """[H,W,3] what corrections [N,B,3] change in a picture."""
        if self.degree == 0:
            return self.blendings[view].forward(0, unknowns[:, 0])
        return self.blendings[view].forward(0, np.einsum("nb,nbc->nc", self.basis(view), unknowns))

    def gather(self, view: int, picture: np.ndarray) -> np.ndarray:
        """[N,B,3] the transpose of ``picture``; 0 for what may not change."""
        pulled = self.blendings[view].transpose(0, picture)
        if self.degree == 0:
            return pulled[:, None, :]
        spread = self.basis(view)[:, :, None] * pulled[:, None, :]
        return spread if self.free is None else spread * self.free

    def apply(self, unknowns: np.ndarray) -> np.ndarray:
        """[N,B,3] the matrix of the normal equations times ``unknowns``."""
        total = self.ridge * unknowns
        for part in self._each(lambda view: self.gather(view, self.picture(view, unknowns)), self.fitted):
            total += part
        return total

    def held_out_error(self, unknowns: np.ndarray) -> float:
        """Squared error over the views that are left out, with corrections [N,B,3]."""

        def error(view: int) -> np.floating:
            return np.square(self.residual[view] - self.picture(view, unknowns)).sum()

        return float(sum(self._each(error, self.held_out)))

    def _each(self, look: Callable[[int], Any], views: list[int]) -> Iterator[Any]:
        return each(self.rasterizer, look, views)


def refit_colors(
    gaussians: Gaussians,
    views: Survey,
    rasterizer: Rasterizer,
    *,
    degree: int,
    steps: int = 5,
    kept: np.ndarray | None = None,
) -> Gaussians:
    """``gaussians`` with colours, and harmonics up to ``degree``, fitted to the pictures of ``views``.

    ``kept`` [N,K] bool tells which of the further harmonics may change; None that all may.
    """
    problem = _Problem(gaussians, views, rasterizer, degree, kept)
    best = np.zeros_like(problem.right)
    least = problem.held_out_error(best)
    for unknowns in _conjugate_gradients(problem, steps):
        error = problem.held_out_error(unknowns)
        if error < least:
            best, least = unknowns, error
    return _add(gaussians, best)


def _conjugate_gradients(problem: _Problem, steps: int) -> Iterator[np.ndarray]:
    """The iterates, from zero."""
    rest: np.ndarray = problem.right
    unknowns = np.zeros_like(rest)
    ahead = rest / problem.weight
    direction = ahead.copy()
    slope = float(np.vdot(rest, ahead))
    for _ in range(steps):
        if not slope > 0:
            return
        image = problem.apply(direction)
        length = slope / float(np.vdot(direction, image))
        unknowns = unknowns + np.float32(length) * direction
        yield unknowns
        rest = rest - np.float32(length) * image
        ahead = rest / problem.weight
        fresh = float(np.vdot(rest, ahead))
        direction = ahead + np.float32(fresh / slope) * direction
        slope = fresh


def _add(gaussians: Gaussians, corrections: np.ndarray) -> Gaussians:
    sh0 = gaussians.sh0 + corrections[:, :1] / np.float32(SH_C0)
    shN = gaussians.shN.copy()
    shN[:, : corrections.shape[1] - 1] += corrections[:, 1:] / np.float32(SH_C0)
    return replace(gaussians, sh0=sh0, shN=shN)
