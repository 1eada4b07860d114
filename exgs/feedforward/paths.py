"""Where the cameras of a view set stand: as somebody who films with a phone would walk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from exgs.scene import Camera
from exgs.scene.around import Subject, find_subject, fitting_distance
from exgs.scene.camera import cameras_looking
from exgs.scene.occupancy import Occupancy
from exgs.scene.site import Site
from exgs.scene.spread import bearing

STEP_M = 0.04
"""Between one view of a walk and the next."""
TURN_RAD = (math.radians(0.6), math.radians(1.8))
"""How far a head turns meanwhile: the range of its mean along a walk."""
ARC_RAD = math.radians(1.8)
"""Between one view of an object and the next."""
DISTANCE = (0.5, 0.95)
"""Range of distances from objects, as shares of the one at which they fill the picture."""
FOV_Y_RAD = (math.radians(48.0), math.radians(62.0))
"""Range of vertical fields of view, one for each path."""
CLEAR_M = 1.3
"""What is looked at should be at least so far away."""
_KNOTS, _TRIES, _ASIDE_RAD = 9, 64, math.radians(25)
_LOWEST_RAD, _GROUND_RAD, _HIGHEST_RAD = math.radians(-12), math.radians(8), math.radians(38)


@dataclass(frozen=True, eq=False)
class Path:
    """A smooth way of a camera, from 0 to 1."""

    positions: CubicSpline
    """[3] where the camera stands."""
    targets: CubicSpline
    """[3] what it looks at."""
    up: np.ndarray
    """[3] unit vector upwards in the pictures."""
    fov_y_rad: float
    """Vertical field of view."""

    def cameras(self, places: np.ndarray, size: tuple[int, int]) -> list[Camera]:
        """The cameras at ``places`` [n] in [0, 1] along the path; ``size`` is (width, height) in pixels."""
        return cameras_looking(
            self.positions(places), self.targets(places), self.up, fov_y_rad=self.fov_y_rad, size=size
        )


def find_path(site: Site, steps: int, *, seed: int, size: tuple[int, int]) -> Path:
    """A way of about ``steps`` steps, each as far as one goes between two pictures of a film thinned out.

    Through a room or over the ground outdoors it is a walk, around an object an arc. The same site, steps and
    seed give the same path.
    """
    rng = np.random.default_rng([seed, steps])
    fov_y_rad = float(rng.uniform(*FOV_Y_RAD))
    if site.kind == "object":
        return _arc(site, steps, rng, size, fov_y_rad)
    return _walk(site, steps, rng, fov_y_rad)


def _walk(site: Site, steps: int, rng: np.random.Generator, fov_y_rad: float) -> Path:
    """Of some walks the one that comes least close to what it looks at, and to what it might bump into."""
    metre = metre_of(site)
    best, best_room = None, -math.inf
    for _ in range(_TRIES):
        positions = _steps_from(site, steps * STEP_M * metre, metre, rng)
        toward = _gaze(steps, site.up, rng)
        room = _room(site, positions, toward, metre)
        if room > best_room:
            best, best_room = (positions, toward), room
        if room >= 1:
            break
    assert best is not None
    positions, toward = best
    return _path(positions, positions + 2 * metre * toward, site.up, fov_y_rad)


def _steps_from(site: Site, length: float, metre: float, rng: np.random.Generator) -> np.ndarray:
    """[knots,3] a gently bent and almost level way of ``length`` that begins where a head can be."""
    places, weights = site.places
    begin = places[rng.choice(len(places), p=weights / weights.sum())]
    heading = rng.uniform(0, 2 * math.pi) + np.cumsum(rng.normal(0, 0.5 / math.sqrt(_KNOTS), _KNOTS))
    strides = length / (_KNOTS - 1) * bearing(heading, np.zeros(_KNOTS), site.up)
    strides[0] = 0
    bob = np.outer(rng.normal(0, 0.03 * metre, _KNOTS), site.up)
    return np.asarray(begin + np.cumsum(strides, axis=0) + bob)


def _gaze(steps: int, up: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[knots,3] directions that pan one way, now faster and now slower, and nod a little."""
    sweep = steps * rng.uniform(*TURN_RAD) * rng.choice((-1.0, 1.0))
    along, calm = np.linspace(0, 1, _KNOTS), steps / 64
    yaw = rng.uniform(0, 2 * math.pi) + sweep * along + rng.normal(0, 0.06 * calm, _KNOTS)
    pitch = math.radians(-6) + rng.normal(0, 0.08) + rng.normal(0, 0.04 * calm, _KNOTS)
    return bearing(yaw, pitch, up)


