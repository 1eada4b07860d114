"""Projection on the CPU, backwards: from the gradient of ellipses to that of the Gaussians in space.

With d the offset of a pixel from the centre and A the inverse of the covariance C in the picture,
ln(alpha) = ln(opacity) - d A d / 2. The walk over the pixels leaves the moments of h, the gradient with
respect to ln(alpha): their sum, times d, times d d. From these the gradient with respect to the centre is
A (sum of h d) and with respect to C it is S = A (sum of h d d) A / 2. C is T R s^2 R' T' + low-pass, with T
the projection's Jacobian, R the rotation and s the scales, and so on by the chain rule.
Source: Zwicker et al. 2001 for the projection, Kerbl et al. 2023 for the model.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.cpu_backward import MOMENTS
from exgs.raster.cpu_project import (
    Arrays,
    Range,
    Vector,
    dot,
    harmonics_basis,
    rotation,
    tilted,
)
from exgs.raster.kernel import inlined, kernel

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0), _F(0.5), _F(1), _F(2)
_C0 = _F(0.28209479177387814)
_TINY = _F(1e-20)
_LARGEST = _F(40)
_CONIC = _F(-8 * 2 * 0.6931471805599453)
"""From a coefficient of q = log2(alpha) / 8 to twice that of -ln(alpha)."""


@kernel
def gather_moments(span: Range, splats: Arrays, tiles_x: int, places: np.ndarray, slots: Arrays) -> None:
    """Sums what the entries of Gaussians [begin, end) of a view hold, those nearest first.

    ``slots`` are what the entries hold [E,MOMENTS], the room for the sums of each slot [*,MOMENTS], and
    whether a slot has any [*]: what stands behind others has none, and need not be looked at.
    """
    order, rects = splats
    found, moments, shown = slots
    total = np.empty(MOMENTS, np.float32)
    for k in range(span[0], span[1]):
        total[:] = _ZERO
        for y in range(rects[k, 1], rects[k, 3] + 1):
            for x in range(rects[k, 0], rects[k, 2] + 1):
                tile = np.uint64(y * tiles_x + x)
                place = places[tile]
                places[tile] = place + 1
                for n in range(MOMENTS):
                    total[n] += found[place, n]
        slot = order[k]
        shown[slot] = total.any()
        if shown[slot]:
            moments[slot] = total


@kernel
def unproject(span: Range, slots: Arrays, sources: Arrays, out: Arrays) -> None:
    """Adds to ``out`` what the moments of slots [begin, end) of a view say.

    In the order of the slots, which is that of the scene: so its values are at hand. ``slots`` are the
    Gaussians' indices and whether each has moments. ``sources`` are the moments, records, means, quats, log
    scales and logits, and the camera as rows [7,3]; ``out`` the gradients of means, turns and log scales
    [N,3], logits [N], harmonics [N,B,3].
    """
    ids, shown = slots
    moments, records, means, camera = sources[0], sources[1], sources[2], sources[6]
    basis = np.zeros(15, np.float32)
    degree = 0
    while (degree + 1) * (degree + 1) < out[4].shape[1]:
        degree += 1
    for slot in range(span[0], span[1]):
        if shown[slot]:
            _to_space(ids[slot], records[slot], moments[slot], sources, out)
            _to_harmonics((ids[slot], degree), records[slot], moments[slot], (means, camera, basis), out[4])


@kernel
def _to_space(i: int, record: np.ndarray, moments: np.ndarray, sources: Arrays, out: Arrays) -> None:
    _, _, means, quats, log_scales, logits, camera = sources
    right, down, ahead = _row(camera, 0), _row(camera, 1), _row(camera, 2)
    mean, scales = _row(means, i), _row(log_scales, i)
    near = _ONE / (dot(ahead, mean) + camera[3, 2])
    slope_x = (dot(right, mean) + camera[3, 0]) * near
    slope_y = (dot(down, mean) + camera[3, 1]) * near
    fx, fy = camera[4, 0] * near, camera[4, 1] * near
    nx = min(max(slope_x, -camera[5, 0]), camera[5, 0])
    ny = min(max(slope_y, -camera[5, 1]), camera[5, 1])
    along_x, along_y = tilted(right, ahead, nx, fx), tilted(down, ahead, ny, fy)
    axes = rotation((quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]))
    a, b, c = _CONIC * record[2], _HALF * _CONIC * record[3], _CONIC * record[4]
    ux, uy = a * moments[1] + b * moments[2], b * moments[1] + c * moments[2]
    sxx, sxy, syy = _sandwiched(a, b, c, moments)
    # Along each axis of the Gaussian: its unit vector in the picture, and that under 2 S.
    along, S = (along_x, along_y), (sxx, sxy, syy)
    p0, p1, p2 = _both(along, axes[0]), _both(along, axes[1]), _both(along, axes[2])
    q0, q1, q2 = _doubled(S, p0), _doubled(S, p1), _doubled(S, p2)
    v0, v1, v2 = _variance(scales[0]), _variance(scales[1]), _variance(scales[2])
    out[2][i, 0] += v0 * (p0[0] * q0[0] + p0[1] * q0[1])
    out[2][i, 1] += v1 * (p1[0] * q1[0] + p1[1] * q1[1])
    out[2][i, 2] += v2 * (p2[0] * q2[0] + p2[1] * q2[1])
    out[1][i, 0] += (p1[0] * q2[0] + p1[1] * q2[1]) * (v1 - v2)
    out[1][i, 1] += (p2[0] * q0[0] + p2[1] * q0[1]) * (v2 - v0)
    out[1][i, 2] += (p0[0] * q1[0] + p0[1] * q1[1]) * (v0 - v1)
    out[3][i] += moments[0] / (_ONE + np.exp(logits[i]))
    # The centre moves with the mean, and so does the Jacobian: 1 / z, and the slopes where they are free.
    f0, f1, f2 = v0 * dot(axes[0], ahead), v1 * dot(axes[1], ahead), v2 * dot(axes[2], ahead)
    tilt_x = -fx * (q0[0] * f0 + q1[0] * f1 + q2[0] * f2) if nx == slope_x else _ZERO
    tilt_y = -fy * (q0[1] * f0 + q1[1] * f1 + q2[1] * f2) if ny == slope_y else _ZERO
    shrink = v0 * (p0[0] * q0[0] + p0[1] * q0[1]) + v1 * (p1[0] * q1[0] + p1[1] * q1[1])
    shrink += v2 * (p2[0] * q2[0] + p2[1] * q2[1])
    du, dv = camera[4, 0] * ux + tilt_x, camera[4, 1] * uy + tilt_y
    for n in range(3):
        move = du * (right[n] - slope_x * ahead[n]) + dv * (down[n] - slope_y * ahead[n])
        out[0][i, n] += near * (move - shrink * ahead[n])


@kernel
def _to_harmonics(
    which: tuple[int, int], record: np.ndarray, moments: np.ndarray, place: Arrays, out: np.ndarray
) -> None:
    """The gradient of the harmonics of Gaussian ``which[0]``; none for a channel that is cut at black."""
    i, degree = which
    means, camera, basis = place
    for n in range(3):
        if record[6 + n] <= _ZERO:
            moments[6 + n] = _ZERO
        out[i, 0, n] += _C0 * moments[6 + n]
    if degree > 0:
        x, y, z = means[i, 0] - camera[6, 0], means[i, 1] - camera[6, 1], means[i, 2] - camera[6, 2]
        away = _ONE / np.sqrt(x * x + y * y + z * z + _TINY)
        harmonics_basis(degree, (x * away, y * away, z * away), basis)
        for m in range(out.shape[1] - 1):
            for n in range(3):
                out[i, m + 1, n] += basis[m] * moments[6 + n]


@inlined
def _row(rows: np.ndarray, i: int) -> Vector:
    return rows[i, 0], rows[i, 1], rows[i, 2]


@inlined
def _variance(log_scale: np.float32) -> np.float32:
    return np.exp(_TWO * min(max(log_scale, -_LARGEST), _LARGEST))


@inlined
def _both(along: tuple[Vector, Vector], axis: Vector) -> Vector:
    return dot(along[0], axis), dot(along[1], axis)


@inlined
def _doubled(S: Vector, p: Vector) -> Vector:
    xx, xy, yy = S
    return _TWO * (xx * p[0] + xy * p[1]), _TWO * (xy * p[0] + yy * p[1])


@kernel
def _sandwiched(a: np.float32, b: np.float32, c: np.float32, moments: np.ndarray) -> Vector:
    """Entries xx, xy, yy of A M A / 2, for A = [[a, b], [b, c]] and M the second moments."""
    m0, m1, m2 = moments[3], moments[4], moments[5]
    left_xx, left_xy = a * m0 + b * m1, a * m1 + b * m2
    left_yx, left_yy = b * m0 + c * m1, b * m1 + c * m2
    return (
        _HALF * (left_xx * a + left_xy * b),
        _HALF * (left_xx * b + left_xy * c),
        _HALF * (left_yx * b + left_yy * c),
    )
