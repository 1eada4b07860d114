"""Projection on the CPU: from Gaussians in space to ellipses in the picture.

Gaussians are taken in blocks. Those in front of the camera are gathered into rows, one quantity per row,
so that the arithmetic runs over sixteen Gaussians at a time; only those that reach a pixel have their
colour evaluated.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.kernel import bits_of_float, float_of_bits, kernel

BLOCK = 128
"""Gaussians that are projected together."""

Arrays = tuple[np.ndarray, ...]
Range = tuple[int, int]
Direction = tuple[np.float32, np.float32, np.float32]

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
_INV_16 = _F(1 / 16)
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


@kernel
def _basis(degree: int, direction: Direction, basis: np.ndarray) -> None:
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
def project(
    span: Range, scene: Arrays, harmonics: Arrays, camera: np.ndarray, found: Arrays
) -> tuple[int, int, np.uint32, np.uint32]:
    """Projects Gaussians [begin, end) of ``scene``; what reaches the picture is written from slot
    ``begin`` on.

    Returns how many there are, how many tiles they cover in all, and the smallest and largest depth key.
    """
    begin, end = span
    means, quats, log_scales, logits = scene
    sh0, shN = harmonics
    records, keys, rects, ids = found
    r00, r01, r02 = camera[0], camera[1], camera[2]
    r10, r11, r12 = camera[3], camera[4], camera[5]
    r20, r21, r22 = camera[6], camera[7], camera[8]
    t0, t1, t2 = camera[9], camera[10], camera[11]
    fx, fy, cx, cy = camera[12], camera[13], camera[14], camera[15]
    lim_x, lim_y = camera[16], camera[17]
    eye_x, eye_y, eye_z = camera[18], camera[19], camera[20]
    width, height = camera[21], camera[22]
    degree = 0
    coefficients = shN.shape[1]
    while (degree + 1) * (degree + 1) - 1 < coefficients:
        degree += 1
    g = np.empty((24, BLOCK), np.float32)
    pick = np.empty(BLOCK + 1, np.int64)
    basis = np.zeros(15, np.float32)
    slot = begin
    covered = 0
    least, most = np.uint32(0xFFFFFFFF), np.uint32(0)
    for base in range(begin, end, BLOCK):
        m = 0
        for i in range(base, min(base + BLOCK, end)):
            pick[m] = i
            z = r20 * means[i, 0] + r21 * means[i, 1] + r22 * means[i, 2] + t2
            m += (z > _NEAR) & (logits[i] >= _LOGIT_CUT)
        for j in range(m):
            i = pick[j]
            g[0, j], g[1, j], g[2, j] = means[i, 0], means[i, 1], means[i, 2]
            g[3, j], g[4, j], g[5, j], g[6, j] = quats[i, 0], quats[i, 1], quats[i, 2], quats[i, 3]
            g[7, j], g[8, j], g[9, j] = log_scales[i, 0], log_scales[i, 1], log_scales[i, 2]
            g[10, j] = logits[i]
        for j in range(
            (m + 15) & ~15
        ):  # whole vectors: the same arithmetic for all, leftovers are not looked at
            x, y, z = g[0, j], g[1, j], g[2, j]
            px = r00 * x + r01 * y + r02 * z + t0
            py = r10 * x + r11 * y + r12 * z + t1
            pz = r20 * x + r21 * y + r22 * z + t2
            qw, qx, qy, qz = g[3, j], g[4, j], g[5, j], g[6, j]
            norm = _ONE / np.sqrt(qw * qw + qx * qx + qy * qy + qz * qz + _TINY)
            qw, qx, qy, qz = qw * norm, qx * norm, qy * norm, qz * norm
            ls0, ls1, ls2 = g[7, j], g[8, j], g[9, j]
            s0, s1, s2 = _exp2(ls0 * _LOG2_E), _exp2(ls1 * _LOG2_E), _exp2(ls2 * _LOG2_E)
            logit = g[10, j]
            k = -_log2(_ONE + _exp2(-logit * _LOG2_E))
            iz = _ONE / pz
            nx, ny = px * iz, py * iz
            u, v = fx * nx + cx, fy * ny + cy
            nx, ny = min(max(nx, -lim_x), lim_x), min(max(ny, -lim_y), lim_y)
            ax, ay = fx * iz, fy * iz
            m00, m01, m02 = ax * (r00 - nx * r20), ax * (r01 - nx * r21), ax * (r02 - nx * r22)
            m10, m11, m12 = ay * (r10 - ny * r20), ay * (r11 - ny * r21), ay * (r12 - ny * r22)
            q00, q01, q02 = (
                _ONE - _TWO * (qy * qy + qz * qz),
                _TWO * (qx * qy - qw * qz),
                _TWO * (qx * qz + qw * qy),
            )
            q10, q11, q12 = (
                _TWO * (qx * qy + qw * qz),
                _ONE - _TWO * (qx * qx + qz * qz),
                _TWO * (qy * qz - qw * qx),
            )
            q20, q21, q22 = (
                _TWO * (qx * qz - qw * qy),
                _TWO * (qy * qz + qw * qx),
                _ONE - _TWO * (qx * qx + qy * qy),
            )
            a0 = (m00 * q00 + m01 * q10 + m02 * q20) * s0
            a1 = (m00 * q01 + m01 * q11 + m02 * q21) * s1
            a2 = (m00 * q02 + m01 * q12 + m02 * q22) * s2
            b0 = (m10 * q00 + m11 * q10 + m12 * q20) * s0
            b1 = (m10 * q01 + m11 * q11 + m12 * q21) * s1
            b2 = (m10 * q02 + m11 * q12 + m12 * q22) * s2
            aa, bb, ab = a0 * a0 + a1 * a1 + a2 * a2, b0 * b0 + b1 * b1 + b2 * b2, a0 * b0 + a1 * b1 + a2 * b2
            n0, n1, n2 = a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0
            det = n0 * n0 + n1 * n1 + n2 * n2 + _LOW_PASS * (aa + bb) + _LOW_PASS * _LOW_PASS
            c00, c11 = aa + _LOW_PASS, bb + _LOW_PASS
            reach = _TWO * _LN_2 * (k + _LOG2_255)
            rx, ry = np.sqrt(reach * c00) + _SLACK_PX, np.sqrt(reach * c11) + _SLACK_PX
            finite = (ls0 + ls1 + ls2 + logit + qw + qx + qy + qz) * _ZERO == _ZERO
            sound = finite & (c00 < _WIDE_PX2) & (c11 < _WIDE_PX2) & (abs(u) < _FAR_PX) & (abs(v) < _FAR_PX)
            x_low, x_high = max(np.ceil(u - rx - _HALF), _ZERO), min(np.floor(u + rx - _HALF), width - _ONE)
            y_low, y_high = max(np.ceil(v - ry - _HALF), _ZERO), min(np.floor(v + ry - _HALF), height - _ONE)
            g[11, j] = _ONE if sound & (x_low <= x_high) & (y_low <= y_high) else _ZERO
            scale = _CONIC / det
            g[12, j], g[13, j] = u, v
            g[14, j], g[15, j], g[16, j] = c11 * scale, -_TWO * ab * scale, c00 * scale
            g[17, j] = k * _F(0.125)
            g[18, j] = pz
            g[19, j], g[20, j] = x_low * _INV_16, y_low * _INV_16
            g[21, j], g[22, j] = x_high * _INV_16, y_high * _INV_16
        for j in range(m):
            if g[11, j] == _ZERO:
                continue
            i = pick[j]
            x, y, z = g[0, j] - eye_x, g[1, j] - eye_y, g[2, j] - eye_z
            away = _ONE / np.sqrt(x * x + y * y + z * z + _TINY)
            red, green, blue = (
                _HALF + _C0 * sh0[i, 0, 0],
                _HALF + _C0 * sh0[i, 0, 1],
                _HALF + _C0 * sh0[i, 0, 2],
            )
            _basis(degree, (x * away, y * away, z * away), basis)
            for n in range(coefficients):
                red += basis[n] * shN[i, n, 0]
                green += basis[n] * shN[i, n, 1]
                blue += basis[n] * shN[i, n, 2]
            if not (abs(red) < _BRIGHT and abs(green) < _BRIGHT and abs(blue) < _BRIGHT):
                continue
            for n in range(6):
                records[slot, n] = g[12 + n, j]
            records[slot, 6], records[slot, 7] = max(red, _ZERO), max(green, _ZERO)
            records[slot, 8] = max(blue, _ZERO)
            key = np.uint32(bits_of_float(g[18, j]))
            least, most = min(least, key), max(most, key)
            keys[slot] = key
            rects[slot, 0], rects[slot, 1] = np.int16(g[19, j]), np.int16(g[20, j])
            rects[slot, 2], rects[slot, 3] = np.int16(g[21, j]), np.int16(g[22, j])
            ids[slot] = i
            covered += (1 + rects[slot, 2] - rects[slot, 0]) * (1 + rects[slot, 3] - rects[slot, 1])
            slot += 1
    return slot - begin, covered, least, most
