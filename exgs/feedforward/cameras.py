"""The cameras of a reconstruction: poses about their own middle, and what follows from them.

All is counted in units that a change of scale leaves alone: shifts between cameras times an inverse depth,
inverse depths as shares of the nearest one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from exgs.feedforward.errors import FeedforwardError
from exgs.raster.seam import picture_size
from exgs.scene import Camera

COMPANIONS = 4
"""Other views that go on, which each of them looks at behind ZPressor."""
PARALLAX_RAD = 0.15
"""Angle between two views, at a middle depth, that matching likes best: less shows no depth."""
ALIKE = 0.5
"""How much it counts, beside that, that two views which one is matched with stand close to each other."""


@dataclass(frozen=True, eq=False)
class Rig:
    """V cameras with pictures of one size, and the depths between which their scene lies."""

    from_world: np.ndarray
    """[V,4,4] float64 camera from world, with the world's origin at ``origin``."""
    lenses: np.ndarray
    """[V,4] float64 fx, fy, cx, cy in pixels."""
    origin: np.ndarray
    """[3] float64 the barycentre of the cameras, in scene coordinates."""
    size: tuple[int, int]
    """Width and height of the pictures in pixels, without padding."""
    near: float
    """Nearest depth, in units of the scene along the view."""
    far: float
    """Farthest depth, in units of the scene along the view."""

    def __len__(self) -> int:
        return len(self.lenses)

    @staticmethod
    def of(cameras: Sequence[Camera], near: float, far: float) -> Rig:
        """The rig of ``cameras``.

        Raises:
            FeedforwardError: there are no cameras, their pictures differ in size, or no depth is between
                ``near`` and ``far``.
        """
        if not 0 < near < far < math.inf:
            raise FeedforwardError(f"depths from {near:g} to {far:g}: expected 0 < near < far")
        try:
            size = picture_size(cameras)
        except ValueError as error:
            raise FeedforwardError(str(error)) from error
        origin = np.mean([camera.position for camera in cameras], axis=0)
        from_world = np.stack([camera.camera_from_world for camera in cameras])
        from_world[:, :3, 3] += from_world[:, :3, :3] @ origin
        lenses = np.array([[camera.fx, camera.fy, camera.cx, camera.cy] for camera in cameras])
        return Rig(from_world, lenses, origin, size, float(near), float(far))

    @property
    def middle(self) -> float:
        """The mean of the inverse depths, per unit of the scene."""
        return (1 / self.near + 1 / self.far) / 2

    def ladder(self, steps: int) -> np.ndarray:
        """[steps] inverse depths, the middles of equal parts from the farthest to the nearest (1)."""
        least = self.near / self.far
        return np.asarray(least + (1 - least) * (np.arange(steps) + 0.5) / steps)

    def parallax(self, a: int, b: int) -> float:
        """How far, in pixels at most, the nearest and the farthest depth of view ``a`` lie apart in ``b``."""
        shift = float(np.linalg.norm(self.between(a, b)[:3, 3]))
        return shift * (1 / self.near - 1 / self.far) * float(self.lenses[b, :2].max())

    def between(self, source: int, target: int) -> np.ndarray:
        """[4,4] what takes points of camera ``source`` to camera ``target``."""
        turn, shift = self.from_world[source, :3, :3], self.from_world[source, :3, 3]
        matrix = np.eye(4)
        matrix[:3, :3] = self.from_world[target, :3, :3] @ turn.T
        matrix[:3, 3] = self.from_world[target, :3, 3] - matrix[:3, :3] @ shift
        return matrix

    def intrinsics(self, view: int, stride: int) -> np.ndarray:
        """[3,3] from camera space to positions in a grid of every ``stride``-th pixel, counted from 0."""
        fx, fy, cx, cy = self.lenses[view] / stride
        return np.array([[fx, 0, cx - 0.5], [0, fy, cy - 0.5], [0, 0, 1]])

    def pose(self, source: int, target: int, stride: int) -> np.ndarray:
        """[3,4] takes (x, y, 1, inverse depth as a share of the nearest) of a position in the grid of one
        camera to homogeneous coordinates in that of another, whose third is the ratio of depths."""
        matrix = self.between(source, target)
        lens = self.intrinsics(target, stride)
        turn = lens @ matrix[:3, :3] @ np.linalg.inv(self.intrinsics(source, stride))
        return np.concatenate([turn, (lens @ matrix[:3, 3] / self.near)[:, None]], axis=1)

    def slopes(self, view: int, stride: int, shape: tuple[int, int]) -> Tensor:
        """[h,w,3] points at depth 1 in camera space, of the positions of a grid of ``shape`` (h, w)."""
        fx, fy, cx, cy = self.lenses[view]
        x = torch.from_numpy(((np.arange(shape[1]) + 0.5) * stride - cx) / fx).float()
        y = torch.from_numpy(((np.arange(shape[0]) + 0.5) * stride - cy) / fy).float()
        rows, columns = torch.meshgrid(y, x, indexing="ij")
        return torch.stack([columns, rows, torch.ones_like(rows)], dim=2)

    def neighbours(self, view: int, others: Sequence[int], most: int) -> tuple[int, ...]:
        """Up to ``most`` of ``others`` that see best what ``view`` sees, best first.

        They look from a little aside of ``view``, and of each other: two from one place tell the same.
        """
        costs = {other: self._apart(view, other) for other in others if other != view}
        chosen: list[int] = []
        while costs and len(chosen) < most:
            best = min(costs, key=lambda other: (round(costs[other], 9), other))
            del costs[best]
            chosen.append(best)
            for other in costs:
                costs[other] += ALIKE * PARALLAX_RAD**2 / self._parallax_rad(best, other)
        return tuple(chosen)

    def companions(self, view: int, views: Sequence[int]) -> tuple[int, ...]:
        """Those of the ``views`` that go on at which ``view`` looks behind ZPressor."""
        return self.neighbours(view, views, COMPANIONS)

    def _apart(self, a: int, b: int) -> float:
        """How ill two views suit each other: the angle between them, and a parallax too large or small."""
        angle = math.acos(float(np.clip((np.trace(self.between(a, b)[:3, :3]) - 1) / 2, -1, 1)))
        parallax = self._parallax_rad(a, b)
        return angle + parallax + PARALLAX_RAD**2 / parallax

    def _parallax_rad(self, a: int, b: int) -> float:
        """Angle between the places of two views, seen from a middle depth."""
        return max(float(np.linalg.norm(self.between(a, b)[:3, 3])) * self.middle, 1e-6)


def tensor(array: np.ndarray, like: Tensor) -> Tensor:
    """``array`` as float32, where ``like`` is."""
    return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(like.device)
