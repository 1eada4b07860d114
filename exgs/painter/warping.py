"""Where the surfaces that one camera sees are in the picture of another one."""

from __future__ import annotations

import numpy as np

from exgs.scene import Camera

AGREEMENT = 0.02
"""Depths that differ by no more than this share of themselves are of one surface."""


def pixel_map(camera: Camera, other: Camera) -> tuple[np.ndarray, np.ndarray]:
    """[3,3] and [3] such that ``z * (A @ (x, y, 1)) + b`` is ``(u * z', v * z', z')``.

    A point at depth z in the pixel (x, y) of ``camera`` is at depth z' in the pixel (u, v) of ``other``; both
    count from the picture's corner, so that centres are at +0.5.
    """
    between = other.camera_from_world @ camera.world_from_camera
    back = np.linalg.inv(_intrinsics(camera))
    return _intrinsics(other) @ between[:3, :3] @ back, _intrinsics(other) @ between[:3, 3]


def reproject(depth: np.ndarray, camera: Camera, other: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """u, v and z', each [H,W] float64, in ``other`` of what ``camera`` sees at ``depth`` [H,W].

    All are NaN where ``depth`` is 0, or where the point is behind ``other``.
    """
    height, width = depth.shape
    matrix, shift = pixel_map(camera, other)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    u, v, z = (rays * depth.ravel() + shift[:, None]).reshape(3, height, width)
    z = np.where((depth > 0) & (z > 0), z, np.nan)
    return u / z, v / z, z


def sample(image: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """[...,C] of ``image`` [H,W,C] between the four pixels around ``u``, ``v`` [...]; NaN outside of them."""
    left, top, inside = _corner(image, u, v)
    across = np.where(inside, u - 0.5 - left, np.nan)[..., None]
    down = np.where(inside, v - 0.5 - top, np.nan)[..., None]
    upper = image[top, left] * (1 - across) + image[top, left + 1] * across
    lower = image[top + 1, left] * (1 - across) + image[top + 1, left + 1] * across
    return np.asarray(upper * (1 - down) + lower * down)


def one_surface(depth: np.ndarray, u: np.ndarray, v: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Whether all four pixels around ``u``, ``v`` [...] in ``depth`` [H,W] are as far away as ``z`` [...]."""
    left, top, inside = _corner(depth, u, v)
    agree = inside.copy()
    for row in (top, top + 1):
        for column in (left, left + 1):
            agree &= np.abs(depth[row, column] - np.where(inside, z, np.inf)) <= AGREEMENT * np.where(
                inside, z, 0
            )
    return np.asarray(agree)


def _corner(image: np.ndarray, u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Column and row of the upper left one of the four pixels around each place, and whether all exist."""
    height, width = image.shape[:2]
    inside = (u >= 0.5) & (v >= 0.5) & (u < width - 0.5) & (v < height - 0.5)
    left = np.floor(np.where(inside, u, 0.5) - 0.5).astype(np.int64)
    top = np.floor(np.where(inside, v, 0.5) - 0.5).astype(np.int64)
    return np.minimum(left, width - 2), np.minimum(top, height - 2), inside


def _intrinsics(camera: Camera) -> np.ndarray:
    return np.array([(camera.fx, 0, camera.cx), (0, camera.fy, camera.cy), (0, 0, 1.0)])
