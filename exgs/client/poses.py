"""Where the head is: recorded, on a loop, or still.

A pose is ``world_from_head`` [4,4] float64: scene coordinates from the head's own, x right, y up, -z ahead as
in OpenXR. Sources are functions of time, so the frame loop and the session may ask at once.
``exgs.scene.HeadPath``, a recorded trace carried over into a scene, is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from scipy.spatial.transform import Rotation

from exgs.scene import Camera, HeadPath

HEAD_AXES = np.diag([1.0, -1.0, -1.0, 1.0])
"""[4,4] takes the axes of a head (y up, -z ahead) to those of a camera (y down, z ahead), and back."""


class PoseSource(Protocol):
    """Gives the newest pose; any thread may ask."""

    def pose_at(self, time_s: float) -> np.ndarray:
        """[4,4] world_from_head at ``time_s`` seconds since the first frame."""


class Fixed:
    """A head that does not move."""

    def __init__(self, world_from_head: np.ndarray) -> None:
        self._pose = world_from_head

    def pose_at(self, time_s: float) -> np.ndarray:
        """Always the same pose."""
        return self._pose


class Loop:
    """A head that goes along cameras at an even pace, and from the last to the first again."""

    def __init__(self, cameras: Sequence[Camera], *, period_s: float) -> None:
        poses = np.stack([camera.world_from_camera @ HEAD_AXES for camera in [*cameras, cameras[0]]])
        times_s = np.linspace(0.0, period_s, len(poses))
        quats = Rotation.from_matrix(poses[:, :3, :3]).as_quat(scalar_first=True)
        self._path = HeadPath(times_s, poses[:, :3, 3], quats, ipd_units=0.0)

    def pose_at(self, time_s: float) -> np.ndarray:
        """The pose between the two cameras around ``time_s``."""
        return self._path.pose_at(time_s % self._path.duration_s)
