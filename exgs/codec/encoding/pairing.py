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

Pairs are gathered into ``LANES`` columns and priced together, in loops that become vector instructions:
nothing but arithmetic and choices between two values may stand in them. Readable twin:
tests/codec/pair_twin.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exgs.codec.encoding.moments import area_of
from exgs.codec.kernel import inlined, kernel

ALPHA_WEIGHT = 0.3
"""Squared contrast between what a Gaussian covers and what it hides, in colours of 0 to 1."""
LANES = 64
"""Pairs priced together."""

Vector = tuple[float, float, float]
Matrix = tuple[float, float, float, float, float, float]
"""xx, xy, xz, yy, yz, zz."""
Ellipse = tuple[float, float, float, float]
"""A covariance in the plane: xx, xy, yy and the root of its determinant."""
State = tuple[np.ndarray, ...]
"""Means [N,3], covariances [N,6], mass, amplitude [N], colours [N,C], footprint and strength [N]; strength is
a colour's squared length, over all channels and that of the background."""

_F: Any = np.float32
_sqrt: Any = np.sqrt
_ZERO, _HALF, _ONE, _TWO = _F(0.0), _F(0.5), _F(1.0), _F(2.0)
_PI, _TINY = _F(np.pi), _F(1e-30)
_ALPHA = _F(ALPHA_WEIGHT)
_FIELDS = 23
"""Numbers of a pair: two covariances, the way between, shares, amplitudes, colours' products, footprint."""
_FARTHEST = _F(40.0)
"""Beyond this exponent nothing overlaps: exp(-40) is below any rounding."""


@inlined
def _least(a: float, b: float) -> float:
    return a if a < b else b


@inlined
def _most(a: float, b: float) -> float:
    return a if a > b else b


@inlined
def _decay(x: float) -> float:
    """exp(-x) for x of 0 or more; nothing beyond 40."""
    y = _least(x, _FARTHEST) * _F(-1 / 64)
    z = y * (_ONE + y * (_HALF + y * (_F(1 / 6) + y * (_F(1 / 24) + y * (_F(1 / 120) + y * _F(1 / 720))))))
    # exp - 1 of the double argument, six times: exact also where the result is close to 1.
    z = z * (_TWO + z)
    z = z * (_TWO + z)
    z = z * (_TWO + z)
    z = z * (_TWO + z)
    z = z * (_TWO + z)
    z = z * (_TWO + z)
    return _ONE + z if x < _FARTHEST else _ZERO


@inlined
def _squared(m: Matrix) -> Matrix:
    """The square of a symmetric matrix, scaled to a trace of about 1."""
    a, b, c, d, e, f = m
    s = _ONE / (a + d + f + _TINY)
    a, b, c, d, e, f = a * s, b * s, c * s, d * s, e * s, f * s
    return (
        a * a + b * b + c * c,
        a * b + b * d + c * e,
        a * c + b * e + c * f,
        b * b + d * d + e * e,
        b * c + d * e + e * f,
        c * c + e * e + f * f,
    )


@inlined
def thin_axis(m: Matrix) -> Vector:
    """Unit eigenvector of the smallest variance of a covariance, by squaring its adjugate."""
    s = _ONE / (m[0] + m[3] + m[5] + _TINY)
    xx, xy, xz, yy, yz, zz = m[0] * s, m[1] * s, m[2] * s, m[3] * s, m[4] * s, m[5] * s
    t = _squared(
        (
            yy * zz - yz * yz,
            xz * yz - xy * zz,
            xy * yz - xz * yy,
            xx * zz - xz * xz,
            xy * xz - xx * yz,
            xx * yy - xy * xy,
        )
    )
    a, b, c, d, e, f = _squared(_squared(_squared(t)))
    first, second = (a >= d) & (a >= f), d >= f
    x = a if first else (b if second else c)
    y = b if first else (d if second else e)
    z = c if first else (e if second else f)
    squares = x * x + y * y + z * z
    good = squares > _ZERO
    s = _ONE / _sqrt(squares if good else _ONE)
    return (x * s, y * s, z * s) if good else (_ZERO, _ZERO, _ONE)


@inlined
def _between(m: Matrix, p: Vector, q: Vector) -> float:
    """p' m q."""
    x = m[0] * q[0] + m[1] * q[1] + m[2] * q[2]
    y = m[1] * q[0] + m[3] * q[1] + m[4] * q[2]
    z = m[2] * q[0] + m[4] * q[1] + m[5] * q[2]
    return p[0] * x + p[1] * y + p[2] * z


