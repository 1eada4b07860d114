"""What tests of the network share: a tiny one, and views of a painted slope and of a furnished room."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter

from exgs.raster import Rasterizer
from exgs.scene import Camera, Frame, Gaussians, generate_interior

TINY = {"fine": 16, "wide": 24, "steps": 16, "quarter": 16, "deep": 24, "heads": 3, "blocks": 1}
"""An architecture small enough for a test."""


@dataclass(frozen=True, eq=False)
class Shots:
    """Pictures of a scene from a few places in a row, and depths."""

    cameras: tuple[Camera, ...]
    pictures: np.ndarray
    """[V,H,W,3] float32 in [0, 1]."""
    depths: np.ndarray
    """[V,H,W] float32 z along the view."""
    near: float
    far: float

    def only(self, views: list[int]) -> Shots:
        cameras = tuple(self.cameras[view] for view in views)
        return replace(self, cameras=cameras, pictures=self.pictures[views], depths=self.depths[views])


def shoot(scene: Gaussians, cameras: list[Camera], rasterizer: Rasterizer) -> Shots:
    """What ``cameras`` see of ``scene``."""
    seen = rasterizer.render(scene, cameras, depth=True)
    assert seen.depth is not None
    near, far = np.quantile(seen.depth[seen.alpha > 0.9], [0.01, 1.0])
    return Shots(tuple(cameras), seen.color.clip(0, 1), seen.depth, float(near) * 0.9, float(far) * 1.05)


def row_of_cameras(
    eye: np.ndarray, look: np.ndarray, *, count: int, step: float, size: tuple[int, int]
) -> list[Camera]:
    """``count`` cameras side by side, ``step`` apart, that look the same way."""
    right = np.cross(look, [0.0, -1.0, 0.0])
    right = -right / np.linalg.norm(right)
    places = [eye + right * step * (number - (count - 1) / 2) for number in range(count)]
    up = np.array([0.0, -1.0, 0.0])
    return [Camera.looking(place, place + look, up, fov_y_rad=1.0, size=size) for place in places]


def room(rasterizer: Rasterizer, *, count: int = 5, step: float = 0.12) -> Shots:
    """A corner of a generated interior."""
    scene = generate_interior(seed=3, count=40_000)
    eye, look = np.array([0.5, -1.4, 0.3]), np.array([1.0, 0.1, 0.6])
    cameras = row_of_cameras(eye, look, count=count, step=step, size=(112, 64))
    return shoot(scene, cameras, rasterizer)


def wall(rasterizer: Rasterizer, *, count: int = 3, size: tuple[int, int] = (64, 48)) -> Shots:
    """A painted wall, 3 units away."""
    side = 70
    across = np.linspace(-3, 3, side)
    paint = gaussian_filter(np.random.default_rng(1).normal(size=(side, side, 3)), (1.5, 1.5, 0))
    x, y = np.meshgrid(across, across)
    means = np.stack([x, y, np.full_like(x, 3.0)], axis=-1).reshape(-1, 3).astype(np.float32)
    wide = len(means)
    scene = Gaussians(
        means=means,
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (wide, 1)),
        log_scales=np.full((wide, 3), np.log(0.06), np.float32),
        opacity_logits=np.full(wide, 4.0, np.float32),
        sh0=(paint / paint.std()).reshape(-1, 1, 3).astype(np.float32) * 0.6,
        shN=np.zeros((wide, 0, 3), np.float32),
        frame=Frame(),
    )
    cameras = row_of_cameras(np.zeros(3), np.array([0.0, 0.0, 1.0]), count=count, step=0.2, size=size)
    return replace(shoot(scene, cameras, rasterizer), near=1.5, far=6.0)
