"""Projection on the CPU: from Gaussians in space to ellipses in the picture.

Gaussians are taken in blocks. Those in front of the camera are gathered into rows, one quantity per row,
so that the arithmetic runs over sixteen Gaussians at a time; only those that reach a pixel have their
colour evaluated.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.cpu_blocks import TILE
from exgs.raster.kernel import bits_of_float, float_of_bits, inlined, kernel

BLOCK = 128
"""Gaussians that are projected together."""

Arrays = tuple[np.ndarray, ...]
Range = tuple[int, int]
Vector = tuple[np.float32, ...]
Lens = tuple[tuple[Vector, Vector, Vector], Vector, Vector, Vector, Vector]
"""Rows of the rotation; shift; focal lengths, principal point and clamps of the slopes; eye; picture size."""

_F = np.float32
_ZERO, _HALF, _ONE, _TWO = _F(0), _F(0.5), _F(1), _F(2)
_NEAR = _F(0.01)
_LOW_PASS = _F(0.3)
_TINY = _F(1e-20)
_FAR_PX, _WIDE_PX2 = _F(1e6), _F(1e9)
_SLACK_PX = _F(1e-3)
_LOGIT_CUT = _F(-5.5373343)
_LOG2_E, _LN_2 = _F(1.442695), _F(0.6931472)
_LOG2_255 = _F(7.994353)
_EXPONENT = _F(126)
_BRIGHT = _F(1e6)
_INV_TILE = _F(1 / TILE)
_CONIC = _F(-0.5 * 1.4426950408889634 / 8)

_C0, _C1 = _F(0.28209479177387814), _F(0.48860251190291992)
_C20, _C21, _C22 = _F(1.0925484305920792), _F(0.31539156525252005), _F(0.54627421529603959)
_C30, _C31, _C32 = _F(0.59004358992664352), _F(2.8906114426405538), _F(0.45704579946446572)
_C33, _C34 = _F(0.37317633259011546), _F(1.4453057213202769)
_3, _4 = _F(3), _F(4)


@kernel
def _exp2(x: np.float32) -> np.float32:
    x = min(max(x, -_EXPONENT), _EXPONENT)
    whole = np.floor(x + _HALF)
    f = x - whole
    high = _F(0.0096184891) + f * (_F(0.0013399931) + f * _F(0.00015345812))
    low = _ONE + f * (_F(0.69314718) + f * (_F(0.24022646) + f * (_F(0.055503286) + f * high)))
    return low * float_of_bits((np.int32(whole) + np.int32(127)) << np.int32(23))


@kernel
def _log2(x: np.float32) -> np.float32:
    bits = bits_of_float(x) - np.int32(0x3F3504F3)
    exponent = bits >> np.int32(23)
    mantissa = float_of_bits((bits & np.int32(0x7FFFFF)) + np.int32(0x3F3504F3))
    s = (mantissa - _ONE) / (mantissa + _ONE)
    t = s * s
    series = _F(2.8853901) + t * (_F(0.96179670) + t * (_F(0.57707802) + t * _F(0.41219859)))
    return _F(exponent) + s * series


@inlined
def dot(a: Vector, b: Vector) -> np.float32:
    """Inner product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@inlined
def tilted(axis: Vector, ahead: Vector, slope: np.float32, focal: np.float32) -> Vector:
    """A row of the projection's Jacobian, in scene coordinates."""
    return (
        focal * (axis[0] - slope * ahead[0]),
        focal * (axis[1] - slope * ahead[1]),
        focal * (axis[2] - slope * ahead[2]),
    )


@inlined
def rotation(quat: Vector) -> tuple[Vector, Vector, Vector]:
    """Columns of the rotation by a quaternion of any length; by one of length 0 the identity."""
    w, x, y, z = quat
    norm = _ONE / np.sqrt(w * w + x * x + y * y + z * z + _TINY)
    w, x, y, z = w * norm, x * norm, y * norm, z * norm
    first = (_ONE - _TWO * (y * y + z * z), _TWO * (x * y + w * z), _TWO * (x * z - w * y))
    second = (_TWO * (x * y - w * z), _ONE - _TWO * (x * x + z * z), _TWO * (y * z + w * x))
    third = (_TWO * (x * z + w * y), _TWO * (y * z - w * x), _ONE - _TWO * (x * x + y * y))
    return first, second, third