@inlined
def _flatten(m: Matrix, u: Vector, v: Vector) -> Ellipse:
    """A covariance in the plane of u and v."""
    xx, xy, yy = _between(m, u, u), _between(m, u, v), _between(m, v, v)
    return xx, xy, yy, _sqrt(_most(xx * yy - xy * xy, _ZERO))


@inlined
def _overlap(p: Ellipse, q: Ellipse, dx: float, dy: float) -> float:
    """Integral over the plane of the product of two Gaussians of peak 1."""
    xx, xy, yy = p[0] + q[0], p[1] + q[1], p[2] + q[2]
    det = xx * yy - xy * xy
    good = det > _ZERO
    det = det if good else _ONE
    reach = (yy * dx * dx - _TWO * xy * dx * dy + xx * dy * dy) / det
    value = _TWO * _PI * p[3] * q[3] / _sqrt(det) * _decay(_HALF * _most(reach, _ZERO))
    return value if good else _ZERO


@kernel
def price(pairs: np.ndarray, out: np.ndarray) -> None:
    """Costs [LANES] of the gathered ``pairs`` [_FIELDS,LANES]."""
    for t in range(LANES):
        one3 = (pairs[0, t], pairs[1, t], pairs[2, t], pairs[3, t], pairs[4, t], pairs[5, t])
        two3 = (pairs[6, t], pairs[7, t], pairs[8, t], pairs[9, t], pairs[10, t], pairs[11, t])
        dx, dy, dz = pairs[12, t], pairs[13, t], pairs[14, t]
        p, a, b = pairs[15, t], pairs[17, t], pairs[18, t]
        q = pairs[16, t]
        r = p * q
        both3 = (
            p * one3[0] + q * two3[0] + r * dx * dx,
            p * one3[1] + q * two3[1] + r * dx * dy,
            p * one3[2] + q * two3[2] + r * dx * dz,
            p * one3[3] + q * two3[3] + r * dy * dy,
            p * one3[4] + q * two3[4] + r * dy * dz,
            p * one3[5] + q * two3[5] + r * dz * dz,
        )
        n = thin_axis(both3)
        flat = abs(n[0]) < _F(0.6)
        ux, uy, uz = (_ZERO if flat else n[2]), (-n[2] if flat else _ZERO), (n[1] if flat else -n[0])
        s = _ONE / _sqrt(ux * ux + uy * uy + uz * uz)
        u = (ux * s, uy * s, uz * s)
        v = (n[1] * u[2] - n[2] * u[1], n[2] * u[0] - n[0] * u[2], n[0] * u[1] - n[1] * u[0])
        one, two, both = _flatten(one3, u, v), _flatten(two3, u, v), _flatten(both3, u, v)
        x, y = dx * u[0] + dy * u[1] + dz * u[2], dx * v[0] + dy * v[1] + dz * v[2]
        m = _least((a * one[3] + b * two[3]) / _most(both[3], _TINY), _ONE)
        one_two = a * b * _overlap(one, two, x, y)
        one_both = a * m * _overlap(one, both, q * x, q * y)
        two_both = b * m * _overlap(two, both, p * x, p * y)
        one_one, two_two, both_both = _PI * a * a * one[3], _PI * b * b * two[3], _PI * m * m * both[3]
        error = pairs[19, t] * (one_one + p * p * both_both - _TWO * p * one_both)
        error += pairs[20, t] * (two_two + q * q * both_both - _TWO * q * two_both)
        error += _TWO * pairs[21, t] * (one_two + p * q * both_both - q * one_both - p * two_both)
        out[t] = _most(error, _ZERO) * pairs[22, t]


@inlined
def _gather(i: int, j: int, state: State, pairs: np.ndarray, lane: int) -> None:
    means, covs, mass, amplitude, colors, footprint, strength = state
    for n in range(6):
        pairs[n, lane], pairs[6 + n, lane] = covs[i, n], covs[j, n]
    for n in range(3):
        pairs[12 + n, lane] = means[j, n] - means[i, n]
    p = mass[i] / (mass[i] + mass[j])
    q = _ONE - p
    dot = _ALPHA
    for n in range(colors.shape[1]):
        dot += colors[i, n] * colors[j, n]
    pairs[15, lane], pairs[16, lane] = p, q
    pairs[17, lane], pairs[18, lane] = amplitude[i], amplitude[j]
    pairs[19, lane], pairs[20, lane], pairs[21, lane] = strength[i], strength[j], dot
    pairs[22, lane] = p * footprint[i] + q * footprint[j]


