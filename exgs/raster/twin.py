"""The slow readable twin: the model in plain NumPy and double precision, one Gaussian after the other.

It says what the fast rasterisers must compute; the tests hold them to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from exgs.raster.seam import Gradients, Pull, Rendering, Telling, checked, no_gradients, picture_size
from exgs.raster.sh import sh_basis, view_colors, view_directions
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

STEP = 1e-4
"""Of the differences by which the projection is differentiated, in scales, radians and logarithms."""


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

    def pulled(self, window: tuple[slice, slice], h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradients of centre [2] and covariance [2,2], from those of ln(alpha) in a window."""
        rows, columns = window
        dx = np.arange(columns.start, columns.stop) + 0.5 - self.centre[0] + 0 * h
        dy = (np.arange(rows.start, rows.stop) + 0.5 - self.centre[1])[:, None] + 0 * h
        inverse, offsets = np.linalg.inv(self.covariance), np.stack([dx, dy])
        first, second = (h * offsets).sum(axis=(1, 2)), np.einsum("hw,ahw,bhw->ab", h, offsets, offsets)
        return inverse @ first, inverse @ second @ inverse / 2


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

    def share_out(self, gaussians: Gaussians, camera: Camera, tell: Telling) -> tuple[np.ndarray, np.ndarray]:
        """Draws ``camera``'s picture and shares out what ``tell`` makes of it, for least-squares fits."""
        picture = self.render(gaussians, [camera]).color[0]
        told = checked(tell(picture), picture.shape)
        parts, weights = np.zeros((len(gaussians), 3)), np.zeros(len(gaussians))
        for ellipse, window, weight in _blend(gaussians, camera):
            parts[ellipse.index] = (weight[..., None] * told[window]).sum(axis=(0, 1))
            weights[ellipse.index] = weight.sum()
        return parts.astype(np.float32), weights.astype(np.float32)

    def gradients(self, gaussians: Gaussians, cameras: Sequence[Camera], pull: Pull) -> Gradients:
        """Draws every camera's picture, asks ``pull`` for its gradient and carries that back; the sum."""
        total = no_gradients(gaussians)
        for view, camera in enumerate(cameras):
            colors = view_colors(gaussians, camera)
            picture = self.render(gaussians, [camera]).color[0].astype(np.float64)
            slope = pull(view, picture.astype(np.float32)).astype(np.float64)
            basis = sh_basis(view_directions(gaussians.means, camera), gaussians.sh_degree)
            rest, clear = (slope * picture).sum(axis=2), np.ones(picture.shape[:2])
            for ellipse, window, weight in _blend(gaussians, camera):
                index, color = ellipse.index, colors[ellipse.index]
                moves = weight < LARGEST_ALPHA * (1 - 1e-6) * clear[window]
                shown = slope[window] @ color
                rest[window] -= weight * shown
                clear[window] -= weight
                h = np.where(moves, weight * (shown - rest[window] / np.maximum(clear[window], 1e-7)), 0)
                to_color = np.where(color > 0, (weight[..., None] * slope[window]).sum(axis=(0, 1)), 0)
                total.harmonics[index] += np.outer(basis[index], to_color)
                total.opacity_logits[index] += h.sum() * (1 - ellipse.opacity)
                shape = _pulled_shape(gaussians, ellipse, camera, ellipse.pulled(window, h))
                for values, gain in zip((total.means, total.turns, total.log_scales), shape, strict=True):
                    values[index] += gain
        return total


def project(gaussians: Gaussians, camera: Camera) -> list[Ellipse]:
    """The Gaussians that can reach the picture of ``camera``, nearest first (equal depths in storage order).

    Source: Zwicker et al. 2001 for the projection, Kerbl et al. 2023 for the clamp and the low-pass.
    """
    turn, shift = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    finite = _finite(gaussians, camera)
    ellipses = []
    for index in np.flatnonzero(finite):
        z = turn[2] @ gaussians.means[index].astype(np.float64) + shift[2]
        opacity = float(gaussians.opacities[index])
        if not z > NEAR or not opacity >= SMALLEST_ALPHA:
            continue
        shape = [gaussians.means[index], gaussians.quats[index], gaussians.log_scales[index]]
        centre, covariance = _outline(np.concatenate(shape, dtype=np.float64), camera)
        if not (np.abs(centre) < FARTHEST_PX).all() or not (np.diag(covariance) < WIDEST_PX2).all():
            continue
        if np.linalg.det(covariance) > SMALLEST_DETERMINANT:
            ellipses.append(Ellipse(int(index), centre, covariance, opacity, z))
    return sorted(ellipses, key=lambda ellipse: ellipse.depth)


def _outline(shape: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Centre [2] and covariance [2,2] in the picture of a mean, quaternion and log scales [10]."""
    mean, quat, log_scales = shape[:3], shape[3:7], shape[7:]
    turn = camera.camera_from_world[:3, :3]
    x, y, z = turn @ mean + camera.camera_from_world[:3, 3]
    limit_x, limit_y = SLOPE_LIMIT * camera.width / camera.fx, SLOPE_LIMIT * camera.height / camera.fy
    slope_x, slope_y = np.clip(x / z, -limit_x, limit_x), np.clip(y / z, -limit_y, limit_y)
    rows = [[camera.fx, 0, -camera.fx * slope_x], [0, camera.fy, -camera.fy * slope_y]]
    scales = np.exp(np.clip(log_scales, -87, 87))
    root = np.array(rows) / z @ turn @ _rotation(quat) * scales
    centre = np.array([camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy])
    return centre, root @ root.T + LOW_PASS_PX2 * np.eye(2)


def _rotation(quat: np.ndarray) -> np.ndarray:
    """[3,3] of a quaternion of any length."""
    w, x, y, z = quat / np.sqrt((quat * quat).sum() + 1e-20)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _pulled_shape(
    gaussians: Gaussians, ellipse: Ellipse, camera: Camera, pulled: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """[3,3] gradients of mean, turn and log scales; the projection is differentiated by differences."""
    i, gains = ellipse.index, np.empty(9)
    mean, quat = gaussians.means[i].astype(np.float64), gaussians.quats[i].astype(np.float64)
    log_scales = gaussians.log_scales[i].astype(np.float64)
    unit = np.concatenate([np.full(3, np.exp(log_scales).min()), np.ones(6)])
    for n in range(9):
        outlines = []
        for side in (STEP, -STEP):
            move = side * unit * np.eye(9)[n]
            shape = [mean + move[:3], _turned(quat, move[3:6]), log_scales + move[6:]]
            outlines.append(_outline(np.concatenate(shape), camera))
        (centre, covariance), (centre_back, covariance_back) = outlines
        change = pulled[0] @ (centre - centre_back) + (pulled[1] * (covariance - covariance_back)).sum()
        gains[n] = change / (2 * STEP * unit[n])
    return gains.reshape(3, 3)


def _turned(quat: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The quaternion after a small turn [3] about its own axes."""
    w, v = quat[0], quat[1:]
    return np.concatenate([[w - v @ turn / 2], v + (w * turn + np.cross(v, turn)) / 2])


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
