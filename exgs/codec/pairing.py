"""What merging two Gaussians would cost in the pictures, and which pairs to merge.

Theory of operation. Two Gaussians i and j with visible amplitudes a (opacity x light that reaches them) are
replaced by the one with the same mass, mean and covariance. Seen along the thinnest axis of that one, each is
a x c x exp(-q/2) in the plane, and the integral of the squared difference between the pair and its
replacement has a closed form: six overlap integrals of Gaussians in the plane. It holds for every channel of
colour at once, because the merged colour is a fixed mean of the two: only |c_i|^2, |c_j|^2 and c_i . c_j
enter, summed over all harmonics (their basis is orthonormal, so the sum is the mean over directions). One
more channel, of weight ``ALPHA_WEIGHT``, stands for the unknown background that shows through. Times the
pixels per unit of area summed over the views, the cost is in squared colour x pixels: what the pair adds to
the pictures' squared error.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from exgs.codec.moments import area_of

ALPHA_WEIGHT = 0.3
"""Squared contrast between what a Gaussian covers and what it hides, in colours of 0 to 1."""

Vector = tuple[float, float, float]
Ellipse = tuple[float, float, float, float]
"""A covariance in the plane: xx, xy, yy and the root of its determinant."""
State = tuple[np.ndarray, ...]
"""Means [N,3], covariances [N,6], mass, amplitude [N], colours [N,C] and footprint [N] of the clusters."""

_TWO_PI = 2.0 * np.pi


@njit(nogil=True, cache=True)
def thin_axis(cov: np.ndarray) -> tuple[float, float, float]:
    """Unit eigenvector of the smallest variance of one covariance [6], by squaring its adjugate."""
    a, b, c = (
        cov[3] * cov[5] - cov[4] ** 2,
        cov[2] * cov[4] - cov[1] * cov[5],
        cov[1] * cov[4] - cov[2] * cov[3],
    )
    d, e, f = cov[0] * cov[5] - cov[2] ** 2, cov[1] * cov[2] - cov[0] * cov[4], cov[0] * cov[3] - cov[1] ** 2
    for _ in range(4):
        s = 1.0 / (a + d + f + 1e-37)
        a, b, c, d, e, f = a * s, b * s, c * s, d * s, e * s, f * s
        a, b, c, d, e, f = (
            a * a + b * b + c * c,
            a * b + b * d + c * e,
            a * c + b * e + c * f,
            b * b + d * d + e * e,
            b * c + d * e + e * f,
            c * c + e * e + f * f,
        )
    if a >= d and a >= f:
        x, y, z = a, b, c
    elif d >= f:
        x, y, z = b, d, e
    else:
        x, y, z = c, e, f
    s = x * x + y * y + z * z
    if not s > 0.0:
        return 0.0, 0.0, 1.0
    s = 1.0 / np.sqrt(s)
    return x * s, y * s, z * s


@njit(nogil=True, cache=True)
def _between(cov: np.ndarray, p: Vector, q: Vector) -> float:
    """p' cov q."""
    x = cov[0] * q[0] + cov[1] * q[1] + cov[2] * q[2]
    y = cov[1] * q[0] + cov[3] * q[1] + cov[4] * q[2]
    z = cov[2] * q[0] + cov[4] * q[1] + cov[5] * q[2]
    return p[0] * x + p[1] * y + p[2] * z


@njit(nogil=True, cache=True)
def _overlap(p: Ellipse, q: Ellipse, dx: float, dy: float) -> float:
    """Integral over the plane of the product of two Gaussians of peak 1."""
    xx, xy, yy = p[0] + q[0], p[1] + q[1], p[2] + q[2]
    det = xx * yy - xy * xy
    if not det > 0.0:
        return 0.0
    reach = (yy * dx * dx - 2.0 * xy * dx * dy + xx * dy * dy) / det
    return _TWO_PI * p[3] * q[3] / np.sqrt(det) * np.exp(-0.5 * reach)


@njit(nogil=True, cache=True)
def _flatten(cov: np.ndarray, u: Vector, v: Vector) -> Ellipse:
    """Covariance in the plane of u and v, and the root of its determinant."""
    xx, xy, yy = _between(cov, u, u), _between(cov, u, v), _between(cov, v, v)
    return xx, xy, yy, np.sqrt(max(xx * yy - xy * xy, 0.0))


@njit(nogil=True, cache=True)
def merge_moments(i: int, j: int, state: State, mean: np.ndarray, cov: np.ndarray) -> float:
    """Writes mean [3] and covariance [6] of the pair; returns the share of ``i`` in its mass."""
    means, covs, mass = state[0], state[1], state[2]
    p = mass[i] / (mass[i] + mass[j])
    q = 1.0 - p
    dx, dy, dz = means[i, 0] - means[j, 0], means[i, 1] - means[j, 1], means[i, 2] - means[j, 2]
    for n in range(3):
        mean[n] = p * means[i, n] + q * means[j, n]
    for n in range(6):
        cov[n] = p * covs[i, n] + q * covs[j, n]
    r = p * q
    cov[0] += r * dx * dx
    cov[1] += r * dx * dy
    cov[2] += r * dx * dz
    cov[3] += r * dy * dy
    cov[4] += r * dy * dz
    cov[5] += r * dz * dz
    return p


