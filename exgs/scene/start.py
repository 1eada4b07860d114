"""Where a viewer's head begins in a scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene.camera import Camera
from exgs.scene.errors import SceneError


@dataclass(frozen=True, eq=False)
class StartView:
    """A good first look at a scene, and how large the scene is thought to be."""

    position: np.ndarray
    """[3] float64 where the head is, in units of the scene."""
    target: np.ndarray
    """[3] float64 what it looks at."""
    units_per_metre: float
    """Units of the scene in a metre, known or supposed."""

    def __post_init__(self) -> None:
        points = np.stack([self.position, self.target])
        if points.shape != (2, 3) or not np.isfinite(points).all() or (points[0] == points[1]).all():
            raise SceneError("a start needs a position and a target that differ")
        if not 0 < self.units_per_metre < float("inf"):
            raise SceneError(f"{self.units_per_metre} units per metre: expected a positive number")

    def camera(self, up: np.ndarray, *, fov_y_rad: float, size: tuple[int, int]) -> Camera:
        """The camera of that look, level: ``up`` [3] is upwards in its picture."""
        return Camera.looking(self.position, self.target, up, fov_y_rad=fov_y_rad, size=size)
