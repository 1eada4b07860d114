"""Recorded head movements, and how they are carried over into a scene.

A trace is in OpenXR axes and metres: x right, y up, -z ahead, for the world as for the head. It has no place
in any scene. ``retarget`` gives it one: the first pose comes to lie at a start, turned about the vertical to
look the way the start looks; everything after that follows, at the scene's scale. The horizon stays level
whatever the start's pitch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy  # its parts are loaded when they are first used

from exgs.scene.camera import Camera
from exgs.scene.errors import SceneError
from exgs.scene.gaussians import Gaussians
from exgs.scene.orbit import starting_view
from exgs.scene.start import StartView
from exgs.scene.views import FOV_Y_RAD

DEFAULT_IPD_M = 0.063
"""Distance between the eyes where a trace does not say."""
_CAMERA_AXES = np.diag([1.0, -1.0, -1.0])


@dataclass(frozen=True, eq=False)
class HeadTrace:
    """Head poses over time."""

    times_s: np.ndarray
    """[T] float64 strictly increasing, the first 0."""
    positions: np.ndarray
    """[T,3] float64 points between the eyes, in metres, y up."""
    quats: np.ndarray
    """[T,4] float64 wxyz unit rotations from the head's axes to the world's."""
    ipd_m: float = DEFAULT_IPD_M
    """Distance between the eyes in metres."""

    def __post_init__(self) -> None:
        count = len(self.times_s)
        if count == 0 or self.positions.shape != (count, 3) or self.quats.shape != (count, 4):
            raise SceneError(
                "head trace: expected T times, [T,3] positions and [T,4] rotations, found "
                f"{count}, {list(self.positions.shape)} and {list(self.quats.shape)}"
            )
        if self.times_s[0] != 0 or (np.diff(self.times_s) <= 0).any():
            raise SceneError("head trace: times must begin with 0 and increase")
        if not 0 < self.ipd_m < 1:
            raise SceneError(
                f"head trace: {self.ipd_m} m between the eyes, expected more than 0 and less than 1"
            )

    @property
    def duration_s(self) -> float:
        """Time of the last pose."""
        return float(self.times_s[-1])

    def pose_at(self, time_s: float) -> np.ndarray:
        """[4,4] world_from_head in the trace's own world, interpolated; the ends last for ever."""
        return _pose_at(self.times_s, self.positions, self.quats, time_s)

    def retarget(self, gaussians: Gaussians, *, start: StartView | None = None) -> HeadPath:
        """The trace as a path through a scene, from ``start`` or from where ``starting_view`` chooses."""
        return self.placed(start or starting_view(gaussians), gaussians.frame.up_vector)

    def placed(self, start: StartView, up: np.ndarray) -> HeadPath:
        """The trace as a path that begins at ``start``, in a scene where ``up`` [3] points up."""
        scale = start.units_per_metre
        heads = scipy.spatial.transform.Rotation.from_quat(self.quats, scalar_first=True)
        first = _heading(
            heads[0].as_matrix() @ (0, 0, -1.0), heads[0].as_matrix() @ (0, 1.0, 0), np.array((0, 1.0, 0))
        )
        view = start.camera(up, fov_y_rad=FOV_Y_RAD, size=(1, 1)).camera_from_world
        ahead = _heading(view[2, :3], -view[1, :3], up)
        turn = ahead @ first.T
        shifts = (self.positions - self.positions[0]) @ turn.T
        positions = start.position + scale * shifts
        quats = (scipy.spatial.transform.Rotation.from_matrix(turn) * heads).as_quat(scalar_first=True)
        return HeadPath(self.times_s, positions, quats, scale * self.ipd_m)


@dataclass(frozen=True, eq=False)
class HeadPath:
    """Head poses over time in the coordinates of a scene."""

    times_s: np.ndarray
    """[T] float64 strictly increasing, the first 0."""
    positions: np.ndarray
    """[T,3] points between the eyes, in units of the scene."""
    quats: np.ndarray
    """[T,4] wxyz rotations from the head's axes (x right, y up, -z ahead) to the scene's."""
    ipd_units: float
    """Distance between the eyes in units of the scene."""

    @property
    def duration_s(self) -> float:
        """Time of the last pose."""
        return float(self.times_s[-1])

    def pose_at(self, time_s: float) -> np.ndarray:
        """[4,4] world_from_head, interpolated; the ends last for ever."""
        return _pose_at(self.times_s, self.positions, self.quats, time_s)


def head_camera(
    world_from_head: np.ndarray, *, size: tuple[int, int], fov_y_rad: float = FOV_Y_RAD, name: str = ""
) -> Camera:
    """The camera of one eye in the middle of a head at ``world_from_head`` [4,4], axes as OpenXR's."""
    turn = world_from_head[:3, :3] @ _CAMERA_AXES
    matrix = np.eye(4)
    matrix[:3, :3] = turn.T
    matrix[:3, 3] = -turn.T @ world_from_head[:3, 3]
    focal = size[1] / 2 / np.tan(fov_y_rad / 2)
    return Camera(matrix, focal, focal, size[0] / 2, size[1] / 2, *size, name)


def stereo_cameras(
    world_from_head: np.ndarray,
    ipd_units: float,
    *,
    size: tuple[int, int],
    fov_y_rad: float = FOV_Y_RAD,
    name: str = "",
) -> tuple[Camera, Camera]:
    """The cameras of the left and the right eye of a head; ``size`` is that of one eye's picture."""
    return stereo_pair(head_camera(world_from_head, size=size, fov_y_rad=fov_y_rad, name=name), ipd_units)


