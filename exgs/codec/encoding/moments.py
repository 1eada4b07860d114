"""Second moments of Gaussians: covariances from rotations and scales, and back.

A covariance is kept as its six numbers xx, xy, xz, yy, yz, zz.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import kernel
from exgs.raster.crew import Crew

_SMALLEST_VARIANCE = 1e-14
"""In squared units: what is thinner, by rounding even negative, has a logarithm too."""
_SWEEPS = 12
"""Times that all three planes are turned at most."""
_NEGLIGIBLE = 1e-22
"""Squares off the diagonal that count as none, of those on it."""


@kernel
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


@kernel
def area_of(cov: np.ndarray) -> float:
    """Projected area of one Gaussian (covariance [6]) over pi: root mean square over all directions.

    Along a unit n the ellipsoid of half-axes a, b, c shows pi sqrt(a2b2 n3^2 + b2c2 n1^2 + a2c2 n2^2); the
    mean of the squares is a third of the second invariant of the covariance, so no eigenvectors are needed.
    """
    minors = cov[0] * cov[3] - cov[1] * cov[1]
    minors += cov[0] * cov[5] - cov[2] * cov[2]
    minors += cov[3] * cov[5] - cov[4] * cov[4]
    return np.sqrt(max(minors, 0.0) / 3.0)


@kernel
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


def rotations_and_scales(covs: np.ndarray, crew: Crew | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Rotations [N,4] (wxyz, unit) and log scales [N,3], largest first, of covariances [N,6]; float32."""
    quats, log_scales = np.empty((len(covs), 4), np.float32), np.empty((len(covs), 3), np.float32)
    crew = crew or Crew()
    crew.share(_fill_turns, [(a, b, covs, quats, log_scales) for a, b in crew.parts(len(covs))])
    return quats, log_scales


@kernel
def _fill_turns(begin: int, end: int, covs: np.ndarray, quats: np.ndarray, log_scales: np.ndarray) -> None:
    a, axes, order = np.empty((3, 3)), np.empty((3, 3)), np.empty(3, np.int64)
    turn = np.empty((3, 3))
    for i in range(begin, end):
        a[0, 0], a[1, 1], a[2, 2] = covs[i, 0], covs[i, 3], covs[i, 5]
        a[0, 1], a[0, 2], a[1, 2] = covs[i, 1], covs[i, 2], covs[i, 4]
        _diagonalise(a, axes)
        order[0], order[1], order[2] = 0, 1, 2
        for first, second in ((0, 1), (1, 2), (0, 1)):
            if a[order[second], order[second]] > a[order[first], order[first]]:
                order[first], order[second] = order[second], order[first]
        for place in range(3):
            turn[:, place] = axes[:, order[place]]
            log_scales[i, place] = 0.5 * np.log(max(a[order[place], order[place]], _SMALLEST_VARIANCE))
        for row in range(3):
            other, last = (row + 1) % 3, (row + 2) % 3
            turn[row, 2] = turn[other, 0] * turn[last, 1] - turn[last, 0] * turn[other, 1]
        _fill_quaternion(turn, quats[i])


@kernel
def _diagonalise(a: np.ndarray, axes: np.ndarray) -> None:
    """Turns the symmetric ``a`` [3,3], given above its diagonal, into a diagonal one; axes are columns.

    Source: Jacobi's method, one plane of rotation after the other.
    """
    for row in range(3):
        for column in range(3):
            axes[row, column] = row == column
    for _ in range(_SWEEPS):
        off = a[0, 1] ** 2 + a[0, 2] ** 2 + a[1, 2] ** 2
        if off <= _NEGLIGIBLE * (a[0, 0] ** 2 + a[1, 1] ** 2 + a[2, 2] ** 2):
            break
        for p, q in ((0, 1), (0, 2), (1, 2)):
            if a[p, q] == 0.0:
                continue
            half = (a[q, q] - a[p, p]) / (2.0 * a[p, q])
            tangent = 1.0 / (abs(half) + np.sqrt(half * half + 1.0))
            if half < 0.0:
                tangent = -tangent
            cosine = 1.0 / np.sqrt(tangent * tangent + 1.0)
            sine = tangent * cosine
            a[p, p] -= tangent * a[p, q]
            a[q, q] += tangent * a[p, q]
            a[p, q] = 0.0
            r = 3 - p - q
            pr, qr = (min(p, r), max(p, r)), (min(q, r), max(q, r))
            x, y = a[pr], a[qr]
            a[pr], a[qr] = cosine * x - sine * y, sine * x + cosine * y
            for row in range(3):
                x, y = axes[row, p], axes[row, q]
                axes[row, p], axes[row, q] = cosine * x - sine * y, sine * x + cosine * y


@kernel
def _fill_quaternion(turn: np.ndarray, quat: np.ndarray) -> None:
    """Writes wxyz with w >= 0 of a rotation matrix: by its largest component, for precision."""
    xx, yy, zz = turn[0, 0], turn[1, 1], turn[2, 2]
    x, y, z = turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]
    xy, xz, yz = turn[0, 1] + turn[1, 0], turn[0, 2] + turn[2, 0], turn[1, 2] + turn[2, 1]
    if xx + yy + zz > 0.0:
        w, x, y, z = 1 + xx + yy + zz, x, y, z
    elif xx >= yy and xx >= zz:
        w, x, y, z = x, 1 + xx - yy - zz, xy, xz
    elif yy >= zz:
        w, x, y, z = y, xy, 1 - xx + yy - zz, yz
    else:
        w, x, y, z = z, xz, yz, 1 - xx - yy + zz
    length = np.sqrt(w * w + x * x + y * y + z * z)
    if w < 0.0:
        length = -length
    quat[0], quat[1], quat[2], quat[3] = w / length, x / length, y / length, z / length
