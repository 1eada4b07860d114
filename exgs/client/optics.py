"""The eyes of a head: one camera, or two."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from exgs.scene import Camera

IPD_M = 0.063
"""Distance between the eyes, the mean of adults."""


@dataclass(frozen=True)
class Optics:
    """What the head looks through."""

    size: tuple[int, int]
    """Width and height of one eye's picture, in pixels."""
    fov_y_rad: float
    """Vertical field of view."""
    ipd: float | None = None
    """Distance between the eyes in units of the scene; None for a single eye."""

    @property
    def fov_rad(self) -> tuple[float, float]:
        """Horizontal and vertical field of view."""
        width, height = self.size
        return 2 * math.atan(math.tan(self.fov_y_rad / 2) * width / height), self.fov_y_rad

    def eyes(self, world_from_head: np.ndarray) -> list[Camera]:
        """The camera in the middle of the head, or that of the left and of the right eye."""
        if self.ipd is None:
            return [self._camera(world_from_head, 0.0, "head")]
        return [
            self._camera(world_from_head, -self.ipd / 2, "left"),
            self._camera(world_from_head, self.ipd / 2, "right"),
        ]

    def _camera(self, world_from_head: np.ndarray, shift: float, name: str) -> Camera:
        """A camera ``shift`` to the right of the middle of the head."""
        turn = world_from_head[:3, :3].T
        camera_from_world = np.eye(4)
        camera_from_world[:3, :3] = turn
        camera_from_world[:3, 3] = -turn @ world_from_head[:3, 3] - (shift, 0.0, 0.0)
        width, height = self.size
        focal = height / 2 / math.tan(self.fov_y_rad / 2)
        return Camera(camera_from_world, focal, focal, width / 2, height / 2, width, height, name)