@njit(nogil=True, cache=True)
def pair_cost(i: int, j: int, state: State, mean: np.ndarray, cov: np.ndarray) -> float:
    """Squared error of replacing ``i`` and ``j`` by one; ``mean`` [3] and ``cov`` [6] are scratch."""
    means, covs, _, amplitude, colors, footprint = state
    p = merge_moments(i, j, state, mean, cov)
    q = 1.0 - p
    n = thin_axis(cov)
    u = (0.0, -n[2], n[1]) if abs(n[0]) < 0.6 else (n[2], 0.0, -n[0])
    s = 1.0 / np.sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
    u = (u[0] * s, u[1] * s, u[2] * s)
    v = (n[1] * u[2] - n[2] * u[1], n[2] * u[0] - n[0] * u[2], n[0] * u[1] - n[1] * u[0])
    one, two, both = _flatten(covs[i], u, v), _flatten(covs[j], u, v), _flatten(cov, u, v)
    dx, dy, dz = means[j, 0] - means[i, 0], means[j, 1] - means[i, 1], means[j, 2] - means[i, 2]
    x, y = dx * u[0] + dy * u[1] + dz * u[2], dx * v[0] + dy * v[1] + dz * v[2]
    a, b = amplitude[i], amplitude[j]
    m = min((a * one[3] + b * two[3]) / max(both[3], 1e-30), 1.0)
    one_two = a * b * _overlap(one, two, x, y)
    one_both, two_both = a * m * _overlap(one, both, q * x, q * y), b * m * _overlap(two, both, p * x, p * y)
    half = 0.5 * _TWO_PI
    one_one, two_two, both_both = half * a * a * one[3], half * b * b * two[3], half * m * m * both[3]
    ii = jj = ij = ALPHA_WEIGHT
    for k in range(colors.shape[1]):
        ci, cj = colors[i, k], colors[j, k]
        ii += ci * ci
        jj += cj * cj
        ij += ci * cj
    error = ii * (one_one + p * p * both_both - 2.0 * p * one_both)
    error += jj * (two_two + q * q * both_both - 2.0 * q * two_both)
    error += 2.0 * ij * (one_two + p * q * both_both - q * one_both - p * two_both)
    return max(error, 0.0) * (p * footprint[i] + q * footprint[j])


@njit(nogil=True, cache=True)
def find_partners(
    begin: int, end: int, neighbours: np.ndarray, state: State, partner: np.ndarray, cost: np.ndarray
) -> None:
    """For each Gaussian of [begin, end) its cheapest partner among ``neighbours`` [N,K], and that cost."""
    mean, cov = np.empty(3, np.float32), np.empty(6, np.float32)
    for i in range(begin, end):
        best, least = -1, np.inf
        for k in range(neighbours.shape[1]):
            j = neighbours[i, k]
            if j == i or j >= len(partner):
                continue
            c = pair_cost(i, j, state, mean, cov)
            if c < least:
                best, least = j, c
        partner[i] = best
        cost[i] = least


@njit(nogil=True, cache=True)
def match(order: np.ndarray, partner: np.ndarray, most: int, mate: np.ndarray) -> int:
    """Takes up to ``most`` pairs in ``order``; ``mate`` [N] names each one's other half, -1 for none."""
    taken = 0
    for k in range(len(order)):
        i = order[k]
        j = partner[i]
        if taken < most and j >= 0 and mate[i] < 0 and mate[j] < 0:
            mate[i], mate[j] = j, i
            taken += 1
    return taken


@njit(nogil=True, cache=True)
def merge_pairs(mate: np.ndarray, cost: np.ndarray, state: State, history: State, place: np.ndarray) -> int:
    """Merges every pair in place, closes the gaps; ``place`` [N] says where each went. Gives the count."""
    means, covs, mass, amplitude, colors, footprint = state
    clear, error, origin = history
    mean, cov = np.empty(3, np.float32), np.empty(6, np.float32)
    n = 0
    for i in range(len(mate)):
        j = mate[i]
        if 0 <= j < i:
            place[i] = place[j]
            continue
        if j < 0:
            means[n], covs[n], colors[n] = means[i], covs[i], colors[i]
            mass[n], amplitude[n], footprint[n] = mass[i], amplitude[i], footprint[i]
            clear[n], error[n], origin[n] = clear[i], error[i], origin[i]
        else:
            p = merge_moments(i, j, state, mean, cov)
            total = mass[i] + mass[j]
            for k in range(colors.shape[1]):
                colors[n, k] = p * colors[i, k] + (1.0 - p) * colors[j, k]
            footprint[n] = p * footprint[i] + (1.0 - p) * footprint[j]
            clear[n] = p * clear[i] + (1.0 - p) * clear[j]
            error[n] = error[i] + error[j] + min(cost[i], cost[j])
            origin[n] = -1
            means[n], covs[n], mass[n] = mean, cov, total
            amplitude[n] = min(total / max(area_of(cov), 1e-30), 1.0)
        place[i] = n
        n += 1
    return n
