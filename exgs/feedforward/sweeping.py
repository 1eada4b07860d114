"""Scores of matches between views, over a ladder of inverse depths, with gradients.

On the processor compiled kernels do it; elsewhere torch's own sampling, which is also what the kernels are
tested against.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from exgs.feedforward.sweep_kernels import sweep, sweep_back
from exgs.raster.crew import Crew


@dataclass(frozen=True, eq=False)
class Sweep:
    """One view matched with another."""

    query: int
    """Row of the queries."""
    key: int
    """Row of the keys."""
    pose: np.ndarray
    """[3,4] as ``Rig.pose`` gives it."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What is matched with what."""

    sweeps: tuple[Sweep, ...]
    ladder: np.ndarray
    """[D] inverse depths as shares of the nearest."""
    limit: tuple[float, float]
    """Largest x and y in the grid that belong to a picture and not to its padding."""

    def rows(self, query: int) -> list[int]:
        """Which sweeps are of one row of the queries."""
        return [index for index, one in enumerate(self.sweeps) if one.query == query]


def scores(queries: Tensor, keys: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """[S,D,h,w] how near ``queries`` [A,C,h,w] come to ``keys`` [V,C,h,w], and whether they are seen.

    One row for each sweep of the ``plan``: negative squared distances from the keys in between positions.
    (Means of squared distances from the keys at the positions, which inner products would give, are least at
    whole positions wherever features change evenly.) What is not seen scores 0.
    """
    if queries.device.type == "cpu":
        return _Scores.apply(queries, keys, plan)
    return sampled_scores(queries, keys, plan)


def sampled_scores(queries: Tensor, keys: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
    """The same by sampling the keys, one sweep after the other."""
    found = [_sampled(queries[one.query], keys[one.key], one.pose, plan) for one in plan.sweeps]
    return torch.stack([score for score, _ in found]), torch.stack([seen for _, seen in found])


def project(pose: np.ndarray, inverse: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x, y and the ratio of depths, [D,h,w], in another grid, of positions at ``inverse`` depth [D,h,w]."""
    height, width = inverse.shape[1:]
    turn = torch.from_numpy(pose).float().to(inverse.device)
    y, x = torch.meshgrid(
        torch.arange(height, device=inverse.device), torch.arange(width, device=inverse.device), indexing="ij"
    )
    grid = torch.stack([x, y, torch.ones_like(x)], dim=-1).float()
    points = (grid @ turn[:, :3].T)[None] + inverse[..., None] * turn[:, 3]
    ratio = points[..., 2]
    ahead = ratio.clamp(min=1e-3)
    return points[..., 0] / ahead, points[..., 1] / ahead, ratio


def sample(picture: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """[C,D,h,w] values of ``picture`` [C,H,W] at positions ``x`` and ``y`` [D,h,w], clamped to its edges."""
    height, width = picture.shape[1:]
    depth, rows, columns = x.shape
    grid = torch.stack([2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1], dim=-1)
    grid = grid.reshape(1, depth * rows, columns, 2)
    found = F.grid_sample(picture[None], grid, padding_mode="border", align_corners=True)
    return found.reshape(len(picture), depth, rows, columns)


def inside(x: Tensor, y: Tensor, ratio: Tensor, limit: tuple[float, float]) -> Tensor:
    """Whether positions lie in the other picture, and ahead of its camera."""
    return (ratio > 1e-3) & (x >= -0.5) & (y >= -0.5) & (x <= limit[0]) & (y <= limit[1])


def _sampled(query: Tensor, key: Tensor, pose: np.ndarray, plan: Plan) -> tuple[Tensor, Tensor]:
    ladder = torch.from_numpy(np.asarray(plan.ladder, np.float32)).to(query.device)
    x, y, ratio = project(pose, ladder[:, None, None].expand(-1, *query.shape[1:]))
    seen = inside(x, y, ratio, plan.limit)
    found = (sample(key, x[d : d + 1], y[d : d + 1])[:, 0] for d in range(len(x)))
    score = torch.stack([-(query - one).square().sum(0) for one in found])
    return score * seen, seen


class _Scores(torch.autograd.Function):
    """The kernels, forwards and backwards."""

    @staticmethod
    def forward(context: Any, queries: Tensor, keys: Tensor, plan: Plan) -> tuple[Tensor, Tensor]:
        rows = [_rows(queries), _rows(keys)]
        _, _, height, width = queries.shape
        size = _size(plan, height, width)
        shape = (len(plan.sweeps), height * width, len(plan.ladder))
        found, seen = np.empty(shape, np.float32), np.empty(shape, np.bool_)
        ladder = np.asarray(plan.ladder, np.float32)
        crew, jobs = Crew(torch.get_num_threads()), []
        for index, one in enumerate(plan.sweeps):
            features = (rows[0][one.query], rows[1][one.key])
            pose, out = np.asarray(one.pose, np.float32), (found[index], seen[index])
            jobs += [(span, features, pose, ladder, size, out) for span in crew.parts(height * width)]
        crew.share(sweep, jobs)
        context.rows, context.plan, context.shape = rows, plan, (height, width)
        scores, seen_too = _planes(found, height, width), _planes(seen, height, width)
        context.mark_non_differentiable(seen_too)
        return scores, seen_too

    @staticmethod
    def backward(context: Any, slope: Tensor, _: Tensor) -> tuple[Tensor, Tensor, None]:
        rows, plan, (height, width) = context.rows, context.plan, context.shape
        slopes, size = _rows(slope), _size(plan, height, width)
        ladder = np.asarray(plan.ladder, np.float32)
        out = [np.zeros_like(part) for part in rows]
        for index, one in enumerate(plan.sweeps):
            features = (rows[0][one.query], rows[1][one.key])
            pose, into = np.asarray(one.pose, np.float32), (out[0][one.query], out[1][one.key])
            sweep_back(features, pose, ladder, size, slopes[index], into)
        return _planes(out[0], height, width), _planes(out[1], height, width), None


def _size(plan: Plan, height: int, width: int) -> tuple[int, int, np.float32, np.float32]:
    return width, height, np.float32(plan.limit[0]), np.float32(plan.limit[1])


def _rows(planes: Tensor) -> np.ndarray:
    """[B,h*w,C] of [B,C,h,w], the channels together."""
    return planes.detach().permute(0, 2, 3, 1).contiguous().flatten(1, 2).numpy()


def _planes(rows: np.ndarray, height: int, width: int) -> Tensor:
    """[B,C,h,w] of [B,h*w,C], without a copy."""
    return torch.from_numpy(rows).unflatten(1, (height, width)).permute(0, 3, 1, 2)