@inlined
def _covariance(camera: Lens, slopes: Vector, quat: Vector, scales: Vector) -> Vector:
    """Entries xx, xy and yy of the covariance in the picture, low-pass included, and its determinant.

    The determinant is summed from squares of the root's minors: no cancellation, however thin the ellipse.
    """
    (right, down, ahead), _, lens, _, _ = camera
    nx = min(max(slopes[0], -lens[4]), lens[4])
    ny = min(max(slopes[1], -lens[5]), lens[5])
    fx, fy = lens[0] * slopes[2], lens[1] * slopes[2]
    along_x, along_y = tilted(right, ahead, nx, fx), tilted(down, ahead, ny, fy)
    first, second, third = rotation(quat)
    s0, s1, s2 = scales
    a = (dot(along_x, first) * s0, dot(along_x, second) * s1, dot(along_x, third) * s2)
    b = (dot(along_y, first) * s0, dot(along_y, second) * s1, dot(along_y, third) * s2)
    minors = (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])
    xx, yy = dot(a, a), dot(b, b)
    det = dot(minors, minors) + _LOW_PASS * (xx + yy) + _LOW_PASS * _LOW_PASS
    return xx + _LOW_PASS, dot(a, b), yy + _LOW_PASS, det


@inlined
def _extent(centre: np.float32, reach: np.float32, side: np.float32) -> tuple[np.float32, np.float32]:
    """First and last pixel whose middle is in ``reach`` of ``centre``, in a picture of ``side`` pixels."""
    first = max(np.ceil(centre - reach - _SLACK_PX - _HALF), _ZERO)
    return first, min(np.floor(centre + reach + _SLACK_PX - _HALF), side - _ONE)


@inlined
def _color(degree: int, direction: Vector, coefficients: Arrays, basis: np.ndarray) -> Vector:
    """The colour of harmonics ``coefficients`` ([1,3] and [K,3]) in a ``direction`` of any length."""
    constant, higher = coefficients
    x, y, z = direction
    away = _ONE / np.sqrt(x * x + y * y + z * z + _TINY)
    harmonics_basis(degree, (x * away, y * away, z * away), basis)
    red, green, blue = constant[0, 0] * _C0, constant[0, 1] * _C0, constant[0, 2] * _C0
    for n in range(len(higher)):
        red += basis[n] * higher[n, 0]
        green += basis[n] * higher[n, 1]
        blue += basis[n] * higher[n, 2]
    return red + _HALF, green + _HALF, blue + _HALF


@kernel
def harmonics_basis(degree: int, direction: Vector, basis: np.ndarray) -> None:
    """Fills ``basis`` [15] up to ``degree`` with the harmonics of a unit ``direction``."""
    x, y, z = direction
    xx, yy, zz = x * x, y * y, z * z
    if degree > 0:
        basis[0], basis[1], basis[2] = -_C1 * y, _C1 * z, -_C1 * x
    if degree > 1:
        basis[3], basis[4], basis[5] = _C20 * x * y, -_C20 * y * z, _C21 * (_TWO * zz - xx - yy)
        basis[6], basis[7] = -_C20 * x * z, _C22 * (xx - yy)
    if degree > 2:
        basis[8], basis[9] = -_C30 * y * (_3 * xx - yy), _C31 * x * y * z
        basis[10], basis[11] = -_C32 * y * (_4 * zz - xx - yy), _C33 * z * (_TWO * zz - _3 * xx - _3 * yy)
        basis[12], basis[13] = -_C32 * x * (_4 * zz - xx - yy), _C34 * z * (xx - yy)
        basis[14] = -_C30 * x * (xx - _3 * yy)


@kernel
def _collect(span: Range, scene: Arrays, ahead: Vector, g: np.ndarray, pick: np.ndarray) -> int:
    """Copies into rows 0 to 10 of ``g`` the Gaussians of [begin, end) that may be seen; returns how many."""
    means, quats, log_scales, logits = scene
    m = 0
    for i in range(span[0], span[1]):
        pick[m] = i
        z = ahead[0] * means[i, 0] + ahead[1] * means[i, 1] + ahead[2] * means[i, 2] + ahead[3]
        m += (z > _NEAR) & (logits[i] >= _LOGIT_CUT)
    for j in range(m):
        i = pick[j]
        g[0, j], g[1, j], g[2, j] = means[i, 0], means[i, 1], means[i, 2]
        g[3, j], g[4, j], g[5, j], g[6, j] = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
        g[7, j], g[8, j], g[9, j] = log_scales[i, 0], log_scales[i, 1], log_scales[i, 2]
        g[10, j] = logits[i]
    return m


