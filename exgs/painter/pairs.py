"""Makes pairs of scenes: the clean picture, and what a viewer of a compressed copy sees there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exgs.painter.damage import DAMAGES, Damage, Encoder, damaged
from exgs.painter.planes import layer_plane, rate, relative_disparity
from exgs.painter.shards import Pairs
from exgs.painter.visibility import layers, splats_per_pixel
from exgs.raster import Rasterizer, Rendering, to_bytes
from exgs.scene import Camera, Gaussians, sample_views

FOVS_RAD = (0.3, 0.5, 0.75, 1.1)
"""Vertical fields of view of the pictures, in turn: splats of one scene are then of many sizes, and gaps of
the source are seen near by, too."""
TURN = 0.15
"""Standard deviation of the turns that bring a view off its target, in fields of view."""


@dataclass(frozen=True)
class PairSettings:
    """Which pairs are made of a scene."""

    size_px: int = 256
    """Width and height of the pictures."""
    views: int = 16
    """Views of each scene."""
    pairs_per_view: int = 2
    """Damaged pictures of each view, of different kinds."""
    seed: int = 0
    """Seed of the views and of the choice of kinds."""
    damages: tuple[str, ...] = DAMAGES
    """The kinds, as ``parse_damage`` reads them."""


def make_pairs(
    name: str,
    gaussians: Gaussians,
    damages: Sequence[Damage],
    settings: PairSettings,
    *,
    rasterizer: Rasterizer,
    make: Encoder,
    progress: Callable[[float], None] = lambda share: None,
) -> Pairs:
    """The pairs of one scene; the same scene and settings give the same views and kinds."""
    rng = np.random.default_rng([settings.seed, len(gaussians)])
    cameras = pair_views(gaussians, settings, rng)
    wanted = choose_damages(len(cameras), len(damages), settings.pairs_per_view, rng)
    source = np.stack([to_bytes(rasterizer.render(gaussians, [camera]).color[0]) for camera in cameras])
    found: list[_Picture] = []
    for kind, (damage, scene) in enumerate(damaged(gaussians, damages, make=make)):
        views = np.flatnonzero(wanted[:, kind])
        found += [_look(rasterizer, scene, cameras[view], int(view), damage.name) for view in views]
        progress((kind + 1) / len(damages))
    return Pairs(
        scene=name,
        source=source,
        color=np.stack([picture.color for picture in found]),
        alpha=np.stack([picture.alpha for picture in found]),
        disparity=np.stack([picture.disparity for picture in found]),
        view=np.array([picture.view for picture in found], np.int32),
        rate=np.array([picture.rate for picture in found], np.float32),
        layers=np.array([picture.layers for picture in found], np.float32),
        damage=np.array([picture.damage for picture in found]),
    )


def pair_views(gaussians: Gaussians, settings: PairSettings, rng: np.random.Generator) -> list[Camera]:
    """Square views of many fields of view, each turned a little off what it looked at."""
    size = (settings.size_px, settings.size_px)
    cameras: list[Camera] = []
    for number, fov_rad in enumerate(FOVS_RAD):
        share = len(range(number, settings.views, len(FOVS_RAD)))
        seed = int(rng.integers(1 << 31))
        views = sample_views(gaussians, share, seed=seed, size=size, fov_y_rad=fov_rad)
        cameras += [turned(view, rng.normal(0, TURN * fov_rad, 3)) for view in views]
    return cameras


def turned(camera: Camera, angles: np.ndarray) -> Camera:
    """``camera`` turned in its place by the rotation vector ``angles`` [3] in radians, about its own axes."""
    from scipy.spatial.transform import Rotation

    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(angles).as_matrix()
    return replace(camera, camera_from_world=turn @ camera.camera_from_world)


def choose_damages(views: int, kinds: int, per_view: int, rng: np.random.Generator) -> np.ndarray:
    """[views, kinds] bool: ``per_view`` kinds of each view, all kinds about equally often."""
    chosen = np.zeros((views, kinds), bool)
    for view in range(views):
        used = chosen.sum(axis=0) + rng.random(kinds)
        chosen[view, np.argsort(used)[:per_view]] = True
    return chosen


@dataclass(frozen=True, eq=False)
class _Picture:
    """A damaged picture on its way into ``Pairs``."""

    color: np.ndarray
    alpha: np.ndarray
    disparity: np.ndarray
    rate: float
    layers: float
    view: int
    damage: str


def _look(rasterizer: Rasterizer, scene: Gaussians, camera: Camera, view: int, damage: str) -> _Picture:
    rendering: Rendering = rasterizer.render(scene, [camera], depth=True)
    alpha, depth = rendering.alpha[0], rendering.depth
    if depth is None:
        raise ValueError(f"the rasteriser {rasterizer.name} gave no depth")
    disparity = relative_disparity(depth[0], alpha)
    return _Picture(
        color=to_bytes(rendering.color[0]),
        alpha=_bytes(alpha),
        disparity=_bytes(disparity),
        rate=rate(float(splats_per_pixel(scene, [camera])[0])),
        layers=layer_plane(float(layers(scene, [camera])[0])),
        view=view,
        damage=damage,
    )


def _bytes(plane: np.ndarray) -> np.ndarray:
    return (np.clip(plane, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