def _room(site: Site, positions: np.ndarray, toward: np.ndarray, metre: float) -> float:
    """How well a walk keeps away from things: 1 is well enough."""
    grid, up = site.grid, site.up
    reach = float(grid.size.max())
    aside = math.tan(_ASIDE_RAD) * np.cross(toward, up)
    ahead = np.stack([_depth(grid, positions, toward + side * aside, reach) for side in (-1, 0, 1)]).min(
        axis=0
    )
    gaps = np.diff(positions, axis=0)
    lengths = np.linalg.norm(gaps, axis=1)
    free = grid.depth_along(positions[:-1], gaps / lengths[:, None], reach)
    held = bool((grid.at(positions) < 0.1).all() and (free > 1.5 * lengths).all())
    looks = float(np.minimum(ahead / (CLEAR_M * metre), 1).min())
    if not held:
        return looks - 2
    return looks


def _depth(grid: Occupancy, positions: np.ndarray, toward: np.ndarray, reach: float) -> np.ndarray:
    return grid.depth_along(positions, toward / np.linalg.norm(toward, axis=1, keepdims=True), reach)


def _arc(site: Site, steps: int, rng: np.random.Generator, size: tuple[int, int], fov_y_rad: float) -> Path:
    """Part of a turn around the object, rising and sinking, now closer and now farther."""
    subject = find_subject(site.grid, site.up)
    lowest = _LOWEST_RAD if subject.ground is None else _GROUND_RAD
    along = np.linspace(0, 1, _KNOTS)
    yaw = rng.uniform(0, 2 * math.pi) + steps * ARC_RAD * along * rng.choice((-1.0, 1.0))
    middle, swing = rng.uniform(lowest + 0.1, _HIGHEST_RAD - 0.1), rng.uniform(0.0, 0.1)
    pitch = np.clip(middle + swing * np.sin(rng.uniform(0, 6) + 4 * along), lowest, _HIGHEST_RAD)
    fit = fitting_distance(subject, site.up, size=size, fov_y_rad=fov_y_rad)
    far = fit * rng.uniform(*DISTANCE) * (1 + 0.05 * np.sin(rng.uniform(0, 6) + 3 * along))
    targets = _about(subject, along, rng)
    return _path(targets + far[:, None] * bearing(yaw, pitch, site.up), targets, site.up, fov_y_rad)


def _about(subject: Subject, along: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """[knots,3] what is looked at: the middle of the object, more or less."""
    drift = np.sin(rng.uniform(0, 6, 3) + 3 * along[:, None])
    return np.asarray(subject.center + subject.half * (rng.uniform(-0.3, 0.3, 3) + 0.08 * drift))


def metre_of(site: Site) -> float:
    """Length of a metre in units of the scene; where nobody says, a room is supposed to be 2.5 m high."""
    if site.frame.metres_per_unit:
        return 1 / site.frame.metres_per_unit
    tall = np.abs(site.up) @ (site.grid.core[1] - site.grid.core[0])
    return float(tall / 2.5)


def _path(positions: np.ndarray, targets: np.ndarray, up: np.ndarray, fov_y_rad: float) -> Path:
    along = np.linspace(0, 1, len(positions))
    return Path(CubicSpline(along, positions), CubicSpline(along, targets), up, fov_y_rad)