@kernel
def project(
    span: Range, scene: Arrays, harmonics: Arrays, camera: Lens, found: Arrays
) -> tuple[int, int, np.uint32, np.uint32]:
    """Projects Gaussians [begin, end) of ``scene``; those that reach the picture go to slots from begin on.

    Returns how many there are, how many tiles they cover in all, and the smallest and largest depth key.
    """
    (right, down, ahead), shift, lens, eye, size = camera
    sh0, shN = harmonics
    records, keys, rects, ids = found
    degree = 0
    while (degree + 1) * (degree + 1) <= shN.shape[1]:
        degree += 1
    g = np.empty((23, BLOCK), np.float32)
    pick, basis = np.empty(BLOCK + 1, np.int64), np.zeros(15, np.float32)
    slot, covered = span[0], 0
    least, most = np.uint32(0xFFFFFFFF), np.uint32(0)
    for base in range(span[0], span[1], BLOCK):
        block = (base, min(base + BLOCK, span[1]))
        m = _collect(block, scene, (ahead[0], ahead[1], ahead[2], shift[2]), g, pick)
        # Whole vectors, so that all meet the same arithmetic; nobody looks at what is left over.
        for j in range((m + 15) & ~15):
            mean, quat = (g[0, j], g[1, j], g[2, j]), (g[3, j], g[4, j], g[5, j], g[6, j])
            z = dot(ahead, mean) + shift[2]
            near = _ONE / z
            slopes = ((dot(right, mean) + shift[0]) * near, (dot(down, mean) + shift[1]) * near, near)
            u, v = lens[0] * slopes[0] + lens[2], lens[1] * slopes[1] + lens[3]
            scales = (_exp2(g[7, j] * _LOG2_E), _exp2(g[8, j] * _LOG2_E), _exp2(g[9, j] * _LOG2_E))
            xx, xy, yy, det = _covariance(camera, slopes, quat, scales)
            k = -_log2(_ONE + _exp2(-g[10, j] * _LOG2_E))
            reach = _TWO * _LN_2 * (k + _LOG2_255)
            x_low, x_high = _extent(u, np.sqrt(reach * xx), size[0])
            y_low, y_high = _extent(v, np.sqrt(reach * yy), size[1])
            rest = g[3, j] + g[4, j] + g[5, j] + g[6, j] + g[7, j] + g[8, j] + g[9, j] + g[10, j]
            sound = (rest * _ZERO == _ZERO) & (xx < _WIDE_PX2) & (yy < _WIDE_PX2)
            sound = sound & (abs(u) < _FAR_PX) & (abs(v) < _FAR_PX)
            g[11, j] = _ONE if sound & (x_low <= x_high) & (y_low <= y_high) else _ZERO
            g[12, j], g[13, j], g[18, j] = u, v, z
            g[14, j], g[15, j], g[16, j] = yy * _CONIC / det, -_TWO * xy * _CONIC / det, xx * _CONIC / det
            g[17, j] = k * _F(0.125)
            g[19, j], g[20, j], g[21, j], g[22, j] = x_low, y_low, x_high, y_high
        for j in range(m):
            if g[11, j] == _ZERO:
                continue
            i = pick[j]
            direction = (g[0, j] - eye[0], g[1, j] - eye[1], g[2, j] - eye[2])
            red, green, blue = _color(degree, direction, (sh0[i], shN[i]), basis)
            if not (abs(red) < _BRIGHT and abs(green) < _BRIGHT and abs(blue) < _BRIGHT):
                continue
            for n in range(6):
                records[slot, n] = g[12 + n, j]
            records[slot, 6], records[slot, 7] = max(red, _ZERO), max(green, _ZERO)
            records[slot, 8] = max(blue, _ZERO)
            for n in range(4):
                rects[slot, n] = np.int16(g[19 + n, j] * _INV_TILE)
            covered += (1 + rects[slot, 2] - rects[slot, 0]) * (1 + rects[slot, 3] - rects[slot, 1])
            key = np.uint32(bits_of_float(g[18, j]))
            least, most = min(least, key), max(most, key)
            keys[slot], ids[slot] = key, i
            slot += 1
    return slot - span[0], covered, least, most
