"""What a network gives: Gaussians as tensors, and the depths that they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from exgs.scene import Frame, Gaussians
from exgs.scene.gaussians import VALUES

FAINTEST = 1 / 255
"""Opacity below which no rasteriser draws a Gaussian."""


@dataclass(frozen=True, eq=False)
class Cloud:
    """N Gaussians of A views, as ``Gaussians`` names them, with means about ``origin``; differentiable."""

    means: Tensor
    """[N,3] in units of the scene, about ``origin``."""
    quats: Tensor
    """[N,4] wxyz, of length 1."""
    log_scales: Tensor
    """[N,3]."""
    opacity_logits: Tensor
    """[N]."""
    sh0: Tensor
    """[N,1,3]."""
    shN: Tensor
    """[N,3,3]."""
    origin: np.ndarray
    """[3] float64 the barycentre of the cameras, in scene coordinates."""
    views: tuple[int, ...]
    """The views that these Gaussians and the rows below belong to."""
    depth: Tensor
    """[A,h,w] z along the view of each Gaussian's pixel, at half the pictures' size; the Gaussians' order."""
    confidence: Tensor
    """[A,h,w] in [0, 1] how sure matching is of it."""
    log_chances: Tensor
    """[A,D,h/2,w/2] log-probability of each inverse depth of ``ladder``: supervise these where truth is known
    (cross entropy finds the right surface, which the gradient of ``depth``, local as it is, does not)."""
    ladder: Tensor
    """[D] inverse depths, evenly spaced between 1/far and 1/near, per unit of the scene."""

    def __len__(self) -> int:
        return len(self.means)

    def select(self, kept: Tensor) -> Cloud:
        """Only the Gaussians that are ``kept`` [N] (bool); the depths stay whole."""
        return replace(self, **{name: getattr(self, name)[kept] for name in VALUES})

    def visible(self) -> Cloud:
        """Only the Gaussians that a rasteriser draws."""
        return self.select(torch.sigmoid(self.opacity_logits) >= FAINTEST)

    def gaussians(self, frame: Frame | None = None) -> Gaussians:
        """The Gaussians in scene coordinates."""
        values = {name: _array(getattr(self, name)) for name in VALUES}
        values["means"] = np.ascontiguousarray(values["means"] + self.origin, np.float32)
        return Gaussians(**values, frame=frame or Frame())

    def centred(self) -> Gaussians:
        """The Gaussians about ``origin``, which float32 holds more exactly."""
        return replace(self, origin=np.zeros(3)).gaussians()


def _array(tensor: Tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().cpu().numpy(), np.float32)
