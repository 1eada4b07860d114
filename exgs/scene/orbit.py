"""A smooth path around an object or through a room, for turntables."""

from __future__ import annotations

import math

import numpy as np

from exgs.scene.around import find_subject, fitting_distance
from exgs.scene.camera import Camera
from exgs.scene.errors import SceneError
from exgs.scene.gaussians import Gaussians
from exgs.scene.inside import is_room, standing_places
from exgs.scene.occupancy import Occupancy, measure_occupancy
from exgs.scene.spread import bearing
from exgs.scene.start import StartView
from exgs.scene.views import FOV_Y_RAD, MAX_VIEWS

ORBIT_PITCH_RAD = math.radians(12.0)


def orbit(
    gaussians: Gaussians, count: int, *, size: tuple[int, int] = (640, 360), fov_y_rad: float = FOV_Y_RAD
) -> list[Camera]:
    """``count`` cameras on a closed loop, named 000, 001 and so on: the last is followed by the first.

    An object is circled once; in a room the head walks a small loop and looks across it.

    Raises:
        SceneError: ``count`` makes no sense.
    """
    if not 0 <= count <= MAX_VIEWS:
        raise SceneError(f"{count} views: expected 0 to {MAX_VIEWS}")
    grid = measure_occupancy(gaussians)
    up = gaussians.frame.up_vector
    yaw = 2 * np.pi * np.arange(count) / max(count, 1)
    if is_room(grid):
        center, radius = _clearing(grid, standing_places(grid, gaussians.frame), up)
        outward = bearing(yaw, np.zeros(count), up)
        positions = center + 0.6 * radius * outward
        targets = positions + bearing(yaw + np.pi, math.radians(-8) + 0.1 * np.sin(2 * yaw), up)
    else:
        subject = find_subject(grid, up)
        distance = fitting_distance(subject, up, size=size, fov_y_rad=fov_y_rad)
        positions = subject.center + distance * bearing(yaw, np.full(count, ORBIT_PITCH_RAD), up)
        targets = np.tile(subject.center, (count, 1))
    return [
        Camera.looking(positions[i], targets[i], up, fov_y_rad=fov_y_rad, size=size, name=f"{i:03d}")
        for i in range(count)
    ]


def starting_view(
    gaussians: Gaussians, *, size: tuple[int, int] = (640, 360), fov_y_rad: float = FOV_Y_RAD
) -> StartView:
    """A good first look at a scene.

    In a room that is the place with most room around it, looking the way that reaches farthest. An object is
    looked at from where it fills a picture of ``size`` and ``fov_y_rad``. Where the frame does not say how
    long the unit is, a room is supposed to be 2.5 m high and an object to be 2 m away.
    """
    grid = measure_occupancy(gaussians)
    up = gaussians.frame.up_vector
    if is_room(grid):
        position, _ = _clearing(grid, standing_places(grid, gaussians.frame), up)
        ways = bearing(np.linspace(0, 2 * np.pi, 24, endpoint=False), np.zeros(24), up)
        free = grid.depth_along(np.tile(position, (24, 1)), ways, float(grid.size.max()))
        wide = free + 0.5 * (np.roll(free, 1) + np.roll(free, -1))
        target = position + ways[wide.argmax()]
        upright = np.stack([up, -up])
        height = grid.depth_along(np.tile(position, (2, 1)), upright, float(grid.size.max())).sum()
        supposed = float(height) / 2.5
    else:
        subject = find_subject(grid, up)
        distance = fitting_distance(subject, up, size=size, fov_y_rad=fov_y_rad)
        target, supposed = subject.center, distance / 2
        position = target + distance * bearing(np.array(0.0), np.array(0.0), up)
    known = gaussians.frame.metres_per_unit
    return StartView(position, target, 1 / known if known else supposed)


def _clearing(grid: Occupancy, places: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, float]:
    """The place with the most level room around it, and how far that reaches."""
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    some = places[:: max(1, len(places) // 300)]
    ways = np.tile(bearing(turns, np.zeros(16), up), (len(some), 1))
    free = grid.depth_along(np.repeat(some, 16, axis=0), ways, float(grid.size.max())).reshape(-1, 16)
    best = int(free.min(axis=1).argmax())
    return some[best], float(free[best].min())
