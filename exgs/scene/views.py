"""Viewpoints for scenes that come without cameras."""

from __future__ import annotations

import math
from typing import Literal

from exgs.scene.around import sample_around
from exgs.scene.camera import Camera, cameras_looking
from exgs.scene.errors import SceneError
from exgs.scene.gaussians import Gaussians
from exgs.scene.inside import sample_amid
from exgs.scene.occupancy import measure_occupancy
from exgs.scene.site import Site, measure_site

FOV_Y_RAD = math.radians(55.0)
"""Vertical field of view where the caller names none."""
MAX_VIEWS = 100_000

Layout = Literal["auto", "inside", "orbit"]


def sample_views(
    gaussians: Gaussians,
    count: int,
    *,
    seed: int = 0,
    size: tuple[int, int] = (640, 360),
    fov_y_rad: float = FOV_Y_RAD,
    layout: Layout = "auto",
) -> list[Camera]:
    """``count`` cameras spread over where a viewer can be, named 000, 001 and so on.

    ``inside`` puts them into the free space of a room or over walkable ground, ``orbit`` around an object;
    ``auto`` decides. The same scene and seed give the same cameras; another seed gives others, as well
    spread.

    Raises:
        SceneError: ``count`` or ``layout`` make no sense.
    """
    if not 0 <= count <= MAX_VIEWS:
        raise SceneError(f"{count} views: expected 0 to {MAX_VIEWS}")
    if layout not in ("auto", "inside", "orbit"):
        raise SceneError(f"layout {layout!r}: expected auto, inside or orbit")
    if count == 0:
        return []
    site = measure_site(gaussians)
    if layout == "orbit" and site.kind != "object":
        site = Site("object", measure_occupancy(gaussians), site.frame)
    if layout == "inside" and site.kind == "object":
        return _amid(site, count, seed, size, fov_y_rad)
    return sample_site(site, count, seed=seed, size=size, fov_y_rad=fov_y_rad)


def sample_site(
    site: Site,
    count: int,
    *,
    seed: int = 0,
    size: tuple[int, int] = (640, 360),
    fov_y_rad: float = FOV_Y_RAD,
) -> list[Camera]:
    """As ``sample_views``, of a scene that was measured already."""
    if site.kind != "object":
        return _amid(site, count, seed, size, fov_y_rad)
    return sample_around(site.grid, site.up, count, seed=seed, size=size, fov_y_rad=fov_y_rad)


def _amid(site: Site, count: int, seed: int, size: tuple[int, int], fov_y_rad: float) -> list[Camera]:
    positions, targets = sample_amid(site.grid, site.up, site.places, count, seed=seed)
    return cameras_looking(positions, targets, site.up, fov_y_rad=fov_y_rad, size=size)
