"""A smooth path around an object or through a room, for turntables."""

from __future__ import annotations

import math

import numpy as np

from exgs.scene.around import find_subject, fitting_distance
from exgs.scene.camera import Camera, cameras_looking
from exgs.scene.errors import SceneError
from exgs.scene.gaussians import Gaussians
from exgs.scene.occupancy import Occupancy
from exgs.scene.site import Site, measure_site
from exgs.scene.spread import bearing
from exgs.scene.start import StartView
from exgs.scene.views import FOV_Y_RAD, MAX_VIEWS

_EYE_M = 1.6
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
    site = measure_site(gaussians)
    grid, up = site.grid, site.up
    yaw = 2 * np.pi * np.arange(count) / max(count, 1)
    if site.kind != "object":
        center, radius = _clearing(grid, site.places[0], up)
        outward = bearing(yaw, np.zeros(count), up)
        positions = center + 0.6 * radius * outward
        targets = positions + bearing(yaw + np.pi, math.radians(-8) + 0.1 * np.sin(2 * yaw), up)
    else:
        subject = find_subject(grid, up)
        distance = fitting_distance(subject, up, size=size, fov_y_rad=fov_y_rad)
        positions = subject.center + distance * bearing(yaw, np.full(count, ORBIT_PITCH_RAD), up)
        targets = np.tile(subject.center, (count, 1))
    return cameras_looking(positions, targets, up, fov_y_rad=fov_y_rad, size=size)


def starting_view(
    gaussians: Gaussians, *, size: tuple[int, int] = (640, 360), fov_y_rad: float = FOV_Y_RAD
) -> StartView:
    """A good first look at a scene.

    In a room that is the place with most room around it, looking the way that reaches farthest. An object is
    looked at from where it fills a picture of ``size`` and ``fov_y_rad``, the outdoors from halfway out.
    Where the frame does not say how long the unit is, a room is supposed to be 2.5 m high, a head outdoors to
    be 1.6 m above the ground and an object to be 2 m away.
    """
    return starting_view_of(measure_site(gaussians), size=size, fov_y_rad=fov_y_rad)


def starting_view_of(
    site: Site, *, size: tuple[int, int] = (640, 360), fov_y_rad: float = FOV_Y_RAD
) -> StartView:
    """As ``starting_view``, of a scene that was measured already."""
    grid, up = site.grid, site.up
    if site.kind == "room":
        position, target, supposed = _room_start(site)
    elif site.kind == "outdoors":
        position, target, supposed = _outdoor_start(site)
    else:
        subject = find_subject(grid, up)
        distance = fitting_distance(subject, up, size=size, fov_y_rad=fov_y_rad)
        target, supposed = subject.center, distance / 2
        position = target + distance * bearing(np.array(0.0), np.array(0.0), up)
    known = site.frame.metres_per_unit
    return StartView(position, target, 1 / known if known else supposed)


def _room_start(site: Site) -> tuple[np.ndarray, np.ndarray, float]:
    """Where a head begins in a room, what it looks at, and supposed units per metre."""
    grid, up = site.grid, site.up
    position, _ = _clearing(grid, site.places[0], up)
    ways = bearing(np.linspace(0, 2 * np.pi, 24, endpoint=False), np.zeros(24), up)
    free = grid.depth_along(np.tile(position, (24, 1)), ways, float(grid.size.max()))
    wide = free + 0.5 * (np.roll(free, 1) + np.roll(free, -1))
    upright = np.stack([up, -up])
    height = grid.depth_along(np.tile(position, (2, 1)), upright, float(grid.size.max())).sum()
    return position, position + ways[wide.argmax()], float(height) / 2.5


def _outdoor_start(site: Site) -> tuple[np.ndarray, np.ndarray, float]:
    """The same outdoors: halfway out from the middle, at the usual one of the heights."""
    places, weights = site.places
    span = (site.grid.core[1] - site.grid.core[0]) * (1 - np.abs(site.up))
    gap = (places - site.grid.core.mean(axis=0)) * (1 - np.abs(site.up))
    off = np.abs(np.linalg.norm(gap, axis=1) / np.linalg.norm(span) - 0.25)
    best = int((off + 0.2 * np.abs(np.log(weights / np.median(weights)))).argmin())
    return places[best], places[best] - gap[best], float(1 / weights[best]) / _EYE_M


def _clearing(grid: Occupancy, places: np.ndarray, up: np.ndarray) -> tuple[np.ndarray, float]:
    """The place with the most level room around it, and how far that reaches."""
    turns = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    some = places[:: max(1, len(places) // 300)]
    ways = np.tile(bearing(turns, np.zeros(16), up), (len(some), 1))
    free = grid.depth_along(np.repeat(some, 16, axis=0), ways, float(grid.size.max())).reshape(-1, 16)
    off = np.linalg.norm(some - grid.core.mean(axis=0), axis=1)
    best = int((free.min(axis=1) - 0.01 * off).argmax())
    reach = 0.5 * float((grid.core[1] - grid.core[0])[up == 0].min())
    return some[best], min(float(free[best].min()), reach)
