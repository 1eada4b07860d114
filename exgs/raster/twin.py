"""The slow readable twin: the model in plain NumPy and double precision, one Gaussian after the other.

It says what the fast rasterisers must compute; the tests hold them to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from exgs.raster.seam import Rendering, picture_size
from exgs.raster.sh import view_colors
from exgs.scene import Camera, Gaussians

NEAR = 0.01
"""Smallest z that is drawn, in units of the scene."""
LOW_PASS_PX2 = 0.3
"""Variance added to the projected covariance, in square pixels."""
SMALLEST_ALPHA, LARGEST_ALPHA = 1 / 255, 0.99
OPAQUE = 1e-4
"""Light let through below which a pixel takes no more."""
SLOPE_LIMIT = 0.65
"""Clamp of x/z and y/z where the projection is linearised, in picture sizes from the centre."""
FARTHEST_PX, WIDEST_PX2, SMALLEST_DETERMINANT = 1e6, 1e9, 1e-12
"""Centres, variances and determinants beyond which a Gaussian is left out."""


@dataclass(frozen=True, eq=False)
class Ellipse:
    """One Gaussian in the picture."""

    index: int
    """Which Gaussian of the scene it is."""
    centre: np.ndarray
    """[2] in pixels."""
    covariance: np.ndarray
    """[2,2] in square pixels, low-pass included."""
    opacity: float
    """Alpha at the centre."""
    depth: float
    """z along the view."""

    def alpha(self, height: int, width: int) -> tuple[tuple[slice, slice], np.ndarray]:
        """The rows and columns where alpha can reach the cut, and alpha there, 0 below the cut."""
        reach = np.sqrt(2 * np.log(self.opacity / SMALLEST_ALPHA) * np.diag(self.covariance))
        low = np.clip(np.floor(self.centre - reach - 0.5), 0, (width, height)).astype(int)
        high = np.clip(np.ceil(self.centre + reach + 0.5), 0, (width, height)).astype(int)
        window = (slice(low[1], high[1]), slice(low[0], high[0]))
        dx = np.arange(low[0], high[0]) + 0.5 - self.centre[0]
        dy = (np.arange(low[1], high[1]) + 0.5 - self.centre[1])[:, None]
        inverse = np.linalg.inv(self.covariance)
        power = -0.5 * (inverse[0, 0] * dx * dx + inverse[1, 1] * dy * dy) - inverse[0, 1] * dx * dy
        alpha = np.minimum(self.opacity * np.exp(np.minimum(power, 0)), LARGEST_ALPHA)
        return window, np.where(alpha >= SMALLEST_ALPHA, alpha, 0)


class TwinRasterizer:
    """Rasterises slowly and readably; a scene of a few hundred Gaussians takes a second."""

    name = "twin"

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        """Renders from every camera; all must share one picture size (ValueError otherwise)."""
        width, height = picture_size(cameras)
        color = np.zeros((len(cameras), height, width, 3))
        alpha, depths = np.zeros((2, len(cameras), height, width))
        total, most = np.zeros((2, len(gaussians)))
        for view, camera in enumerate(cameras):
            colors = view_colors(gaussians, camera)
            for ellipse, window, weight in _blend(gaussians, camera):
                color[view][window] += weight[..., None] * colors[ellipse.index]
                alpha[view][window] += weight
                depths[view][window] += weight * ellipse.depth
                total[ellipse.index] += weight.sum()
                most[ellipse.index] = max(most[ellipse.index], weight.max(initial=0))
        depths = np.divide(depths, alpha, out=np.zeros_like(depths), where=alpha > 0)
        return Rendering(
            color.astype(np.float32),
            alpha.astype(np.float32),
            depths.astype(np.float32) if depth else None,
            total.astype(np.float32) if weights else None,
            most.astype(np.float32) if weights else None,
        )

    def blending(self, gaussians: Gaussians, cameras: Sequence[Camera]) -> TwinBlending:
        """The blending operator of every camera, for least-squares fits of colours."""
        return TwinBlending(gaussians, list(cameras))


class TwinBlending:
    """The blending operator, computed anew at every call."""

    def __init__(self, gaussians: Gaussians, cameras: list[Camera]) -> None:
        self._gaussians = gaussians
        self._cameras = cameras

    def forward(self, view: int, colors: np.ndarray) -> np.ndarray:
        """[H,W,3] picture over black of camera ``view`` for linear ``colors`` [N,3] of any sign."""
        camera = self._cameras[view]
        picture = np.zeros((camera.height, camera.width, 3))
        for ellipse, window, weight in _blend(self._gaussians, camera):
            picture[window] += weight[..., None] * colors[ellipse.index]
        return picture.astype(np.float32)

    def transpose(self, view: int, picture: np.ndarray) -> np.ndarray:
        """[N,3] sum over the pixels of (blending weight x ``picture`` [H,W,3]) for camera ``view``."""
        sums = np.zeros((len(self._gaussians), 3))
        for ellipse, window, weight in _blend(self._gaussians, self._cameras[view]):
            sums[ellipse.index] = (weight[..., None] * picture[window]).sum(axis=(0, 1))
        return sums.astype(np.float32)


def project(gaussians: Gaussians, camera: Camera) -> list[Ellipse]:
    """The Gaussians that can reach the picture of ``camera``, nearest first (equal depths in storage order).

    Source: Zwicker et al. 2001 for the projection, Kerbl et al. 2023 for the clamp and the low-pass.
    """
    turn, shift = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    finite = _finite(gaussians, camera)
    ellipses = []
    for index in np.flatnonzero(finite):
        x, y, z = turn @ gaussians.means[index].astype(np.float64) + shift
        opacity = float(gaussians.opacities[index])
        if not z > NEAR or not opacity >= SMALLEST_ALPHA:
            continue
        centre = np.array([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy])
        root = _projected_root(gaussians, camera, int(index), (x / z, y / z, z))
        covariance = root @ root.T + LOW_PASS_PX2 * np.eye(2)
        if not (np.abs(centre) < FARTHEST_PX).all() or not (np.diag(covariance) < WIDEST_PX2).all():
            continue
        if np.linalg.det(covariance) > SMALLEST_DETERMINANT:
            ellipses.append(Ellipse(int(index), centre, covariance, opacity, z))
    return sorted(ellipses, key=lambda ellipse: ellipse.depth)


def _projected_root(
    gaussians: Gaussians, camera: Camera, index: int, place: tuple[float, float, float]
) -> np.ndarray:
    """[2,3] root of the projected covariance: Jacobian x camera's rotation x Gaussian's rotation x scales."""
    limit_x, limit_y = SLOPE_LIMIT * camera.width / camera.fx, SLOPE_LIMIT * camera.height / camera.fy
    slope_x, slope_y = np.clip(place[0], -limit_x, limit_x), np.clip(place[1], -limit_y, limit_y)
    rows = [[camera.fx, 0, -camera.fx * slope_x], [0, camera.fy, -camera.fy * slope_y]]
    jacobian = np.array(rows) / place[2]
    quat = gaussians.quats[index].astype(np.float64)
    w, x, y, z = quat / np.sqrt((quat * quat).sum() + 1e-20)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    scales = np.exp(np.clip(gaussians.log_scales[index].astype(np.float64), -87, 87))
    return np.asarray(jacobian @ camera.camera_from_world[:3, :3] @ rotation * scales)


def _finite(gaussians: Gaussians, camera: Camera) -> np.ndarray:
    """[N] whether every value of a Gaussian, and the colour that the camera sees, is finite."""
    with np.errstate(all="ignore"):
        columns = [gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits[:, None]]
        values = np.concatenate([*columns, view_colors(gaussians, camera)], axis=1)
        return np.asarray(np.isfinite(values).all(axis=1))


def _blend(gaussians: Gaussians, camera: Camera) -> Iterator[tuple[Ellipse, tuple[slice, slice], np.ndarray]]:
    """Each Gaussian, nearest first, with a window of the picture and its blending weights in there."""
    clear = np.ones((camera.height, camera.width))
    for ellipse in project(gaussians, camera):
        window, alpha = ellipse.alpha(camera.height, camera.width)
        weight = np.where(clear[window] >= OPAQUE, alpha * clear[window], 0)
        clear[window] -= weight
        yield ellipse, window, weight
