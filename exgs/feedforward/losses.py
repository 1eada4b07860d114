"""What training minimises: errors of pictures drawn from new places, and of depths, which our sets know."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from exgs.feedforward.cloud import Cloud

SSIM_SCALES = 3
"""SSIM is the mean over the picture and its halves."""
EDGE = 0.06
"""Relative difference of inverse depths that is no longer one surface."""
LARGEST = 0.3
"""Errors of depth, as shares of the range, beyond which more counts no more."""
_WINDOW, _C1, _C2 = 7, 0.01**2, 0.03**2


@dataclass(frozen=True)
class LossWeights:
    """What each error counts."""

    squared: float = 10.0
    """Mean squared error of pictures."""
    structure: float = 0.4
    """1 - SSIM over some scales."""
    chances: float = 0.1
    """Cross entropy of the inverse depths: what finds the right surface."""
    depth: float = 2.0
    """Mean error of inverse depths, as a share of their range: what puts Gaussians onto it."""
    empty: float = 0.1
    """Cross entropy of opacities where nothing is: what was black there would else hide what is behind."""


def picture_errors(drawn: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared error, and 1 - SSIM, of pictures [B,H,W,3]."""
    squared = (drawn - truth).square().mean()
    one, other = (pictures.permute(0, 3, 1, 2) for pictures in (drawn.clamp(0, 1), truth))
    found = []
    for _ in range(SSIM_SCALES):
        if min(one.shape[2:]) < _WINDOW:
            break
        found.append(_ssim(one, other))
        one, other = (functional.avg_pool2d(pictures, 2) for pictures in (one, other))
    return squared, 1 - torch.stack(found).mean()


def depth_errors(cloud: Cloud, depths: Tensor, near: float, far: float) -> tuple[Tensor, Tensor]:
    """Cross entropy, and error as a share of the range, of inverse depths.

    ``depths`` [A,H,W] are the true ones; 0 where unknown.
    """
    half = halved(torch.where(depths > 0, 1 / depths.clamp(min=1e-6), 0.0))
    apart = (1 / cloud.depth - half).abs() / (1 / near - 1 / far)
    chances = _cross_entropy(cloud.log_chances, cloud.ladder, halved(half))
    return chances, _mean(apart.clamp(max=LARGEST), half > 0)


def empty_errors(cloud: Cloud, depths: Tensor) -> Tensor:
    """Cross entropy of the opacities where nothing is: ``depths`` [A,H,W] are 0."""
    nothing = functional.max_pool2d(depths[:, None], 2, ceil_mode=True)[:, 0] == 0
    return _mean(functional.softplus(cloud.opacity_logits.view(cloud.depth.shape)), nothing)


def halved(inverse: Tensor) -> Tensor:
    """[A,h,w] inverse depths, 0 where unknown, at half the size: the mean of four, at edges the nearest."""
    most, least = (
        sign * functional.max_pool2d(sign * inverse[:, None], 2, ceil_mode=True) for sign in (1, -1)
    )
    mean = functional.avg_pool2d(inverse[:, None], 2, ceil_mode=True)
    return torch.where(most - least < EDGE * most, mean, most)[:, 0]


def _cross_entropy(log_chances: Tensor, ladder: Tensor, inverse: Tensor) -> Tensor:
    """Of the two steps of the ladder about the true inverse depth, each by how near it is."""
    steps = len(ladder)
    height, width = inverse.shape[1:]
    place = (inverse - ladder[0]) / (ladder[-1] - ladder[0]) * (steps - 1)
    place = place.clamp(0, steps - 1 - 1e-4)
    lower = place.floor()
    share = place - lower
    within = log_chances[:, :, :height, :width]
    first = within.gather(1, lower.long()[:, None])[:, 0]
    second = within.gather(1, lower.long()[:, None] + 1)[:, 0]
    return -_mean((1 - share) * first + share * second, inverse > 0)


def _ssim(one: Tensor, other: Tensor) -> Tensor:
    """Mean SSIM of pictures [B,3,H,W], in square windows."""

    def blurred(values: Tensor) -> Tensor:
        return functional.avg_pool2d(values, _WINDOW, stride=1)

    mean, mean_other = blurred(one), blurred(other)
    spread = blurred(one * one) - mean * mean
    spread_other = blurred(other * other) - mean_other * mean_other
    shared = blurred(one * other) - mean * mean_other
    light = (2 * mean * mean_other + _C1) / (mean * mean + mean_other * mean_other + _C1)
    return (light * (2 * shared + _C2) / (spread + spread_other + _C2)).mean()


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """The mean of ``values`` in those places; 0 where there are none."""
    return (values * where).sum() / where.sum().clamp(min=1)