@kernel
def find_partners(
    begin: int, end: int, neighbours: np.ndarray, state: State, partner: np.ndarray, cost: np.ndarray
) -> None:
    """For each Gaussian of [begin, end) its cheapest partner among ``neighbours`` [N,K], and that cost."""
    width = neighbours.shape[1]
    rows = LANES // width
    pairs, prices = np.ones((_FIELDS, LANES), np.float32), np.empty(LANES, np.float32)
    for start in range(begin, end, rows):
        stop = min(start + rows, end)
        for i in range(start, stop):
            for k in range(width):
                j = neighbours[i, k]
                _gather(i, j if j >= 0 else i, state, pairs, (i - start) * width + k)
        price(pairs, prices)
        for i in range(start, stop):
            best, least = np.int32(-1), _F(np.inf)
            for k in range(width):
                j, c = neighbours[i, k], prices[(i - start) * width + k]
                if j >= 0 and c < least:
                    best, least = j, c
            partner[i], cost[i] = best, least


@kernel
def match(
    order: np.ndarray, partner: np.ndarray, cost: np.ndarray, pairs: np.ndarray, costs: np.ndarray
) -> int:
    """Takes pairs in ``order``, no Gaussian twice, until ``pairs`` [M,2] is full; gives their count."""
    taken = np.zeros(len(partner), np.bool_)
    found = 0
    for k in range(len(order)):
        i = order[k]
        j = partner[i]
        if j >= 0 and not taken[i] and not taken[j]:
            taken[i], taken[j] = True, True
            pairs[found, 0], pairs[found, 1] = min(i, j), max(i, j)
            costs[found] = cost[i]
            found += 1
            if found == len(pairs):
                break
    return found


@kernel
def merge_pairs(pairs: np.ndarray, state: State, leaf: np.ndarray, moves: State) -> int:
    """Merges every one of ``pairs`` [M,2] into its first, closes the gaps; gives the count that is left.

    ``leaf`` [N] names each one's first leaf. ``moves`` are filled in: the leaves [M,2] of every pair, where
    each went [N], what each of those left was made of [N,2], -1 for nothing.
    """
    merges, place, halves = moves
    means, covs, mass, amplitude, colors, footprint, strength = state
    gone = np.zeros(len(mass), np.bool_)
    halves[:, 1] = -1
    for k in range(len(pairs)):
        i, j = pairs[k, 0], pairs[k, 1]
        merges[k, 0], merges[k, 1] = leaf[i], leaf[j]
        gone[j] = True
        place[j], halves[i, 1] = i, j
        p = mass[i] / (mass[i] + mass[j])
        q = _ONE - p
        x, y, z = means[j, 0] - means[i, 0], means[j, 1] - means[i, 1], means[j, 2] - means[i, 2]
        r = p * q
        spread = (r * x * x, r * x * y, r * x * z, r * y * y, r * y * z, r * z * z)
        for n in range(6):
            covs[i, n] = p * covs[i, n] + q * covs[j, n] + spread[n]
        for n in range(3):
            means[i, n] = p * means[i, n] + q * means[j, n]
        length = _ALPHA
        for n in range(colors.shape[1]):
            colors[i, n] = p * colors[i, n] + q * colors[j, n]
            length += colors[i, n] * colors[i, n]
        strength[i] = length
        footprint[i] = p * footprint[i] + q * footprint[j]
        mass[i] += mass[j]
        amplitude[i] = _least(mass[i] / _most(area_of(covs[i]), _TINY), _ONE)
    return _close_gaps(gone, state, leaf, place, halves)


@kernel
def _close_gaps(
    gone: np.ndarray, state: State, leaf: np.ndarray, place: np.ndarray, halves: np.ndarray
) -> int:
    """Moves what is left up to where something has ``gone`` [N]; gives how many are left."""
    means, covs, mass, amplitude, colors, footprint, strength = state
    n = 0
    for i in range(len(mass)):
        if not gone[i]:
            if n < i:
                means[n], covs[n], colors[n] = means[i], covs[i], colors[i]
                mass[n], amplitude[n], footprint[n] = mass[i], amplitude[i], footprint[i]
                strength[n], leaf[n] = strength[i], leaf[i]
            place[i], halves[n, 0], halves[n, 1] = n, i, halves[i, 1]
            n += 1
        else:
            place[i] = place[place[i]]
    return n
