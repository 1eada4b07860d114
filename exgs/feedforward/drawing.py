"""Draws a cloud so that gradients of the pictures come back to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exgs.feedforward.cloud import Cloud
from exgs.raster import Rasterizer
from exgs.scene import Camera


def draw(cloud: Cloud, cameras: Sequence[Camera], rasterizer: Rasterizer) -> Tensor:
    """[B,H,W,3] pictures over black, not clipped, of ``cameras`` (scene coordinates, one picture size).

    Which Gaussians meet which pixels, their order and the directions in which harmonics are looked at count
    as fixed.
    """
    moved = [_about(camera, cloud.origin) for camera in cameras]
    return _Draw.apply(
        cloud.means,
        cloud.quats,
        cloud.log_scales,
        cloud.opacity_logits,
        cloud.sh0,
        cloud.shN,
        (cloud.centred(), moved, rasterizer),
    )


class _Draw(torch.autograd.Function):
    """The rasteriser behind its seam, forwards and backwards."""

    @staticmethod
    def forward(context: Any, *values: Any) -> Tensor:
        means, quats = values[0], values[1]
        gaussians, cameras, rasterizer = context.work = values[6]
        context.save_for_backward(quats)
        context.device = means.device
        color = rasterizer.render(gaussians, cameras).color
        return torch.from_numpy(np.ascontiguousarray(color, np.float32)).to(means.device)

    @staticmethod
    def backward(context: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        gaussians, cameras, rasterizer = context.work
        slopes = slope.detach().cpu().numpy()
        found = rasterizer.gradients(gaussians, cameras, lambda view, _: slopes[view])
        to_means, to_turns, to_scales, to_opacity, to_harmonics = (
            torch.from_numpy(part).to(context.device)
            for part in (found.means, found.turns, found.log_scales, found.opacity_logits, found.harmonics)
        )
        (quats,) = context.saved_tensors
        to_quats = from_turns(quats, to_turns)
        return to_means, to_quats, to_scales, to_opacity, to_harmonics[:, :1], to_harmonics[:, 1:], None


def from_turns(quats: Tensor, turns: Tensor) -> Tensor:
    """[N,4] gradient with respect to wxyz ``quats`` of one with respect to ``turns`` [N,3] about own axes.

    A turn t changes q by q (0, t) / 2, and along q itself nothing changes.
    """
    w, v = quats[:, :1], quats[:, 1:]
    scalar = -(v * turns).sum(1, keepdim=True)
    vector = w * turns + torch.linalg.cross(v, turns, dim=1)
    return 2 * torch.cat([scalar, vector], dim=1) / quats.square().sum(1, keepdim=True).clamp(min=1e-12)


def _about(camera: Camera, origin: np.ndarray) -> Camera:
    """``camera`` in coordinates whose origin lies at ``origin``."""
    matrix = camera.camera_from_world.copy()
    matrix[:3, 3] += matrix[:3, :3] @ origin
    return replace(camera, camera_from_world=matrix)
