"""From depths at a quarter of a view's size to a Gaussian for every second pixel of each row and column.

A head begins with what is known without learning: depth follows the colours' edges, the colour is the
pixel's own, the size what the pixel covers, and opacity what matching and the other views say. Of all that
the network learns differences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.feedforward.cameras import Rig, tensor
from exgs.feedforward.cloud import Cloud
from exgs.feedforward.encoder import Block
from exgs.feedforward.matching import GRID, Depths
from exgs.feedforward.sweeping import inside, project, sample
from exgs.scene import SH_C0

HALF = 2
"""Pixels along each side of what one Gaussian stands for."""
CHECKS = 4
"""What other views say of a depth: they agree, it hides what they see, it is hidden from them, they look."""
WITNESSES = 3
"""Other views that are asked about a depth."""
_VALUES = {"inverse": 1, "offset": 2, "opacity": 1, "scales": 3, "turn": 4, "colour": 3, "harmonics": 9}
_SUBS = (GRID // HALF) ** 2
_MIXED = 9 * _SUBS
_FOOTPRINTS = 0.55
"""Standard deviation of a fresh Gaussian, as a multiple of its footprint."""
_OPAQUE = (2.0, 2.0, 4.0)
"""A fresh opacity's logit: constant, per confidence, less where it hides what other views see."""
_EDGE = 150.0
"""How strongly depth follows colour: per squared difference of colours."""


def cross_check(rig: Rig, views: Sequence[int], inverse: Tensor, steps: int, rows: Sequence[int]) -> Tensor:
    """[R,CHECKS,h,w] what the other ``views`` say about the inverse depths [A,1,h,w] of R ``rows``."""
    limit = (rig.size[0] / GRID - 0.5, rig.size[1] / GRID - 0.5)
    found = [_witnessed(rig, views, inverse.detach(), row, limit) for row in rows]
    step = (1 - rig.near / rig.far) / steps
    checks = []
    for ahead, seen in found:
        amount, count = (ahead / step).clamp(-4, 4), seen.sum(0).clamp(min=1)
        parts = [torch.exp(-amount.square()), amount.clamp(min=0) / 4, (-amount).clamp(min=0) / 4]
        checks.append(torch.stack([(part * seen).sum(0) / count for part in parts] + [seen.float().mean(0)]))
    return torch.stack(checks)


def _witnessed(
    rig: Rig, views: Sequence[int], inverse: Tensor, row: int, limit: tuple[float, float]
) -> tuple[Tensor, Tensor]:
    """[W,h,w] how far each witness's surface lies behind the depths of ``row``, and if it looks there."""
    others = rig.neighbours(views[row], views, WITNESSES)
    if not others:
        empty = inverse.new_zeros((1, *inverse.shape[2:]))
        return empty, empty > 0
    ahead, seen = [], []
    for other in others:
        x, y, ratio = project(rig.pose(views[row], other, GRID), inverse[row])
        theirs = sample(inverse[views.index(other)], x, y)[0, 0]
        ahead.append(inverse[row, 0] / ratio[0].clamp(min=1e-3) - theirs)
        seen.append(inside(x[0], y[0], ratio[0], limit))
    return torch.stack(ahead), torch.stack(seen)


