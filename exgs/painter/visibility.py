"""How many splats a camera has in view: the rate that restoring goes by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.scene import Camera, Gaussians

SAMPLE = 8192
"""Splats looked at, evenly spaced; all of them where there are fewer than twice as many."""
NEAR_PLANE = 0.01


def splats_per_pixel(gaussians: Gaussians, cameras: Sequence[Camera]) -> np.ndarray:
    """[B] about how many centres lie within each camera's picture, over its pixels."""
    if not len(gaussians):
        return np.zeros(len(cameras))
    sample = gaussians.means[:: max(1, len(gaussians) // SAMPLE)]
    shares = [float(in_view(sample, camera).mean()) for camera in cameras]
    pixels = [camera.width * camera.height for camera in cameras]
    return len(gaussians) * np.array(shares) / np.array(pixels)


def in_view(means: np.ndarray, camera: Camera) -> np.ndarray:
    """[N] whether each of ``means`` [N,3] lies within the camera's picture."""
    turn, shift = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    x, y, z = (turn.astype(np.float32) @ means.T) + shift.astype(np.float32)[:, None]
    u, v = camera.fx * x + camera.cx * z, camera.fy * y + camera.cy * z
    return (z > NEAR_PLANE) & (u >= 0) & (u < camera.width * z) & (v >= 0) & (v < camera.height * z)