def stereo_pair(camera: Camera, ipd_units: float) -> tuple[Camera, Camera]:
    """``camera`` moved by half of ``ipd_units`` to its left, and to its right, looking the same way."""
    left, right = camera.camera_from_world.copy(), camera.camera_from_world.copy()
    left[0, 3] += ipd_units / 2
    right[0, 3] -= ipd_units / 2
    return replace(camera, camera_from_world=left), replace(camera, camera_from_world=right)


def head_cameras(
    trace: HeadTrace,
    gaussians: Gaussians,
    times_s: Sequence[float] | np.ndarray,
    *,
    size: tuple[int, int] = (640, 360),
    fov_y_rad: float = FOV_Y_RAD,
    start: StartView | None = None,
) -> list[Camera]:
    """What a head that follows ``trace`` through a scene sees at ``times_s``; named 000, 001 and so on."""
    path = trace.retarget(gaussians, start=start)
    return [
        head_camera(path.pose_at(float(time_s)), size=size, fov_y_rad=fov_y_rad, name=f"{number:03d}")
        for number, time_s in enumerate(times_s)
    ]


def synthetic_head_trace(*, seconds: float = 20.0, rate_hz: float = 72.0, seed: int = 0) -> HeadTrace:
    """A made-up walk: slow steps about the start, looking around, and the sway that no head is without.

    Raises:
        SceneError: ``seconds`` or ``rate_hz`` make no sense.
    """
    if not (0 <= seconds <= 3600 and 0 < rate_hz <= 1000):
        raise SceneError(f"head trace of {seconds} s at {rate_hz} Hz: expected at most 3600 s and 1000 Hz")
    times_s = np.arange(int(seconds * rate_hz) + 1) / rate_hz
    rng = np.random.default_rng(seed)
    wander = _drift(rng, times_s, 3, period_s=11.0) * (0.45, 0.06, 0.35)
    sway = _drift(rng, times_s, 3, period_s=1.1) * (0.012, 0.010, 0.012)
    yaw, pitch, roll = (
        _drift(rng, times_s, 3, period_s=7.0) * np.radians((50.0, 13.0, 3.0))
        + _drift(rng, times_s, 3, period_s=0.9) * np.radians((1.6, 1.0, 0.7))
    ).T
    turns = scipy.spatial.transform.Rotation.from_euler(
        "YXZ", np.stack([yaw, pitch - np.radians(6.0), roll], axis=1)
    )
    return HeadTrace(times_s, wander + sway + (0, 1.6, 0), turns.as_quat(scalar_first=True))


def _drift(rng: np.random.Generator, times_s: np.ndarray, count: int, *, period_s: float) -> np.ndarray:
    """[T,count] smooth wandering in about [-1, 1] that begins at 0, around ``period_s`` a swing."""
    periods = period_s * np.array([0.55, 1.0, 1.7])[:, None] * rng.uniform(0.85, 1.15, (3, count))
    phases = rng.uniform(0, 2 * np.pi, (3, count))
    strength = np.array([0.25, 0.4, 0.35])[:, None]
    swings = np.sin(2 * np.pi * times_s[:, None, None] / periods + phases) - np.sin(phases)
    return np.asarray((strength * swings).sum(axis=1))


def _pose_at(times_s: np.ndarray, positions: np.ndarray, quats: np.ndarray, time_s: float) -> np.ndarray:
    """Asked some hundred times a second while a session lasts, so with numbers rather than arrays."""
    time_s = float(min(max(time_s, times_s[0]), times_s[-1]))
    low = max(min(int(np.searchsorted(times_s, time_s, side="right")) - 1, len(times_s) - 2), 0)
    high = min(low + 1, len(times_s) - 1)
    share = (time_s - times_s[low]) / (times_s[high] - times_s[low]) if high > low else 0.0
    pose = np.eye(4)
    pose[:3, :3] = _matrix(*_between(quats[low].tolist(), quats[high].tolist(), float(share)))
    pose[:3, 3] = positions[low] + share * (positions[high] - positions[low])
    return pose


def _between(first: list[float], second: list[float], share: float) -> list[float]:
    """The unit quaternion at ``share`` of the shorter way from ``first`` to ``second`` (slerp)."""
    cosine = sum(a * b for a, b in zip(first, second, strict=True))
    if cosine < 0:
        second, cosine = [-value for value in second], -cosine
    angle = math.acos(min(cosine, 1.0))
    if angle > 1e-6:
        near, far = math.sin((1 - share) * angle), math.sin(share * angle)
    else:
        near, far = 1 - share, share
    mixed = [near * a + far * b for a, b in zip(first, second, strict=True)]
    length = math.sqrt(sum(value * value for value in mixed))
    return [value / length for value in mixed]


def _matrix(w: float, x: float, y: float, z: float) -> list[list[float]]:
    """[3][3] the rotation of a unit quaternion."""
    return [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]


def _heading(ahead: np.ndarray, top: np.ndarray, up: np.ndarray) -> np.ndarray:
    """[3,3] columns are right, up and back of a level head that looks the way of ``ahead``.

    Who looks straight down looks the way of the ``top`` of the head.
    """
    level = ahead - up * (ahead @ up)
    if np.linalg.norm(level) < 0.05:
        level = (top - up * (top @ up)) * -np.sign(ahead @ up)
    level = level / np.linalg.norm(level)
    return np.stack([np.cross(level, up), up, -level], axis=1)
