"""The eyes of a head: one camera, or two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exgs.scene import Camera, head_camera, stereo_cameras


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

    def eyes(self, world_from_head: np.ndarray) -> Sequence[Camera]:
        """The camera in the middle of the head, or that of the left and of the right eye."""
        if self.ipd is None:
            return (head_camera(world_from_head, size=self.size, fov_y_rad=self.fov_y_rad),)
        return stereo_cameras(world_from_head, self.ipd, size=self.size, fov_y_rad=self.fov_y_rad)