class Heads(nn.Module):
    """Features, picture and checks to Gaussians."""

    def __init__(self, features: int, width: int, blocks: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(features + 3 * GRID**2 + 4 + CHECKS, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.leave = nn.Conv2d(width, _MIXED + _SUBS * sum(_VALUES.values()), 1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, pictures: Tensor, depths: Depths, checks: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """[A,1,h,w] inverse depth at half the size of ``pictures`` [A,3,H,W], and the other values there."""
        blocks = F.pixel_unshuffle(2 * pictures - 1, GRID)
        parts = [depths.features, blocks, depths.inverse, depths.confidence, depths.matches, checks]
        known = torch.cat(parts, dim=1)
        x = self.enter(known.contiguous(memory_format=torch.channels_last))
        found = self.leave(F.leaky_relu(self.blocks(x), 0.1))
        mixed, rest = found[:, :_MIXED], found[:, _MIXED:]
        values = F.pixel_shuffle(rest, GRID // HALF)
        named = dict(zip(_VALUES, values.split(list(_VALUES.values()), dim=1), strict=True))
        step = 1 / depths.log_chances.shape[1]
        inverse = finer(depths.inverse, pictures, mixed) + step * torch.tanh(named["inverse"])
        constant, sure, hiding = _OPAQUE
        prior = constant + sure * (depths.confidence - 0.5) * 2 - hiding * checks[:, 1:2]
        named["opacity"] = named["opacity"] + F.interpolate(prior, scale_factor=2.0, mode="nearest")
        named["colour"] = named["colour"] * 0.25 + (F.avg_pool2d(pictures, HALF) - 0.5) / SH_C0
        return inverse, named


def finer(coarse: Tensor, pictures: Tensor, mixed: Tensor) -> Tensor:
    """[A,1,2h,2w] of ``coarse`` [A,1,h,w]: a mean over the 3 x 3 positions around, of like colour first.

    ``mixed`` [A,36,h,w] are changes of the logits of its weights.
    """
    count, _, height, width = coarse.shape
    half = F.pixel_unshuffle(F.avg_pool2d(pictures, HALF), 2).unflatten(1, (3, 1, _SUBS))
    around = _around(F.avg_pool2d(pictures, GRID)).unflatten(1, (3, 9, 1))
    unlike = (half - around).square().sum(1)
    logits = mixed.unflatten(1, (9, _SUBS)) - _EDGE * unlike - _distances(coarse)
    weights = logits.softmax(1)
    found = (weights * _around(coarse).unflatten(1, (9, 1))).sum(1)
    return F.pixel_shuffle(found.reshape(count, _SUBS, height, width), 2)


def _around(x: Tensor) -> Tensor:
    """[A,C*9,h,w] the 3 x 3 positions around each of ``x`` [A,C,h,w]."""
    padded = F.pad(x, (1, 1, 1, 1), mode="replicate")
    height, width = x.shape[2:]
    shifts = [padded[:, :, i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return torch.stack(shifts, dim=2).flatten(1, 2)


def _distances(like: Tensor) -> Tensor:
    """[9,4,1,1] squared distances between the 3 x 3 positions around one and its four quarters."""
    near, quarters = np.arange(-1, 2), np.array([-0.25, 0.25])
    y, x = np.meshgrid(near, near, indexing="ij")
    v, u = np.meshgrid(quarters, quarters, indexing="ij")
    squares = (y.reshape(9, 1) - v.reshape(1, 4)) ** 2 + (x.reshape(9, 1) - u.reshape(1, 4)) ** 2
    return 2 * tensor(squares, like)[..., None, None]


def to_cloud(
    rig: Rig, views: Sequence[int], inverse: Tensor, values: dict[str, Tensor], depths: Depths
) -> Cloud:
    """The Gaussians of ``inverse`` [A,1,h,w] and ``values`` at half the size, without the padding's."""
    width, height = (-(-side // HALF) for side in rig.size)
    least = 0.5 * rig.near / rig.far
    depth = rig.near / inverse[:, 0, :height, :width].clamp(least, 2.0)
    rows = {name: value[:, :, :height, :width].permute(0, 2, 3, 1) for name, value in values.items()}
    parts = [
        _placed(rig, view, depth[row], {k: v[row] for k, v in rows.items()}) for row, view in enumerate(views)
    ]
    means, quats, log_scales, harmonics = (torch.cat(column) for column in zip(*parts, strict=True))
    steps = depths.log_chances.shape[1]
    return Cloud(
        means=means,
        quats=quats,
        log_scales=log_scales,
        opacity_logits=rows["opacity"].reshape(-1),
        sh0=rows["colour"].reshape(-1, 1, 3),
        shN=harmonics,
        origin=rig.origin,
        views=tuple(views),
        depth=depth,
        confidence=F.interpolate(depths.confidence, scale_factor=2.0)[:, 0, :height, :width],
        log_chances=depths.log_chances,
        ladder=tensor(rig.ladder(steps) / rig.near, inverse),
    )


def _placed(rig: Rig, view: int, depth: Tensor, values: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """Means, rotations, log scales and harmonics of one view's Gaussians, from its frame into the world's."""
    from_world, (fx, fy, _, _) = rig.from_world[view], rig.lenses[view]
    turn, focal = tensor(from_world[:3, :3].T, depth), math.sqrt(fx * fy)
    place = tensor(-from_world[:3, :3].T @ from_world[:3, 3], depth)
    slopes = rig.slopes(view, HALF, (depth.shape[0], depth.shape[1])).to(depth.device)
    aside = torch.tanh(values["offset"]) * (HALF / focal)
    points = (slopes + F.pad(aside, (0, 1))) * depth[..., None]
    means = points.flatten(0, 1) @ turn.T + place
    footprint = torch.log(depth * (HALF * _FOOTPRINTS / focal))[..., None]
    log_scales = (footprint + 1.5 * torch.tanh(values["scales"])).flatten(0, 1)
    upright = tensor(np.array([1.0, 0, 0, 0]), depth)
    quats = turned(_quaternion(turn), F.normalize(upright + values["turn"].flatten(0, 1), dim=1))
    return means, quats, log_scales, _harmonics(0.1 * values["harmonics"].flatten(0, 1), turn)


def _harmonics(vectors: Tensor, turn: Tensor) -> Tensor:
    """[N,3,3] coefficients of degree 1, in the world, of how colours [N,9] grow along a camera's axes.

    The basis is (-y, z, -x): a colour's vector v has the coefficients (-v_y, v_z, -v_x).
    """
    x, y, z = torch.einsum("ij,njc->inc", turn, vectors.unflatten(1, (3, 3)))
    return torch.stack([-y, z, -x], dim=1)


def _quaternion(turn: Tensor) -> Tensor:
    """[4] wxyz of a rotation matrix [3,3]."""
    return tensor(Rotation.from_matrix(turn.cpu().double().numpy()).as_quat()[[3, 0, 1, 2]], turn)


def turned(first: Tensor, quats: Tensor) -> Tensor:
    """[N,4] the products of ``first`` [4] with each of ``quats`` [N,4]."""
    w, v = first[0], first[1:]
    a, u = quats[:, :1], quats[:, 1:]
    scalar = w * a - (u @ v)[:, None]
    return torch.cat([scalar, w * u + a * v + torch.linalg.cross(v.expand_as(u), u, dim=1)], dim=1)
