"""How many splats a camera has in view, and how thick they lie: what restoring goes by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.scene import Camera, Gaussians

SAMPLE = 8192
"""Splats looked at, evenly spaced; all of them where there are fewer than twice as many."""
NEAR_PLANE = 0.01
_MOST_LOG_SCALE, _MOST_LOGIT = 20.0, 80.0


def splats_per_pixel(gaussians: Gaussians, cameras: Sequence[Camera]) -> np.ndarray:
    """[B] about how many centres lie within each camera's picture, over its pixels."""
    if not len(gaussians):
        return np.zeros(len(cameras))
    sample = gaussians.means[:: max(1, len(gaussians) // SAMPLE)]
    shares = [float(in_view(sample, camera).mean()) for camera in cameras]
    pixels = [camera.width * camera.height for camera in cameras]
    return len(gaussians) * np.array(shares) / np.array(pixels)


def layers(gaussians: Gaussians, cameras: Sequence[Camera]) -> np.ndarray:
    """[B] about how many opaque splats lie over one another in each camera's picture, in the mean.

    A picture made of few splats is near to its surfaces, or was thinned: there are fewer layers then, however
    near it is.
    """
    if not len(gaussians):
        return np.zeros(len(cameras))
    step = max(1, len(gaussians) // SAMPLE)
    means, axes = gaussians.means[::step], _rotations(gaussians.quats[::step])
    extents = np.exp(np.minimum(gaussians.log_scales[::step], _MOST_LOG_SCALE))
    faces = extents[:, [1, 0, 0]] * extents[:, [2, 2, 1]]
    opacity = 1 / (1 + np.exp(-np.clip(gaussians.opacity_logits[::step], -_MOST_LOGIT, _MOST_LOGIT)))
    found = []
    for camera in cameras:
        seen = in_view(means, camera)
        toward = means[seen] - camera.position.astype(np.float32)
        distance = np.maximum(np.linalg.norm(toward, axis=1), NEAR_PLANE)
        along = np.einsum("nij,ni->nj", axes[seen], toward / distance[:, None])
        shadow = 2 * np.pi * np.linalg.norm(faces[seen] * along, axis=1)
        pixels = camera.width * camera.height
        areas = np.minimum(shadow * (camera.fx * camera.fy / distance**2), pixels)
        found.append(step * float((opacity[seen] * areas).sum()) / pixels)
    return np.array(found)


def in_view(means: np.ndarray, camera: Camera) -> np.ndarray:
    """[N] whether each of ``means`` [N,3] lies within the camera's picture."""
    turn, shift = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    x, y, z = (turn.astype(np.float32) @ means.T) + shift.astype(np.float32)[:, None]
    u, v = camera.fx * x + camera.cx * z, camera.fy * y + camera.cy * z
    return (z > NEAR_PLANE) & (u >= 0) & (u < camera.width * z) & (v >= 0) & (v < camera.height * z)


def _rotations(quats: np.ndarray) -> np.ndarray:
    """[N,3,3] rotation matrices of quaternions [N,4], real part first, of any length."""
    w, x, y, z = (quats / np.maximum(np.linalg.norm(quats, axis=1, keepdims=True), 1e-12)).T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
            2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
            2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]  # fmt: skip
    return np.stack(rows, axis=1).reshape(-1, 3, 3)
