"""Second moments of Gaussians: covariances from rotations and scales, and back.

A covariance is kept as its six numbers xx, xy, xz, yy, yz, zz.
"""

from __future__ import annotations

import numpy as np
from numba import njit

_SMALLEST_VARIANCE = 1e-14


@njit(nogil=True, cache=True)
def _fill_covariances(quats: np.ndarray, log_scales: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(quats)):
        w, x, y, z = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
        norm = 1.0 / np.sqrt(w * w + x * x + y * y + z * z + 1e-20)
        w, x, y, z = w * norm, x * norm, y * norm, z * norm
        turn = (
            (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
            (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
            (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
        )
        a, b, c = np.exp(2 * log_scales[i, 0]), np.exp(2 * log_scales[i, 1]), np.exp(2 * log_scales[i, 2])
        n = 0
        for j in range(3):
            for k in range(j, 3):
                p, q = turn[j], turn[k]
                out[i, n] = p[0] * q[0] * a + p[1] * q[1] * b + p[2] * q[2] * c
                n += 1


@njit(nogil=True, cache=True)
def area_of(cov: np.ndarray) -> float:
    """Projected area of one Gaussian (covariance [6]) over pi: root mean square over all directions.

    Along a unit n the ellipsoid of half-axes a, b, c shows pi sqrt(a2b2 n3^2 + b2c2 n1^2 + a2c2 n2^2); the
    mean of the squares is a third of the second invariant of the covariance, so no eigenvectors are needed.
    """
    minors = cov[0] * cov[3] - cov[1] * cov[1]
    minors += cov[0] * cov[5] - cov[2] * cov[2]
    minors += cov[3] * cov[5] - cov[4] * cov[4]
    return np.sqrt(max(minors, 0.0) / 3.0)


@njit(nogil=True, cache=True)
def _fill_areas(covs: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(covs)):
        out[i] = area_of(covs[i])


def covariances(quats: np.ndarray, log_scales: np.ndarray) -> np.ndarray:
    """[N,6] float32 covariances of Gaussians with rotations [N,4] and log scales [N,3]."""
    out = np.empty((len(quats), 6), np.float32)
    _fill_covariances(quats, np.clip(log_scales, -20.0, 20.0), out)
    return out


def areas(covs: np.ndarray) -> np.ndarray:
    """[N] float32 projected areas over pi of covariances [N,6], root mean square over all directions."""
    out = np.empty(len(covs), np.float32)
    _fill_areas(covs, out)
    return out


def rotations_and_scales(covs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations [N,4] (wxyz, unit) and log scales [N,3], largest first, of covariances [N,6]; float32."""
    matrix = covs.astype(np.float64)[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(-1, 3, 3)
    variances, axes = np.linalg.eigh(matrix)
    variances, axes = variances[:, ::-1], axes[:, :, ::-1].copy()
    axes[np.linalg.det(axes) < 0, :, 2] *= -1
    scales = 0.5 * np.log(np.maximum(variances, _SMALLEST_VARIANCE))
    return _quaternions(axes), np.ascontiguousarray(scales, np.float32)


def _quaternions(turns: np.ndarray) -> np.ndarray:
    """[N,4] wxyz with w >= 0 of rotation matrices [N,3,3]: the largest component first, for precision."""
    xx, yy, zz = turns[:, 0, 0], turns[:, 1, 1], turns[:, 2, 2]
    squares = np.stack([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz], axis=1)
    skew = [turns[:, 2, 1] - turns[:, 1, 2], turns[:, 0, 2] - turns[:, 2, 0], turns[:, 1, 0] - turns[:, 0, 1]]
    even = [turns[:, 0, 1] + turns[:, 1, 0], turns[:, 0, 2] + turns[:, 2, 0], turns[:, 1, 2] + turns[:, 2, 1]]
    rows = [
        np.stack([squares[:, 0], skew[0], skew[1], skew[2]], axis=1),
        np.stack([skew[0], squares[:, 1], even[0], even[1]], axis=1),
        np.stack([skew[1], even[0], squares[:, 2], even[2]], axis=1),
        np.stack([skew[2], even[1], even[2], squares[:, 3]], axis=1),
    ]
    largest = squares.argmax(axis=1)
    quats = np.choose(largest[:, None], rows)
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    return np.ascontiguousarray(np.where(quats[:, :1] < 0, -quats, quats), np.float32)
