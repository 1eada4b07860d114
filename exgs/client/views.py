"""Tells the server where the head is, for it to send first what is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np
from scipy.spatial.transform import Rotation

from exgs.client.clock import Clock
from exgs.client.optics import Optics
from exgs.client.poses import HEAD_AXES, PoseSource
from exgs.protocol import ViewUpdate
from exgs.scene.outlook import View

MAX_UPDATES_HZ = 120.0
WHOLE_UPDATES_HZ = 10.0
"""Where all of the scene is here, there is nothing for the server to choose by the head."""
VELOCITY_SPAN_S = 0.02
"""Velocities are differences over this long."""


async def send_views(
    say: Callable[[ViewUpdate], None],
    poses: PoseSource,
    optics: Optics,
    *,
    start_s: float,
    rate_hz: float,
    clock: Clock,
    whole: Callable[[], bool] = lambda: False,
) -> None:
    """Gives ``say`` the pose ``rate_hz`` times a second until cancelled; ``start_s`` is the first frame's.

    While ``whole`` says that the scene is complete, ten a second are enough.
    """
    sequence = 0
    while True:
        now_s = clock.now()
        say(view_update(poses, optics, now_s - start_s, sequence=sequence, now_s=now_s))
        sequence += 1
        await asyncio.sleep(1 / min(rate_hz, WHOLE_UPDATES_HZ if whole() else MAX_UPDATES_HZ))


def view_update(
    poses: PoseSource, optics: Optics, time_s: float, *, sequence: int, now_s: float
) -> ViewUpdate:
    """The message about the pose at ``time_s`` seconds since the first frame."""
    pose, velocity, turn_rate = _motion(poses, time_s)
    turn = Rotation.from_matrix((pose @ HEAD_AXES)[:3, :3])
    x, y, z, w = turn.as_quat().tolist()
    return ViewUpdate(
        sequence=sequence % (1 << 32),
        client_time_us=int(now_s * 1e6),
        position=_triple(pose[:3, 3]),
        orientation=(w, x, y, z),
        fov_rad=optics.fov_rad,
        height_px=optics.size[1],
        linear_velocity=_triple(velocity),
        angular_velocity=_triple(turn_rate),
    )


def head_view(poses: PoseSource, optics: Optics, time_s: float) -> View:
    """What ``view_update`` says, for the client's own use."""
    pose, velocity, turn_rate = _motion(poses, time_s)
    camera_from_world = (pose @ HEAD_AXES)[:3, :3].T
    return View(pose[:3, 3], camera_from_world, *optics.fov_rad, velocity, turn_rate)


def _motion(poses: PoseSource, time_s: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pose [4,4], velocity [3] in units per second and turn rate [3] in radians per second."""
    pose = poses.pose_at(time_s)
    before = poses.pose_at(max(0.0, time_s - VELOCITY_SPAN_S))
    span_s = min(VELOCITY_SPAN_S, time_s) or VELOCITY_SPAN_S
    turned = Rotation.from_matrix(pose[:3, :3] @ before[:3, :3].T)
    return pose, (pose[:3, 3] - before[:3, 3]) / span_s, turned.as_rotvec() / span_s


def _triple(vector: np.ndarray) -> tuple[float, float, float]:
    x, y, z = vector.tolist()
    return x, y, z
