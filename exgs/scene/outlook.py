"""What a moving head will look at: its pose a moment from now, and how surely.

A head goes on turning and moving as it does, but not for long: displacements are those of a velocity that
dies away. What is left to chance grows with time and with speed. Directions are taken in the stereographic
plane of the predicted view (2 tan of half the angle from its middle), which tells ahead from behind and needs
no trigonometry per point.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

PERSISTENCE_S = 0.4
"""A velocity dies away with this time constant. EyeNavGS heads are predicted best with 0.2 to 0.4 s."""
TURN_SIGMA_RAD_PER_S = math.radians(18.0)
"""Standard deviation per axis, per second ahead, of where a resting head looks."""
TURN_SIGMA_SHARE = 0.2
"""The same, as a share of the way that the head would turn at the speed it has."""
MOVE_SIGMA_SHARE = 0.3
"""Standard deviation per axis of the head's place, as a share of the way it would go at the speed it has."""
MAX_AHEAD_S = 2.0
"""Nobody foresees more."""
MAX_HALF_FOV_RAD = math.radians(85.0)
_WIDEST_RAD = 1.2
_STEEPEST = 2.0
_REACH = 2.2
_BEHIND, _FAR_OFF = 0.99, 28.0
"""Where the plane ends: the cosine's magnitude, and the distance from the middle of the view."""


@dataclass(frozen=True, eq=False)
class View:
    """Where the viewer's head is, what it sees and how it moves."""

    position: np.ndarray
    """[3] float64 in scene coordinates."""
    camera_from_world: np.ndarray
    """[3,3] float64 rotation to camera axes: x right, y down, z forward."""
    fov_x_rad: float
    """Full horizontal field of view, over both eyes."""
    fov_y_rad: float
    """Full vertical field of view."""
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(3))
    """[3] units per second."""
    turn_rate: np.ndarray = field(default_factory=lambda: np.zeros(3))
    """[3] axis times radians per second, in world axes."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """A view as it will probably be."""

    position: np.ndarray
    """[3] float32, most probable."""
    camera_from_world: np.ndarray
    """[3,3] float32 rotation, most probable."""
    half_fov_rad: tuple[float, float]
    """Half the field of view, horizontally and vertically."""
    turn_sigma_rad: float
    """Standard deviation of the direction, per axis."""
    move_sigma: float
    """Standard deviation of the position, per axis, in units of the scene."""

    def share(self, centres: np.ndarray, variances: np.ndarray) -> np.ndarray:
        """[N] float32 in [0, 1]: which share of each box will be in view, on average over what may happen.

        ``centres`` and ``variances`` [N,3] float32 are those of the points of the boxes, by axes of the
        scene. What stands in front of a box is not known here.
        """
        x, y, z = self.camera_from_world @ (centres - self.position).T
        wide, high, _ = np.square(self.camera_from_world) @ variances.T
        square = np.maximum(x * x + y * y + z * z, np.float32(1e-12))
        distance = np.sqrt(square)
        scale = 2 / np.maximum(distance + z, distance * np.float32(1 - _BEHIND))
        u, v = np.abs(x * scale), np.abs(y * scale)
        u = np.where(z < -np.float32(_BEHIND) * distance, np.float32(_FAR_OFF), u)
        steep = np.minimum(1 + (u * u + v * v) / 4, np.float32(_STEEPEST))
        across, down = (np.float32(2 * math.tan(half / 2)) for half in self.half_fov_rad)
        in_width = _within(u, across, self._sigma(wide, square) * steep)
        return in_width * _within(v, down, self._sigma(high, square) * steep)

    def _sigma(self, variance: np.ndarray, square: np.ndarray) -> np.ndarray:
        """[N] standard deviation of the direction of a point across one axis of the picture."""
        spread = np.minimum((variance + np.float32(self.move_sigma**2)) / square, np.float32(_WIDEST_RAD**2))
        return np.asarray(np.sqrt(spread + np.float32(self.turn_sigma_rad**2)))


def foresee(view: View, ahead_s: float, *, linger_s: float = 0.0) -> Outlook:
    """``view`` as it will be in ``ahead_s`` seconds, and be left to chance for ``linger_s`` more."""
    ahead_s = min(max(ahead_s, 0.0), MAX_AHEAD_S)
    way_s = PERSISTENCE_S * (1 - math.exp(-ahead_s / PERSISTENCE_S))
    unsure_s = min(ahead_s + linger_s, MAX_AHEAD_S)
    speed, turning = math.hypot(*view.velocity.tolist()), math.hypot(*view.turn_rate.tolist())
    turned = _rotation(view.turn_rate, turning, turning * way_s)
    half_x, half_y = (min(max(fov / 2, 0.01), MAX_HALF_FOV_RAD) for fov in (view.fov_x_rad, view.fov_y_rad))
    return Outlook(
        position=(view.position + view.velocity * way_s).astype(np.float32),
        camera_from_world=(view.camera_from_world @ turned.T).astype(np.float32),
        half_fov_rad=(half_x, half_y),
        turn_sigma_rad=unsure_s * math.hypot(TURN_SIGMA_RAD_PER_S, TURN_SIGMA_SHARE * turning),
        move_sigma=unsure_s * MOVE_SIGMA_SHARE * speed,
    )


def _rotation(axis: np.ndarray, length: float, angle_rad: float) -> np.ndarray:
    """[3,3] turn by an angle about ``axis`` of that length (Rodrigues)."""
    if length == 0:
        return np.eye(3)
    x, y, z = (axis / length).tolist()
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle_rad) * cross + (1 - math.cos(angle_rad)) * (cross @ cross))


def _within(offset: np.ndarray, half: np.float32, sigma: np.ndarray) -> np.ndarray:
    """[N] probability that a normal variable of mean ``offset`` >= 0 lies within plus and minus ``half``."""
    sigma = np.maximum(sigma, np.float32(1e-3))
    return np.asarray(_normal((half - offset) / sigma) + _normal((half + offset) / sigma) - 1)


def _normal(x: np.ndarray) -> np.ndarray:
    """About the normal distribution function: a cubic that is 0 and 1 beyond ``_REACH``."""
    s = np.minimum(np.maximum(x * np.float32(1 / _REACH), np.float32(-1)), np.float32(1))
    return np.asarray(np.float32(0.5) + s * (np.float32(0.75) - np.float32(0.25) * s * s))
